// What the comparison of two policies says is true of `decide`, over random policies and arguments.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../bytes/bytes.ts'
import type { JsonObject, JsonValue } from '../bytes/json.ts'
import { parseAtSign } from '../key/atsign.ts'
import type { Subject } from './action.ts'
import { decide } from './decide.ts'
import type { Effect, Policy } from './document.ts'
import type { PolicyFacts } from './matrix.ts'
import { comparePolicies } from './matrix.ts'
import { gainsNothing, prospect } from './outlook.ts'
import { parsePolicy } from './parse.ts'

type RuleDocument = { [name: string]: JsonValue }
const of = fc.constantFrom
// A small world, so that rules, conditions and arguments meet often.
const is = fc.oneof(
  fc.record({ eq: of<JsonValue>(1, 2, 'x') }),
  fc.record({ in: of<JsonValue>([1], [1, 2], ['x']) }),
  fc.record({ min: of(0, 1, 2) }),
  fc.record({ max: of(0, 1, 2) }),
) as fc.Arbitrary<JsonObject>
const when = fc.dictionary(of('a', 'b'), is, { minKeys: 1, maxKeys: 2 })
const scope = {
  who: of(['*'], ['@bot'], ['tag:dev'], ['tag:ops', '@bot']),
  servers: of(['*'], ['s']),
  tools: of(['*'], ['t'], ['risk:read'], ['risk:write']),
}
const base = (effect: Effect, more: object = {}) =>
  fc
    .record(
      { ...scope, effect: fc.constant(effect), when, unnamed: of('allow', 'deny'), off: fc.boolean(), ...more },
      { requiredKeys: ['who', 'servers', 'tools', 'effect', ...Object.keys(more)] as never },
    )
    .map((rule) => {
      const { unnamed, ...rest } = rule as RuleDocument
      return unnamed === undefined || rest.when === undefined || effect === 'deny' ? rest : { ...rest, unnamed }
    })
const rule = fc.oneof(
  { arbitrary: base('allow'), weight: 4 },
  base('ask', { approvers: fc.constant(['@ana']) }),
  base('deny'),
  base('allow', { limits: of<JsonObject>({ sums: { a: 1 } }) }),
)
const rules = fc.array(rule, { maxLength: 4 })
/** Two policies that have more in common than chance would give them. */
const pair = fc
  .record({ first: rules, extra: rules, drop: fc.nat(4), other: rules, kind: fc.nat(3) })
  .map(({ first, extra, drop, other, kind }) => ({
    before: first,
    after: kind === 0 ? other : kind === 1 ? [...first, ...extra] : first.filter((_, i) => i !== drop),
  }))
const policyOf = (list: readonly RuleDocument[]): Policy =>
  parsePolicy(utf8(JSON.stringify({ v: 1, name: 'main', rules: list.map((fields, i) => ({ id: `r${i}`, ...fields })) })))
const subject: fc.Arbitrary<Subject> = fc.record({ atsign: of('@bot', '@other').map(parseAtSign), tags: of([], ['dev'], ['dev', 'ops']) })
const risk = of('read' as const, 'write' as const, undefined)
const args: fc.Arbitrary<JsonObject> = fc.dictionary(of('a', 'A', 'b', 'c'), of<JsonValue>(0, 1, 2, 'x', null), { maxKeys: 3 })
const RANK: Record<Effect, number> = { deny: 0, ask: 1, allow: 2 }
const runs = { numRuns: 6000 }

