// Invariant 6 of protocol.md §12, and what a policy's author may rely on, over random documents and arguments.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../bytes/bytes.ts'
import type { JsonObject, JsonValue } from '../bytes/json.ts'
import { parseAtSign } from '../key/atsign.ts'
import { access } from './access.ts'
import type { Action, Subject } from './action.ts'
import type { ArgCondition, Attenuation } from './attenuation.ts'
import { holdsAll, isNarrower } from './attenuation.ts'
import { decide } from './decide.ts'
import type { Effect } from './document.ts'
import { parsePolicy } from './parse.ts'

const runs = { numRuns: 1000 }
const of = fc.constantFrom
// Small worlds, so that rules, conditions and arguments meet often.
const numbers = of(-1, 0, 1, 2, 3)
const paths = of('/', '/a', '/a/b', '/ab', '/a/../b', 'a')
const hosts = of('x.com', 'a.x.com', 'bx.com', 'https://a.x.com/', 'x.com.')
const value: fc.Arbitrary<JsonValue> = fc.oneof(
  numbers,
  paths,
  hosts,
  of<JsonValue>(null, true, '', 'ab', [], [1], [1, 2], {}, { x: 1 }, { x: 1, y: 2 }, { x: 1, X: 2 }),
)
const args: fc.Arbitrary<JsonObject> = fc.dictionary(of('a', 'A', 'b', 'o'), value, { maxKeys: 3 })

const is: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.record({ eq: fc.oneof(numbers, paths, of<JsonValue>('ab', null, true)) }),
  fc.record({ in: fc.array(fc.oneof(numbers, paths, hosts), { minLength: 1, maxLength: 3 }) }),
  fc.record({ min: numbers }),
  fc.record({ max: numbers }),
  fc.record({ max: numbers, min: numbers }),
  fc.record({ max_length: of(0, 1, 2, 5) }),
  fc.record({ prefix: of('/', '/a', '/a/b', 'a') }),
  fc.record({ host: of('x.com', 'a.x.com') }),
  fc.record({ count: of(0, 1, 2) }),
)
const condition: fc.Arbitrary<ArgCondition> = fc.record({ arg: of('a', 'b', 'o', '/a', '/o/x', '/o/y', 'A'), is })
const attenuation: fc.Arbitrary<Attenuation> = fc.record(
  { args: fc.array(condition, { maxLength: 3 }), unnamed: of('allow' as const, 'deny' as const) },
  { requiredKeys: ['args'] },
)
/** Related to its parent more often than by chance: the same, with more, or with less. */
const related = fc.tuple(attenuation, fc.array(condition, { maxLength: 2 }), fc.nat(2)).map(([parent, more, kind]) => {
  const same = kind === 2 ? parent.args.slice(1) : parent.args
  return { parent, child: { ...parent, args: kind === 0 ? [...same, ...more] : same } }
})
const pair = fc.oneof(related, fc.record({ parent: attenuation, child: attenuation }))

describe('invariant 6, attenuation', () => {
  test('what a narrower child allows, its parent allows', () => {
    let told = 0
    fc.assert(
      fc.property(pair, args, ({ parent, child }, value) => {
        if (!isNarrower(child, parent) || !holdsAll(child.args, value, child.unnamed).ok) return
        told++
        expect(holdsAll(parent.args, value, parent.unnamed).ok).toBe(true)
      }),
      { numRuns: 30_000 },
    )
    expect(told).toBeGreaterThan(1000) // or the property says nothing
  })

  test('narrower is reflexive and transitive', () => {
    fc.assert(
      fc.property(attenuation, (a) => isNarrower(a, a)),
      runs,
    )
    fc.assert(
      fc.property(related, fc.array(condition, { maxLength: 2 }), ({ parent, child }, more) => {
        const grandchild = { ...child, args: [...child.args, ...more] }
        if (isNarrower(grandchild, child) && isNarrower(child, parent)) expect(isNarrower(grandchild, parent)).toBe(true)
      }),
      runs,
    )
  })

  test('without a named argument, with an unnamed one, or with one of another type, nothing holds', () => {
    const wanted: [string, JsonObject, JsonValue][] = [
      ['n', { max: 5, min: 1 }, 3],
      ['t', { eq: 'x' }, 'x'],
      ['p', { prefix: '/a' }, '/a/b'],
      ['h', { host: 'x.com' }, 'a.x.com'],
      ['l', { count: 2 }, [1]],
      ['s', { max_length: 3 }, 'abc'],
    ]
    const others: JsonValue[] = [null, true, 7, 'text', [1, 2, 3, 4], { x: 1 }]
    fc.assert(
      fc.property(fc.subarray(wanted, { minLength: 1 }), fc.nat(), of(...others), (chosen, pick, other) => {
        const conditions = chosen.map(([arg, is]) => ({ arg, is }))
        const good = Object.fromEntries(chosen.map(([arg, , value]) => [arg, value]))
        const victim = chosen[pick % chosen.length]![0]
        expect(holdsAll(conditions, good).ok).toBe(true)
        const { [victim]: _, ...missing } = good
        expect(holdsAll(conditions, missing).ok).toBe(false)
        expect(holdsAll(conditions, missing, 'allow').ok).toBe(false)
        expect(holdsAll(conditions, { ...good, extra: other }).ok).toBe(false)
        if (typeof other !== typeof good[victim] || Array.isArray(other) !== Array.isArray(good[victim]))
          expect(holdsAll(conditions, { ...good, [victim]: other }).ok).toBe(false)
      }),
      runs,
    )
  })
})

