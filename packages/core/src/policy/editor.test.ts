// What an editor of policy texts is given: completion, edits, templates, advice.
import { describe, expect, test } from 'vitest'
import { utf8 } from '../bytes/bytes.ts'
import type { JsonObject, JsonValue } from '../bytes/json.ts'
import { parseAtSign } from '../key/atsign.ts'
import { advisePolicy, untestedRules } from './advice.ts'
import type { KnownNames } from './complete.ts'
import { completePolicy } from './complete.ts'
import { CONDITION_NAMES } from './conditions.ts'
import { addRuleFor, appendItem } from './edit.ts'
import { POLICY_FIELDS } from './fields.ts'
import { lintPolicy, parsePolicy } from './parse.ts'
import { runPolicyTests } from './run-tests.ts'
import { POLICY_TEMPLATES, policyTemplate } from './templates.ts'

const known: KnownNames = {
  agents: [{ atsign: parseAtSign('@bot'), tags: ['dev'] }],
  tools: [{ server: 'fs', tool: 'write_file', risk: 'write' }],
  people: ['@ana'],
}
/** Completes at the bar. */
function at(marked: string) {
  const offset = marked.indexOf('|')
  return completePolicy(marked.replace('|', ''), offset, known)
}
const labels = (marked: string) => at(marked)?.options.map(({ label }) => label) ?? []

describe('completion', () => {
  test('offers the fields of what the cursor is in, without those that stand there', () => {
    expect(labels('{ "v": 1, | }')).toEqual(['name', 'groups', 'rules', 'tests', 'stale_seconds', 'beyond_tools', 'labels'])
    expect(labels('{ "rules": [ { "id": "a", | "who": ["*"], "effect": "deny" } ] }')).toEqual(
      Object.keys(POLICY_FIELDS['rules[]']!).filter((name) => !['id', 'who', 'effect'].includes(name)),
    )
    expect(labels('{ "rules": [ { "limits": { "|')).toEqual(['ttl_seconds', 'calls', 'per_minute', 'sums'])
  })
  test('offers every condition of the table for an argument', () => {
    expect(labels('{ "rules": [ { "when": { "amount": { | ')).toEqual(CONDITION_NAMES)
    expect(labels('{ "rules": [ { "when": { "amount": { "max": 5, "|"')).toEqual(CONDITION_NAMES.filter((name) => name !== 'max'))
  })
  test('offers values: effects, names from the log, groups and rules of the text', () => {
    expect(labels('{ "rules": [ { "effect": "|" } ] }')).toEqual(['allow', 'ask', 'deny'])
    expect(labels('{ "groups": { "leads": ["@ana"] }, "rules": [ { "who": ["|"] } ] }')).toEqual(['*', 'tag:dev', 'group:leads', '@bot'])
    expect(labels('{ "rules": [ { "approvers": [ | ')).toEqual(['@ana'])
    expect(labels('{ "rules": [ { "tools": ["w|"] } ] }')).toContain('write_file')
    expect(labels('{ "rules": [ { "tools": ["w|"] } ] }')).toContain('risk:read')
    expect(labels('{ "rules": [ { "id": "one" } ], "tests": [ { "rule": |')).toEqual(['one'])
    expect(labels('{ "tests": [ { "who": "@|" } ] }')).toEqual(['@bot'])
  })
  test('puts in place of the whole word, and adds a value only where none is', () => {
    expect(at('{ "rules": [ { "eff|" } ] }')).toMatchObject({ from: 15, to: 20 })
    expect(at('{ "rules": [ { "eff|": "deny" } ] }')!.options.find(({ label }) => label === 'effect')?.insert).toBe('"effect"')
    expect(at('{ "rules": [ { "eff|" } ] }')!.options.find(({ label }) => label === 'effect')?.insert).toBe('"effect": "allow"')
  })
  test('offers nothing where anything may stand', () => {
    expect(at('{ "rules": [ { "id": "|" } ] }')).toBeUndefined()
    expect(at('{ "rules": [ { "when": { "|" } } ] }')).toBeUndefined()
    expect(at('{ "tests": [ { "args": { | } } ] }')).toBeUndefined()
  })
  test('is total: no cut of a document, and no place in it, makes it throw', () => {
    const text = policyTemplate('read-only', [parseAtSign('@ana')])
    for (let end = 0; end < text.length; end += 7)
      for (let offset = 0; offset <= end; offset += 5) completePolicy(text.slice(0, end), offset, known)
  })
  test('every field it offers is one that the parser knows', () => {
    const wrap: Record<string, (field: JsonObject) => JsonObject> = {
      '': (field) => field,
      'rules[]': (field) => ({ rules: [field] }),
      'rules[].limits': (limits) => ({ rules: [{ limits }] }),
      'tests[]': (field) => ({ tests: [field], rules: [] }),
      stale_seconds: (stale_seconds) => ({ stale_seconds, rules: [] }),
      'beyond_tools[]': (field) => ({ beyond_tools: [field], rules: [] }),
    }
    for (const [path, fields] of Object.entries(POLICY_FIELDS)) {
      for (const [name, { insert }] of Object.entries(fields)) {
        const document = { v: 1, name: 'main', ...wrap[path]!({ [name]: JSON.parse(insert) as JsonValue }) }
        const codes = lintPolicy(utf8(JSON.stringify(document))).map(({ code }) => code)
        expect(codes, `${path}.${name}`).not.toContain('UNKNOWN_FIELD')
      }
    }
  })
})

