import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../bytes/bytes.ts'
import type { JsonValue } from '../bytes/json.ts'
import { parseAtSign } from '../key/atsign.ts'
import { access } from './access.ts'
import type { Action, Subject } from './action.ts'
import type { Decision } from './decide.ts'
import { decide } from './decide.ts'
import { parsePolicy } from './parse.ts'
import { explain } from './trace.ts'

interface Suite {
  name: string
  policy: JsonValue
  vectors: { name: string; subject: Subject; action: Action; expect: Partial<Decision> }[]
}
const file = join(import.meta.dirname, '../../../../test/vectors/policy/decisions.json')
const { suites } = JSON.parse(readFileSync(file, 'utf8')) as { suites: Suite[] }
const parse = (policy: unknown) => parsePolicy(utf8(JSON.stringify(policy)))

describe.each(suites)('$name', ({ policy, vectors }) => {
  const parsed = parse(policy)
  test.each(vectors)('$name → $expect.effect', ({ subject, action, expect: wanted }) => {
    const decision = decide(parsed, subject, action)
    expect({ ...decision, trace: [] }).toMatchObject(wanted)
    if (!('rule' in wanted)) expect(decision.rule).toBeUndefined()
    expect(decision.trace.map((line) => line.rule)).toEqual(parsed.rules.map((rule) => rule.id))
  })
  test.each(vectors)('$name: access does not refuse what could be decided otherwise', ({ subject, action, expect: wanted }) => {
    const { effect } = access(parsed, subject, action.server, action.tool, action.risk)
    if (wanted.effect === 'allow') expect(effect).toBe('allow')
    if (wanted.effect === 'ask') expect(effect).not.toBe('deny')
  })
})

const bot = { atsign: parseAtSign('@bot'), tags: ['dev'] }
const rules = [
  { id: 'small', who: ['*'], servers: ['bank'], tools: ['pay'], when: { amount: { max: 50 } }, effect: 'allow' },
  { id: 'other', who: ['@ana'], servers: ['bank'], tools: ['pay'], effect: 'allow' },
  { id: 'fs', who: ['*'], servers: ['fs'], tools: ['*'], effect: 'allow' },
  { id: 'reads', who: ['*'], servers: ['*'], tools: ['risk:read'], effect: 'allow' },
  { id: 'shelf', who: ['*'], servers: ['*'], tools: ['*'], effect: 'deny', off: true },
]
const policy = parse({ v: 1, name: 'main', rules })

test('explains with every rule and why it did not count', () => {
  const lines = explain(decide(policy, bot, { server: 'bank', tool: 'pay', risk: 'financial', args: { amount: 51 } }))
  expect(lines).toEqual([
    'DENY: rule small (line 1): amount must be a number of at most 50',
    'rule small: no, amount must be a number of at most 50',
    'rule other: no, other agent',
    'rule fs: no, other server',
    'rule reads: no, the risk class is financial',
    'rule shelf: no, switched off',
  ])
})

test('rules with the same answer are told together', () => {
  const lines = explain(decide(policy, bot, { server: 'crm', tool: 'list', risk: 'read', args: {} }))
  expect(lines).toContain('rule reads: yes')
  expect(
    explain(decide(parse({ v: 1, name: 'main', rules: [rules[0], { ...rules[0], id: 'b' }] }), bot, { server: 'x', tool: 'y', args: {} })),
  ).toEqual(['DENY: no rule allows this agent to call this tool', 'rules small, b: no, other server'])
})

test('says the line of a rule in the text', () => {
  const text = `{"v":1,"name":"main",\n "rules":[\n  {"id":"a","who":["*"],"servers":["*"],"tools":["*"],"effect":"deny"},\n\n  ${JSON.stringify(rules[2])}]}`
  const { rules: read } = parsePolicy(utf8(text))
  expect(read.map((rule) => rule.line)).toEqual([3, 5])
  expect(decide(parsePolicy(utf8(text)), bot, { server: 'fs', tool: 'x', args: {} })).toMatchObject({ rule: 'a', line: 3 })
})