describe('an outlook', () => {
  test('never promises none or all of what decide sees otherwise', () => {
    const told = { none: 0, some: 0, all: 0 }
    fc.assert(
      fc.property(rules, subject, risk, fc.array(args, { minLength: 1, maxLength: 8 }), (list, who, risk, samples) => {
        const policy = policyOf(list)
        const { outlook } = prospect(policy, who, 's', 't', risk)
        for (const effect of ['allow', 'ask', 'deny'] as const) told[outlook[effect]]++
        for (const sample of [{}, ...samples]) {
          const { effect } = decide(policy, who, { server: 's', tool: 't', risk, args: sample })
          expect(outlook[effect]).not.toBe('none')
          for (const other of ['allow', 'ask', 'deny'] as const) if (outlook[other] === 'all') expect(effect).toBe(other)
        }
      }),
      runs,
    )
    expect(Math.min(told.none, told.some, told.all)).toBeGreaterThan(500) // or the property says nothing
  })
  test('of an allow rule without conditions beside an ask rule with some is not "all allowed"', () => {
    const policy = policyOf([
      { who: ['*'], servers: ['*'], tools: ['*'], effect: 'allow' },
      { who: ['*'], servers: ['*'], tools: ['*'], effect: 'ask', approvers: ['@ana'], when: { amount: { min: 50 } } },
    ])
    const { outlook } = prospect(policy, { atsign: parseAtSign('@bot'), tags: [] }, 's', 't', 'read')
    expect(outlook).toEqual({ allow: 'some', ask: 'some', deny: 'some' }) // no amount: the ask rule cannot be ruled out
  })
})

describe('the matrix', () => {
  test('agrees with decide on sampled arguments: nobody gains or loses where it says so', () => {
    let told = 0
    fc.assert(
      fc.property(pair, subject, risk, fc.array(args, { minLength: 1, maxLength: 8 }), ({ before, after }, who, risk, samples) => {
        const [was, is] = [policyOf(before), policyOf(after)]
        const [a, b] = [was, is].map((policy) => prospect(policy, who, 's', 't', risk)) as [never, never]
        const rank = (policy: Policy, sample: JsonObject) =>
          RANK[decide(policy, who, { server: 's', tool: 't', risk, args: sample }).effect]
        const noGain = gainsNothing(a, b)
        const noLoss = gainsNothing(b, a)
        if (noGain || noLoss) told++
        for (const sample of [{}, ...samples]) {
          if (noGain) expect(rank(is, sample)).toBeLessThanOrEqual(rank(was, sample))
          if (noLoss) expect(rank(is, sample)).toBeGreaterThanOrEqual(rank(was, sample))
        }
      }),
      runs,
    )
    expect(told).toBeGreaterThan(1000)
  })

  const facts: PolicyFacts = {
    agents: [
      { atsign: parseAtSign('@bot'), tags: ['dev'] },
      { atsign: parseAtSign('@kept'), tags: [], servers: ['other'] },
    ],
    tools: [
      { server: 's', tool: 'read', risk: 'read' },
      { server: 's', tool: 'pay', risk: 'financial' },
    ],
  }
  const reads: RuleDocument = { id: 'reads', who: ['tag:dev'], servers: ['*'], tools: ['risk:read'], effect: 'allow' }

  test('names who gains and who loses, newcomers too, and leaves out servers outside a delegation', () => {
    const { changed, cells, newcomers } = comparePolicies(policyOf([reads]), policyOf([{ ...reads, tools: ['pay'], who: ['*'] }]), facts)
    expect(changed.map(({ who, tool, gains, loses, rule }) => [who, tool, gains ? '+' : '', loses ? '-' : '', rule?.id])).toEqual([
      [{ atsign: '@bot' }, 'read', '', '-', undefined],
      [{ atsign: '@bot' }, 'pay', '+', '', 'reads'],
      [{ newcomer: undefined }, 'pay', '+', '', 'reads'],
      [{ newcomer: 'dev' }, 'read', '', '-', undefined],
      [{ newcomer: 'dev' }, 'pay', '+', '', 'reads'],
    ])
    expect({ cells, newcomers }).toEqual({ cells: 8, newcomers: 2 })
  })
  test('is empty between a policy and itself, and against nothing has what is permitted', () => {
    const policy = policyOf([reads])
    expect(comparePolicies(policy, policy, facts).changed).toEqual([])
    expect(comparePolicies(undefined, policy, facts).changed.map(({ tool }) => tool)).toEqual(['read', 'read'])
  })
  test('knows a narrower condition from a wider one', () => {
    const when = (max: number) => policyOf([{ ...reads, tools: ['pay'], when: { amount: { max } } }])
    expect(comparePolicies(when(50), when(100), facts).changed).toMatchObject([
      { gains: true, loses: false },
      { gains: true, loses: false },
    ])
    expect(comparePolicies(when(100), when(50), facts).changed).toMatchObject([
      { gains: false, loses: true },
      { gains: false, loses: true },
    ])
  })
})
