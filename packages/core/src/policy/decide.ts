import type { JsonValue } from '../bytes/json.ts'
import { isJsonObject } from '../bytes/json.ts'
import type { AtSign } from '../key/atsign.ts'
import type { Action, Subject } from './action.ts'
import { argumentsOf } from './action.ts'
import type { Judgement } from './check.ts'
import { judge, sayJudgement } from './check.ts'
import { DEFAULT_TTL_SECONDS } from './compile.ts'
import type { Effect, Limits, OutputMode, Policy, Requirement, Rule } from './document.ts'
import { rulesFor, scopeOf } from './scope.ts'
import type { TraceLine } from './trace.ts'
import { traceRules } from './trace.ts'

/** ARGUMENT_REFUSED: a rule names this agent and tool, but not with these arguments. POLICY_DENIED: everything else. */
export type DecisionCode = 'ALLOWED' | 'ASK' | 'POLICY_DENIED' | 'ARGUMENT_REFUSED' | 'SUM_UNSUPPORTED'

/** Who may approve one call: never the caller itself. Empty = nobody, so it ends in a refusal. */
export type Approvers = readonly AtSign[]

export interface Decision {
  readonly effect: Effect
  readonly code: DecisionCode
  /** The deciding rule, or the one that came nearest. Absent when no rule has anything to do with the call. */
  readonly rule?: string
  readonly line?: number
  /** One sentence for people. Repeats no argument's value. */
  readonly why: string
  /** Of the deciding rule; the defaults for a refusal. */
  readonly limits: Limits
  /** Steps the gateway must have to run this: of every rule that permits the call. It refuses what it does not have. */
  readonly requires: readonly Requirement[]
  /** With requirement `output`: the strictest that a rule which permits the call asks for. */
  readonly output?: OutputMode
  /** With effect `ask` only. */
  readonly approvers?: Approvers
  /** With effect `ask` only: how long the call waits for one of them. */
  readonly waitSeconds?: number
  /** Every rule in order, and why it did or did not count. Made when first read, since most decisions are never explained. */
  readonly trace: readonly TraceLine[]
}

/** A rule that is about this agent and tool, with what the arguments say to it. */
interface Hit {
  readonly rule: Rule
  readonly judgement: Judgement
  /** False when only the lack of a risk class brought the rule in. */
  readonly sure: boolean
}
/** The first hit, in document order, of each kind that matters. */
interface Found {
  denies?: Hit
  /** An ask rule whose conditions hold or cannot be decided: from now on nothing is simply allowed. */
  restrains?: Hit
  asks?: Hit
  allows?: Hit
  /** A rule that would have permitted the call with other arguments. */
  nearly?: Hit
  requires: Set<Requirement> | undefined
  output: OutputMode | undefined
}

/**
 * Decides one call. Pure and total: a refusal is a decision. Deny wins over ask, ask over allow, nothing matches = deny; between
 * rules of one effect the earlier one decides. Where a condition cannot be decided, a rule that permits does not count and a rule
 * that restricts does. Does NOT count limits, check grants, or know whether the tool is pinned.
 * @see packages/core/spec/policy.md §7
 */
export function decide(policy: Policy, subject: Subject, action: Action): Decision {
  const args = argumentsOf(action)
  const about = [policy, subject, action] as const
  if (!isJsonObject(args))
    return new MadeDecision(about, 'deny', 'ARGUMENT_REFUSED', undefined, 'the arguments are not an object', undefined)
  const found = consider(policy, subject, action, args)
  const { denies, restrains, asks, allows, nearly } = found
  const done = (effect: Effect, code: DecisionCode, hit: Hit | undefined, why: string) =>
    new MadeDecision(about, effect, code, hit?.rule, why, effect === 'deny' ? undefined : found)
  if (denies) return done('deny', 'POLICY_DENIED', denies, sayDenial(denies))
  if (asks) return done('ask', 'ASK', asks, `${sayRule(asks.rule)} asks a person`)
  if (restrains) return done('deny', codeOf(restrains), restrains, `${sayRule(restrains.rule)}: ${sayHit(restrains)}`)
  if (allows) return done('allow', 'ALLOWED', allows, `${sayRule(allows.rule)} allows it`)
  if (nearly) return done('deny', codeOf(nearly), nearly, `${sayRule(nearly.rule)}: ${sayHit(nearly)}`)
  return done('deny', 'POLICY_DENIED', undefined, 'no rule allows this agent to call this tool')
}