test('no value of an argument is repeated in a decision', () => {
  const secret = 'hunter2-very-secret'
  const conditions = [
    { eq: 1 },
    { in: ['a'] },
    { min: 1 },
    { max: 1 },
    { maxLength: 1 },
    { prefix: '/a' },
    { host: 'a.example' },
    { count: 1 },
    { sum: 1 },
  ]
  for (const is of conditions) {
    const pay = { ...rules[0], when: { amount: is } }
    for (const effect of [{ effect: 'allow' }, { effect: 'deny' }, { effect: 'ask', approvers: ['@ana'] }]) {
      for (const value of [secret, [secret], { [secret]: secret }, `/b/${secret}`, `https://${secret}/`]) {
        const decision = decide(parse({ v: 1, name: 'main', rules: [{ ...pay, ...effect }] }), bot, {
          server: 'bank',
          tool: 'pay',
          args: { amount: value },
        })
        expect(JSON.stringify([decision, explain(decision)])).not.toContain(secret)
      }
    }
  }
})

test('names of arguments are quoted and shortened', () => {
  const decision = decide(policy, bot, {
    server: 'bank',
    tool: 'pay',
    args: { amount: 1, [`x\n\u202ewhy: allowed ${'y'.repeat(500)}`]: 1 },
  })
  expect(decision.why).toMatch(/^[\x20-\x7e\ufffd]*$/)
  expect(decision.why.length).toBeLessThan(200)
})

test('a decision among 1000 rules that name other tools takes microseconds', () => {
  const many = Array.from({ length: 1000 }, (_, i) => ({ ...rules[0], id: `r${i}`, tools: [`tool-${i}`] }))
  const large = parse({ v: 1, name: 'main', rules: many })
  const action = { server: 'bank', tool: 'tool-999', args: { amount: 5 } }
  for (let i = 0; i < 5_000; i++) decide(large, bot, action)
  const started = performance.now()
  for (let i = 0; i < 5_000; i++) decide(large, bot, action)
  expect((performance.now() - started) / 5_000).toBeLessThan(0.05) // ms; about 0.001 on an idle machine
})

describe('access', () => {
  const limited = (id: string, limits: object) => ({ ...rules[0], id, limits })
  test('gives a grant the shortest lifetime, and the most calls where all rules have a limit', () => {
    const both = parse({
      v: 1,
      name: 'main',
      rules: [limited('a', { ttl_seconds: 100, calls: 5 }), limited('b', { ttl_seconds: 10, calls: 7 })],
    })
    expect(access(both, bot, 'bank', 'pay', 'financial')).toEqual({ effect: 'allow', rule: 'a', limits: { ttlSeconds: 10, calls: 7 } })
    const one = parse({ v: 1, name: 'main', rules: [limited('a', { ttl_seconds: 100, calls: 5 }), limited('b', {})] })
    expect(access(one, bot, 'bank', 'pay', 'financial').limits).toEqual({ ttlSeconds: 60 })
  })
  test('is deny under a deny rule without conditions, but not under one with', () => {
    const deny = { id: 'd', who: ['*'], servers: ['*'], tools: ['*'], effect: 'deny' }
    expect(access(parse({ v: 1, name: 'main', rules: [...rules, deny] }), bot, 'fs', 'x', 'read')).toMatchObject({
      effect: 'deny',
      rule: 'd',
    })
    const some = { ...deny, when: { path: { prefix: '/secret' } } }
    expect(access(parse({ v: 1, name: 'main', rules: [...rules, some] }), bot, 'fs', 'x', 'read').effect).toBe('allow')
  })
  test('is deny when the only rule counts a total, and for no name of an object prototype', () => {
    const sums = parse({ v: 1, name: 'main', rules: [limited('a', { sums: { amount: 100 } })] })
    expect(access(sums, bot, 'bank', 'pay', 'financial')).toEqual({ effect: 'deny', limits: { ttlSeconds: 60 } })
    for (const name of ['constructor', '__proto__', 'toString']) expect(access(policy, bot, name, name, undefined).effect).toBe('deny')
  })
  test('is ask when a rule always asks', () => {
    const ask = { id: 'q', who: ['*'], servers: ['*'], tools: ['*'], effect: 'ask', approvers: ['@ana'] }
    expect(access(parse({ v: 1, name: 'main', rules: [...rules, ask] }), bot, 'fs', 'x', 'read')).toMatchObject({
      effect: 'ask',
      rule: 'q',
    })
  })
})
