import type { JsonValue } from '../bytes/json.ts'
import { isJsonObject } from '../bytes/json.ts'
import { refuse } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import type { NamedArguments } from './argument.ts'
import { argumentAt, findUnnamed, namedArguments, segmentsOf } from './argument.ts'
import type { ConditionName, Verdict } from './conditions.ts'
import { conditions, isConditionName } from './conditions.ts'

/** One condition on one argument. `parameter` has passed the condition's own `parse`. */
export interface Check {
  readonly arg: string
  readonly segments: readonly string[]
  readonly name: ConditionName
  readonly parameter: JsonValue
}

/** Whether an argument that no condition names may be there. */
export type Unnamed = 'allow' | 'deny'

/** All conditions of one rule or one grant: every check must hold. */
export interface Constraint {
  readonly checks: readonly Check[]
  readonly unnamed: Unnamed
  readonly named: NamedArguments
}

/**
 * What the arguments say to a constraint. `no`: a check definitely fails. `undecided`: none definitely fails, but one has no answer
 * (missing, mistyped, odd, unsupported). `unnamed`: all hold, but something else is there that may not be.
 */
export type Judgement =
  | { readonly kind: 'yes' }
  | { readonly kind: 'no'; readonly check: Check }
  | {
      readonly kind: 'undecided'
      readonly check: Check
      readonly verdict: Exclude<Verdict, 'holds' | 'fails'> | 'missing'
      readonly found?: string
    }
  | { readonly kind: 'unnamed'; readonly arg: string }

export const YES: Judgement = { kind: 'yes' }

export function createConstraint(checks: readonly Check[], unnamed: Unnamed): Constraint {
  return { checks, unnamed, named: namedArguments(checks.map((check) => check.segments)) }
}

/** Reads `{ "max": 50, "min": 1 }` for one argument. `spell` maps a name as written to a condition, or to nothing. */
export function parseChecks(
  arg: string,
  is: JsonValue,
  path: string,
  spell: (name: string) => ConditionName | undefined,
): readonly Check[] {
  if (!isJsonObject(is) || Object.keys(is).length === 0) return refuse(path, 'expected an object with at least one condition')
  const segments = segmentsOf(arg)
  return Object.entries(is).map(([written, value]) => {
    const name = spell(written)
    if (name === undefined) throw new VerifyError('UNKNOWN_FIELD', `${path}.${written}: unknown condition; there are ${KNOWN}`)
    return { arg, segments, name, parameter: conditions[name].parse(value, `${path}.${written}`) }
  })
}
const KNOWN = Object.keys(conditions).join(', ')
/** Conditions as a policy spells them. */
export const policySpelling = (name: string): ConditionName | undefined => (isConditionName(name) ? name : undefined)

/** Total and pure. A constraint without checks says yes to anything. */
export function judge(constraint: Constraint, args: JsonValue): Judgement {
  if (constraint.checks.length === 0) return YES
  let undecided: Judgement | undefined
  for (const check of constraint.checks) {
    const judged = judgeCheck(check, args)
    if (judged.kind === 'no') return judged
    if (judged.kind === 'undecided') undecided ??= judged
  }
  if (undecided !== undefined) return undecided
  const arg = findUnnamed(constraint.named, args, constraint.unnamed === 'allow')
  return arg === undefined ? YES : { kind: 'unnamed', arg }
}

function judgeCheck(check: Check, args: JsonValue): Judgement {
  const value = argumentAt(args, check.segments)
  if (value === undefined) return { kind: 'undecided', check, verdict: 'missing' }
  const verdict = conditions[check.name].holds(check.parameter, value)
  if (verdict === 'holds') return YES
  if (verdict === 'fails') return { kind: 'no', check }
  return { kind: 'undecided', check, verdict, found: wordFor(value) }
}

/**
 * Why not, in words. Never repeats an argument's value: traces are logged, shown and receipted, arguments are not.
 * Names of arguments are repeated, shortened and quoted, because they are the caller's.
 */
export function sayJudgement(judgement: Judgement): string {
  if (judgement.kind === 'yes') return 'yes'
  if (judgement.kind === 'unnamed') return `${sayName(judgement.arg)} is not named by its conditions`
  const { check } = judgement
  const must = `${sayName(check.arg)} must be ${conditions[check.name].phrase(check.parameter)}`
  if (judgement.kind === 'no') return must
  if (judgement.verdict === 'missing') return `${must}; it is missing`
  if (judgement.verdict === 'mistyped') return `${must}; it is ${judgement.found}`
  return judgement.verdict === 'odd' ? `${must}; it is not plain enough to decide` : must
}

const PLAIN_NAME = /^[A-Za-z0-9_./~-]{1,80}$/
const sayName = (name: string): string => (PLAIN_NAME.test(name) ? name : JSON.stringify(printable(name.slice(0, 80))))
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '�')

function wordFor(value: JsonValue): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return { string: 'text', number: 'a number', boolean: 'true or false', object: 'an object' }[typeof value as string] ?? 'something else'
}
