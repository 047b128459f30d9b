import { describe, expect, test } from 'vitest'
import { utf8 } from '../bytes/bytes.ts'
import { changedRules, describePolicyChange } from './change.ts'

const reads = { id: 'reads', who: ['tag:dev'], servers: ['*'], tools: ['risk:read'], effect: 'allow' }
const pays = {
  ...{ id: 'pays', who: ['@bot', 'group:bots'], servers: ['bank'], tools: ['refund'], effect: 'ask', approvers: ['group:leads'] },
  when: { amount: { min: 1, max: 500 } },
}
const document = { v: 1, name: 'main', groups: { leads: ['@ana'], bots: ['@b1'] }, rules: [reads, pays], tests: [] as object[] }
const bytes = (value: object) => utf8(JSON.stringify(value, null, 2))
const change = (value: object, from: object = document) => describePolicyChange(bytes(from), bytes(value))

describe('the change between two policies in sentences', () => {
  test('says a new rule whole, with its line', () => {
    const rule = {
      id: 'jira',
      who: ['@ana-claude'],
      servers: ['jira'],
      tools: ['create_issue'],
      effect: 'allow',
      when: { project: { in: ['OPS', 'HR'] } },
    }
    expect(change({ ...document, rules: [...document.rules, rule] })).toEqual([
      'New rule jira (line 49): @ana-claude may call create_issue on jira; only when "project" is one of "OPS", "HR"; no other argument may be there.',
    ])
  })
  test('says what a changed rule was and what it is', () => {
    const [sentence, ...more] = change({ ...document, rules: [reads, { ...pays, effect: 'deny', approvers: undefined }] })
    expect(more).toEqual([])
    expect(sentence).toBe(
      'Rule pays (line 26) changes. Before: @bot or any agent in group bots may call refund on bank once somebody in group leads approved that call; only when "amount" is a number of at least 1 and "amount" is a number of at most 500; no other argument may be there. Now: @bot or any agent in group bots may not call refund on bank; only when "amount" is a number of at least 1 and "amount" is a number of at most 500.',
    )
  })
  test('names rules that are gone, switched off or moved', () => {
    expect(change({ ...document, rules: [reads] })[0]).toMatch(/^Rule pays is gone; it said: /)
    expect(change({ ...document, rules: [{ ...reads, off: true }, pays] })[0]).toMatch(
      /Now: switched off, it has no effect; it would say: any agent tagged dev/,
    )
    expect(change({ ...document, rules: [pays, reads] })).toEqual([expect.stringMatching(/^Rules change places/)])
  })
  test('names members of groups, tests, waiting times and the name', () => {
    const test = { name: 'no', who: '@x', tags: [], server: 's', tool: 't', expect: 'deny' }
    expect(
      change({
        ...document,
        name: 'other',
        groups: { leads: ['@ana', '@bea'], bots: ['@b2'] },
        tests: [test],
        stale_seconds: { effects: 60 },
      }),
    ).toEqual([
      'Its name changes from "main" to "other".',
      'Group bots: @b2 joins, @b1 leaves.',
      'Group leads: @bea joins.',
      'Gateways that hear nothing more go on serving for 60 s, reading tools for 3600 s (before: 300 s, reading tools for 3600 s).',
      'One test more: "no".',
    ])
    expect(change({ ...document, tests: [{ ...test, expect: 'ask' }] }, { ...document, tests: [test] })).toEqual([
      'One test changed: "no".',
    ])
  })
  test('tells a change of writing from no change', () => {
    expect(describePolicyChange(bytes(document), utf8(JSON.stringify(document)))).toEqual([
      'Only the writing changes: nothing that decides, and no test.',
    ])
    expect(change(document)).toEqual(['Nothing changes.'])
  })
  test('is all of it when there was no policy', () => {
    expect(describePolicyChange(undefined, bytes(document)).map((text) => text.split(' ').slice(0, 3).join(' '))).toEqual([
      'New rule reads',
      'New rule pays',
      'New group bots:',
      'New group leads:',
    ])
  })
  test('refuses a document that is none', () => {
    expect(() => change({ v: 2 })).toThrow(expect.objectContaining({ code: expect.any(String) }))
  })
})

test('every field of a rule that decides makes a difference in its sentence', () => {
  const all = {
    ...pays,
    limits: { ttl_seconds: 30, calls: 2, per_minute: 3 },
    unnamed: 'allow',
    owner_may_approve: true,
    wait_seconds: 20,
    flow: 'ask',
    output: 'redact',
  }
  const full = { ...document, rules: [all] }
  const others: Record<string, unknown> = {
    ...{ who: ['*'], servers: ['*'], tools: ['*'], when: { amount: { max: 1 } }, unnamed: 'deny', limits: { calls: 2, ttl_seconds: 30 } },
    ...{ approvers: ['@bea'], owner_may_approve: false, wait_seconds: 30, off: true, flow: 'deny', output: 'refuse' },
  }
  for (const [field, value] of Object.entries(others)) {
    const [sentence] = change({ ...full, rules: [{ ...all, [field]: value }] }, full)
    expect(sentence, field).toMatch(/changes\. Before/)
  }
})

test('changed rules are those whose fields differ, not those that moved or are written otherwise', () => {
  const swapped = { ...document, rules: [{ ...pays, when: { amount: { max: 500, min: 1 } } }, reads, { ...reads, id: 'more', off: true }] }
  expect(changedRules(bytes(document), bytes(swapped))).toEqual([{ id: 'more', kind: 'new', line: 49, isOff: true }])
  expect(changedRules(bytes(document), bytes({ ...document, rules: [reads] }))).toMatchObject([{ id: 'pays', kind: 'gone' }])
})