const spaced = `{
  "v": 1, "name": "main",
  "rules": [
    { "id": "a", "who": ["*"], "servers": ["*"], "tools": ["x[]"], "effect": "deny" }
  ]
}`
describe('edits of a text', () => {
  test('add an item at the end and leave the rest as it was', () => {
    const text = appendItem(spaced, 'rules', { id: 'b', who: ['*'] })!
    expect(text).toBe(spaced.replace('"deny" }\n', '"deny" },\n    { "id": "b", "who": ["*"] }\n'))
    expect(appendItem('{"rules":[]}', 'rules', { id: 'b' })).toBe('{"rules":[\n    { "id": "b" }\n  ]}')
  })
  test('make a list of tests where there is none', () => {
    const text = appendItem(spaced, 'tests', { name: 't' })!
    expect(JSON.parse(text)).toMatchObject({ rules: [{ id: 'a' }], tests: [{ name: 't' }] })
  })
  test('refuse a text that is not JSON, or in which rules is no list', () => {
    expect(appendItem('{ "rules": [', 'rules', {})).toBeUndefined()
    expect(appendItem('{ "rules": 1 }', 'rules', {})).toBeUndefined()
    expect(appendItem('{}', 'rules', {})).toBeUndefined()
  })
  test('write a rule from a call with a test that it passes, each time under another name', () => {
    const call = { agent: '@bot', server: 'fs', tool: 'write file/1' }
    const once = addRuleFor(spaced, call, '27 Nov 2026')!
    const twice = addRuleFor(once.text, call, '27 Nov 2026')!
    const policy = parsePolicy(utf8(twice.text))
    expect(policy.rules.map(({ id }) => id)).toEqual(['a', 'bot-write-file-1', 'bot-write-file-1-2'])
    const results = runPolicyTests(
      policy,
      (atsign) => ({ atsign, tags: [] }),
      () => 'write',
    )
    expect(results.map(({ ok }) => ok)).toEqual([true, false]) // the second rule is not the one that decides, and its test says so
  })
})

test.each(POLICY_TEMPLATES)('the template %s is a policy that passes its own tests', (template) => {
  const policy = parsePolicy(utf8(policyTemplate(template, [parseAtSign('@ana'), parseAtSign('@bea')])))
  const results = runPolicyTests(
    policy,
    () => undefined,
    () => undefined,
  )
  expect(results.length).toBeGreaterThan(0)
  expect(results.filter(({ ok }) => !ok)).toEqual([])
})

describe('advice', () => {
  const policyOf = (more: object) => parsePolicy(utf8(JSON.stringify({ v: 1, name: 'main', ...more })))
  const rule = {
    id: 'r',
    who: ['@bot', '@gone', 'tag:none'],
    servers: ['fs', 'no'],
    tools: ['write_file', 'nope'],
    effect: 'allow',
    limits: { sums: { a: 1 } },
  }
  test('names what the log does not know, and the lack of tests', () => {
    expect(advisePolicy(policyOf({ rules: [rule] }), known).map(({ code }) => code)).toEqual([
      ...['NO_TESTS', 'UNKNOWN_AGENT', 'UNUSED_TAG', 'UNKNOWN_SERVER', 'UNKNOWN_TOOL', 'LIMIT_UNSUPPORTED'],
    ])
  })
  test('has nothing to say about a policy with tests in which everything is known', () => {
    const fine = { id: 'r', who: ['@bot', 'tag:dev', '*'], servers: ['fs'], tools: ['write_file', '*'], effect: 'allow' }
    const test = { name: 't', who: '@bot', server: 'fs', tool: 'write_file', expect: 'allow' }
    expect(advisePolicy(policyOf({ rules: [fine], tests: [test] }), known)).toEqual([])
  })
  test('a rule counts as tested when a passing test was decided by it', () => {
    const fine = { id: 'r', who: ['*'], servers: ['*'], tools: ['x'], effect: 'allow' }
    const run = (tests: object[]) =>
      untestedRules(
        [{ id: 'r' }],
        runPolicyTests(
          policyOf({ rules: [fine], tests }),
          (atsign) => ({ atsign, tags: [] }),
          () => 'read',
        ),
      )
    const test = { name: 't', who: '@bot', server: 's', tool: 'x', expect: 'allow' }
    expect(run([test])).toEqual([])
    expect(run([{ ...test, expect: 'deny' }])).toEqual([{ id: 'r' }])
    expect(run([{ ...test, tool: 'y', expect: 'deny' }])).toEqual([{ id: 'r' }])
  })
})
