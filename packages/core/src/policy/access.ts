import type { RiskClass } from '../statement/names.ts'
import type { Subject } from './action.ts'
import { DEFAULT_TTL_SECONDS } from './compile.ts'
import type { Effect, Limits, Policy, Rule } from './document.ts'
import { rulesFor, scopeOf } from './scope.ts'

/** The best that some arguments could get. */
export interface Access {
  readonly effect: Effect
  /**
   * For a grant: the shortest lifetime of the rules that could decide, and the most calls of any, if all of them have a limit.
   * What each call may do is decided and counted again when it comes.
   */
  readonly limits: Limits
  /** The first rule that could permit it, or the one that denies whatever the arguments are. */
  readonly rule?: string
}

/**
 * Whether any arguments at all could be allowed, or allowed after asking: for tools/list and for issuing grants. It may promise
 * too much (it does not ask whether conditions can be satisfied), never too little: `deny` here means that `decide` denies every
 * call, and a call that `decide` allows has `allow` here.
 * @see packages/core/spec/policy.md §8
 */
export function access(policy: Policy, subject: Subject, server: string, tool: string, risk: RiskClass | undefined): Access {
  const target = { server, tool, risk }
  const about = rulesFor(policy.plan, target).flatMap((list) => list.map((rule) => ({ rule, scope: scopeOf(rule, subject, target) })))
  const rules = about.filter(({ scope }) => scope === 'in').map(({ rule }) => rule)
  const restricting = about
    .filter(({ rule, scope }) => isUnconditional(rule) && (scope === 'in' || scope === 'unsure'))
    .map(({ rule }) => rule)
  const denying = restricting.find((rule) => rule.effect === 'deny')
  if (denying) return { effect: 'deny', limits: DEFAULT_LIMITS, rule: denying.id }
  const asking = permitting(rules, 'ask')
  const allowing = restricting.some((rule) => rule.effect === 'ask') ? [] : permitting(rules, 'allow')
  const first = allowing[0] ?? asking[0]
  if (first === undefined) return { effect: 'deny', limits: DEFAULT_LIMITS }
  return { effect: first.effect, limits: grantLimits([...allowing, ...asking]), rule: first.id }
}

const DEFAULT_LIMITS: Limits = { ttlSeconds: DEFAULT_TTL_SECONDS }
const isUnconditional = (rule: Rule): boolean => rule.when.checks.length === 0

const permitting = (rules: readonly Rule[], effect: Effect): readonly Rule[] =>
  rules.filter((rule) => rule.effect === effect && !rule.sums).sort((a, b) => a.index - b.index)

function grantLimits(rules: readonly Rule[]): Limits {
  const ttlSeconds = Math.min(...rules.map((rule) => rule.limits.ttlSeconds))
  const calls = rules.map((rule) => rule.limits.calls ?? Number.POSITIVE_INFINITY)
  const most = Math.max(...calls)
  return Number.isFinite(most) ? { ttlSeconds, calls: most } : { ttlSeconds }
}