function consider(policy: Policy, subject: Subject, action: Action, args: JsonValue): Found {
  const found: Found = { requires: undefined, output: undefined }
  for (const rules of rulesFor(policy.plan, action)) {
    for (const rule of rules) {
      const scope = scopeOf(rule, subject, action)
      if (scope === 'in' || scope === 'unsure') note(found, { rule, judgement: judge(rule.when, args), sure: scope === 'in' })
    }
  }
  return found
}

function note(found: Found, hit: Hit): void {
  const { effect } = hit.rule
  if (effect === 'deny') {
    if (restricts(hit.judgement)) keep(found, 'denies', hit)
    return
  }
  const permits = hit.judgement.kind === 'yes' && hit.sure && !hit.rule.sums
  if (effect === 'ask' && restricts(hit.judgement)) keep(found, 'restrains', hit)
  keep(found, permits ? (effect === 'ask' ? 'asks' : 'allows') : 'nearly', hit)
  if (!permits) return
  if (hit.rule.requires.length > 0) found.requires = new Set([...(found.requires ?? []), ...hit.rule.requires])
  if (hit.rule.output === 'refuse' || found.output === undefined) found.output = hit.rule.output ?? found.output
}

/** Unnamed arguments do not take a call out of a restriction: only a condition that definitely fails does. */
const restricts = (judgement: Judgement): boolean => judgement.kind !== 'no'

function keep(found: Found, kind: 'denies' | 'restrains' | 'asks' | 'allows' | 'nearly', hit: Hit): void {
  const known = found[kind]
  if (known === undefined || hit.rule.index < known.rule.index) found[kind] = hit
}

function codeOf({ rule, judgement, sure }: Hit): DecisionCode {
  if (!sure) return 'POLICY_DENIED'
  const isUnsupported = judgement.kind === 'yes' ? rule.sums : judgement.kind === 'undecided' && judgement.verdict === 'unsupported'
  return isUnsupported ? 'SUM_UNSUPPORTED' : 'ARGUMENT_REFUSED'
}

const sayRule = (rule: Rule): string => `rule ${rule.id} (line ${rule.line})`
function sayHit({ rule, judgement, sure }: Hit): string {
  if (!sure) return 'the tool has no risk class'
  return judgement.kind === 'yes' && rule.sums ? 'it limits a total, which this version cannot count' : sayJudgement(judgement)
}
const sayDenial = (hit: Hit): string =>
  `${sayRule(hit.rule)} denies it${hit.sure && hit.judgement.kind !== 'undecided' ? '' : `, since ${sayHit(hit)}`}`

const NOTHING_REQUIRED: readonly Requirement[] = []
const DEFAULT_LIMITS: Limits = { ttlSeconds: DEFAULT_TTL_SECONDS }

/** A class with its members always in one order: a gateway makes one for every call, and putting an object together costs more. */
class MadeDecision implements Decision {
  readonly effect: Effect
  readonly code: DecisionCode
  declare readonly rule?: string
  declare readonly line?: number
  readonly why: string
  readonly limits: Limits
  readonly requires: readonly Requirement[]
  declare readonly output?: OutputMode
  declare readonly approvers?: Approvers
  declare readonly waitSeconds?: number
  readonly #about: readonly [Policy, Subject, Action]
  #trace: readonly TraceLine[] | undefined

  constructor(
    about: readonly [Policy, Subject, Action],
    effect: Effect,
    code: DecisionCode,
    rule: Rule | undefined,
    why: string,
    permitted: Pick<Found, 'requires' | 'output'> | undefined,
  ) {
    this.effect = effect
    this.code = code
    this.why = why
    this.limits = effect === 'deny' || rule === undefined ? DEFAULT_LIMITS : rule.limits
    this.requires = permitted?.requires === undefined ? NOTHING_REQUIRED : [...permitted.requires].sort()
    if (permitted?.output !== undefined) this.output = permitted.output
    this.#about = about
    if (rule === undefined) return
    this.rule = rule.id
    this.line = rule.line
    if (effect !== 'ask' || !rule.approvers) return
    this.approvers = approversOf(rule.approvers, about[1])
    this.waitSeconds = rule.approvers.waitSeconds
  }

  get trace(): readonly TraceLine[] {
    this.#trace ??= traceRules(...this.#about)
    return this.#trace
  }
}

/** The owner counts only where the rule says so, even when named: their own agent's call is not theirs to wave through. */
function approversOf({ atsigns, owner }: NonNullable<Rule['approvers']>, subject: Subject): Approvers {
  const others = atsigns.filter((name) => name !== subject.atsign && name !== subject.owner)
  return owner && subject.owner !== undefined && subject.owner !== subject.atsign ? [...others, subject.owner].sort() : others
}
