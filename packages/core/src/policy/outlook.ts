import type { RiskClass } from '../statement/names.ts'
import type { Subject } from './action.ts'
import { isNarrowerConstraint } from './attenuation.ts'
import type { Constraint } from './check.ts'
import type { Effect, Policy, Rule } from './document.ts'
import { rulesFor, scopeOf } from './scope.ts'

/** `none` and `all` are proven for every arguments object; `some` is what is left: some arguments, or a combination nobody can send. */
export type Share = 'none' | 'some' | 'all'
export type Outlook = { readonly [effect in Effect]: Share }

/** A rule that can have a say about one tool, as far as the effect of a call depends on it. */
interface Voice {
  readonly rule: Rule
  readonly effect: Effect
  readonly when: Constraint
  /** False for a rule that only restricts: the tool has no risk class, or the rule limits a sum. */
  readonly permits: boolean
  readonly isUnconditional: boolean
}

/** All that the effect of a call of one tool by one agent depends on, besides its arguments. */
export interface Prospect {
  readonly outlook: Outlook
  /** The first rule that could permit a call, or the one that denies every call. */
  readonly rule?: Pick<Rule, 'id' | 'line'>
  readonly voices: readonly Voice[]
}

/**
 * What becomes of calls of one tool, over all arguments at once: whether none, some or all of them are allowed, asked about, denied.
 * Arguments are JSON objects; anything else is denied by `decide` in any case. Does NOT look at limits, approvers or requirements.
 * @see packages/core/spec/policy.md §10
 */
export function prospect(policy: Policy, subject: Subject, server: string, tool: string, risk: RiskClass | undefined): Prospect {
  const target = { server, tool, risk }
  const voices = [...new Set(rulesFor(policy.plan, target).flat())]
    .sort((a, b) => a.index - b.index)
    .flatMap((rule): Voice[] => {
      const scope = scopeOf(rule, subject, target)
      if (scope !== 'in' && scope !== 'unsure') return []
      const isUnconditional = rule.when.checks.length === 0
      return [
        { rule, effect: rule.effect, when: rule.when, permits: rule.effect !== 'deny' && scope === 'in' && !rule.sums, isUnconditional },
      ]
    })
  const outlook = outlookOf(voices)
  const rule = (outlook.deny === 'all' ? voices.find(deniesAll) : voices.find(({ permits }) => permits))?.rule
  return { outlook, voices, ...(rule ? { rule: { id: rule.id, line: rule.line } } : {}) }
}

const deniesAll = ({ effect, isUnconditional }: Voice): boolean => effect === 'deny' && isUnconditional

/** With `{}` every condition is about something missing: only rules without conditions permit, and every rule that restricts does. */
function outlookOf(voices: readonly Voice[]): Outlook {
  if (voices.some(deniesAll)) return DENIED
  const denies = voices.some(({ effect }) => effect === 'deny')
  const asking = voices.filter(({ effect, permits }) => effect === 'ask' && permits)
  const restrains = voices.filter(({ effect }) => effect === 'ask')
  const allowing = voices.filter(({ effect, permits }) => effect === 'allow' && permits)
  const ask: Share = asking.length === 0 ? 'none' : !denies && asking.some(({ isUnconditional }) => isUnconditional) ? 'all' : 'some'
  const isAllowed = allowing.length > 0 && !restrains.some(({ isUnconditional }) => isUnconditional)
  const isAlwaysAllowed = !denies && restrains.length === 0 && allowing.some(({ isUnconditional }) => isUnconditional)
  const allow: Share = !isAllowed ? 'none' : isAlwaysAllowed ? 'all' : 'some'
  const deny: Share = allow === 'all' || ask === 'all' ? 'none' : allow === 'none' && ask === 'none' ? 'all' : 'some'
  return { allow, ask, deny }
}
const DENIED: Outlook = { allow: 'none', ask: 'none', deny: 'all' }
export const NOTHING: Prospect = { outlook: DENIED, voices: [] }

/**
 * Whether it is proven that no arguments fare better under `after` than under `before` (deny < ask < allow). Sound; not complete: rules
 * are compared one by one, and conditions as `isNarrower` does.
 */
export function gainsNothing(before: Prospect, after: Prospect): boolean {
  if (after.outlook.deny === 'all' || before.outlook.allow === 'all') return true
  if (before.outlook.ask === 'all' && after.outlook.allow === 'none') return true
  return restrictsAsMuch(before, after) && permitsNoMore(before, after)
}

/** Whatever kept a call from being permitted before still does. */
function restrictsAsMuch(before: Prospect, after: Prospect): boolean {
  return before.voices.every(({ effect, when }) => {
    if (effect === 'allow') return true
    return after.voices.some((other) => other.effect === effect && isSame(other.when, when))
  })
}

function permitsNoMore(before: Prospect, after: Prospect): boolean {
  const mayAsk = before.voices.some(({ effect }) => effect === 'ask')
  return after.voices.every((voice) => {
    if (!voice.permits) return true
    // One that asks now was at best asked about before; an allow rule that something restrained would have been denied.
    const isMatch = (other: Voice) =>
      other.permits &&
      (other.effect === voice.effect || (voice.effect === 'ask' && !mayAsk)) &&
      isNarrowerConstraint(voice.when, other.when)
    return before.voices.some(isMatch)
  })
}

const isSame = (a: Constraint, b: Constraint): boolean => a === b || signatureOf(a) === signatureOf(b)
const signatures = new WeakMap<Constraint, string>()
function signatureOf(constraint: Constraint): string {
  const known = signatures.get(constraint)
  if (known !== undefined) return known
  const checks = constraint.checks.map(({ segments, name, parameter }) => JSON.stringify([segments, name, parameter])).sort()
  const made = JSON.stringify([constraint.checks.length === 0 ? '' : constraint.unnamed, checks])
  signatures.set(constraint, made)
  return made
}