// ---- policies

const tools = ['read', 'pay', 'risk:read', 'risk:financial', '*']
const policyIs = is.map(({ max_length, ...rest }) =>
  max_length === undefined ? rest : { maxLength: max_length },
) as fc.Arbitrary<JsonObject>
const when = fc.dictionary(of('a', 'b', '/o/x'), policyIs, { minKeys: 1, maxKeys: 2 })
type RuleDocument = { [name: string]: JsonValue }
const scope = {
  who: fc.subarray(['@bot', '@ana', 'tag:dev', 'group:ops', '*'], { minLength: 1 }),
  servers: fc.subarray(['s', 'z', '*'], { minLength: 1 }),
  tools: fc.subarray(tools, { minLength: 1, maxLength: 2 }),
}
const limits = of<JsonObject>({}, { calls: 3 }, { ttl_seconds: 5 }, { sums: { a: 1 } })
const allow = fc.record(
  { ...scope, effect: fc.constant('allow'), when, unnamed: of('allow', 'deny'), limits, off: fc.boolean() },
  { requiredKeys: ['who', 'servers', 'tools', 'effect'] },
)
const ask = fc.record(
  { ...scope, effect: fc.constant('ask'), when, unnamed: of('allow', 'deny'), limits, approvers: fc.constant(['@ana']) },
  { requiredKeys: ['who', 'servers', 'tools', 'effect', 'approvers'] },
)
const deny = fc.record({ ...scope, effect: fc.constant('deny'), when }, { requiredKeys: ['who', 'servers', 'tools', 'effect'] })
/** `unnamed` means nothing without `when`, so it goes where that is absent. */
const tidy = ({ unnamed, ...rule }: RuleDocument): RuleDocument =>
  rule.when === undefined || unnamed === undefined ? rule : { ...rule, unnamed }
const rule = (fc.oneof({ arbitrary: allow, weight: 3 }, ask, deny) as fc.Arbitrary<RuleDocument>).map(tidy)
const ruleList = fc.array(rule, { maxLength: 5 })
const allowList = fc.array((allow as fc.Arbitrary<RuleDocument>).map(tidy), { minLength: 1, maxLength: 3 })

const policyOf = (rules: readonly RuleDocument[]) =>
  parsePolicy(
    utf8(JSON.stringify({ v: 1, name: 'main', groups: { ops: ['@cy'] }, rules: rules.map((rule, i) => ({ id: `r${i}`, ...rule })) })),
  )
const subject: fc.Arbitrary<Subject> = fc.record({ atsign: of('@bot', '@ana', '@cy').map(parseAtSign), tags: fc.subarray(['dev', 'prod']) })
const action: fc.Arbitrary<Action> = fc.record({
  server: of('s', 'z', 'q'),
  tool: of('read', 'pay', 'other'),
  risk: of('read' as const, 'financial' as const, undefined),
  args: fc.oneof({ arbitrary: args, weight: 9 }, value),
})
const RANK: Record<Effect, number> = { deny: 0, ask: 1, allow: 2 }
const rank = (rules: readonly RuleDocument[], who: Subject, what: Action) => RANK[decide(policyOf(rules), who, what).effect]

describe('policies', () => {
  test('access deny means that every call is denied, and what decide allows, access allows', () => {
    const seen = { allow: 0, ask: 0, deny: 0 }
    fc.assert(
      fc.property(ruleList, subject, action, (rules, who, what) => {
        const policy = policyOf(rules)
        const reach = access(policy, who, what.server, what.tool, what.risk).effect
        const { effect } = decide(policy, who, what)
        seen[effect]++
        expect(RANK[reach]).toBeGreaterThanOrEqual(RANK[effect])
      }),
      { numRuns: 4_000 },
    )
    expect(Math.min(seen.allow, seen.ask, seen.deny)).toBeGreaterThan(40)
  })

  test('adding a deny rule anywhere never allows more', () => {
    fc.assert(
      fc.property(ruleList, deny as fc.Arbitrary<RuleDocument>, fc.nat(5), subject, action, (rules, more, at, who, what) => {
        expect(rank([...rules.slice(0, at), more, ...rules.slice(at)], who, what)).toBeLessThanOrEqual(rank(rules, who, what))
      }),
      runs,
    )
  })

  test('adding an ask rule never turns anything into allow', () => {
    fc.assert(
      fc.property(ruleList, (ask as fc.Arbitrary<RuleDocument>).map(tidy), subject, action, (rules, more, who, what) => {
        if (rank([...rules, more], who, what) === RANK.allow) expect(rank(rules, who, what)).toBe(RANK.allow)
      }),
      runs,
    )
  })

  test('first conditions for an allow rule, or more on an argument it names, never allow more', () => {
    fc.assert(
      fc.property(allowList, ruleList, when, policyIs, subject, action, ([first, ...allows], others, fresh, extra, who, what) => {
        const before = [first!, ...allows, ...others]
        const named = first!.when as JsonObject | undefined
        const [arg, had] = Object.entries(named ?? {})[0] ?? []
        const narrowed =
          arg === undefined ? { ...first!, when: fresh } : { ...first!, when: { ...named, [arg]: { ...extra, ...(had as JsonObject) } } }
        expect(rank([narrowed, ...allows, ...others], who, what)).toBeLessThanOrEqual(rank(before, who, what))
      }),
      runs,
    )
  })

  test('taking an allow rule away, or switching it off, never allows more; and off is like away', () => {
    fc.assert(
      fc.property(allowList, ruleList, subject, action, ([first, ...allows], others, who, what) => {
        const without = rank([...allows, ...others], who, what)
        expect(without).toBeLessThanOrEqual(rank([first!, ...allows, ...others], who, what))
        expect(rank([{ ...first!, off: true }, ...allows, ...others], who, what)).toBe(without)
      }),
      runs,
    )
  })

  test('the order of rules changes who decides, never what is decided', () => {
    fc.assert(
      fc.property(ruleList, subject, action, (rules, who, what) => {
        const forth = decide(policyOf(rules), who, what)
        const back = decide(policyOf([...rules].reverse()), who, what)
        expect([back.effect, back.requires]).toEqual([forth.effect, forth.requires])
      }),
      runs,
    )
  })

  test('the trace names as counted exactly the rules that mattered', () => {
    fc.assert(
      fc.property(ruleList, subject, action, (rules, who, what) => {
        const policy = policyOf(rules)
        const decision = decide(policy, who, what)
        const counted = decision.trace.filter((line) => line.counted)
        if (decision.effect === 'allow') expect(counted.every((line) => line.effect === 'allow')).toBe(true)
        if (decision.effect === 'allow') expect(counted[0]?.rule).toBe(decision.rule)
        if (counted.some((line) => line.effect === 'deny')) expect(decision.effect).toBe('deny')
      }),
      runs,
    )
  })

  test('a decision depends on nothing but its arguments and changes none of them', () => {
    fc.assert(
      fc.property(ruleList, subject, action, (rules, who, what) => {
        const policy = policyOf(rules)
        const before = JSON.stringify([who, what])
        expect(decide(policy, who, what)).toEqual(decide(policyOf(rules), structuredClone(who), structuredClone(what)))
        expect(JSON.stringify([who, what])).toBe(before)
      }),
      runs,
    )
  })
})
