import type { JsonObject, JsonValue } from '../bytes/json.ts'
import { isJsonObject } from '../bytes/json.ts'
import type { Shape } from '../bytes/shape.ts'
import { list, object } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import { argumentName, passesUnnamed } from './argument.ts'
import type { Check, Constraint, Unnamed } from './check.ts'
import { createConstraint, judge, parseChecks, sayJudgement } from './check.ts'
import type { ConditionName } from './conditions.ts'
import { conditions, isConditionName } from './conditions.ts'

/** Conditions on one argument as a grant carries them: `{ arg: "amount", is: { max: 50 } }`. All members of `is` must hold. */
export type ArgCondition = { readonly arg: string; readonly is: JsonObject }

/** The arguments that a detail of an ask or grant permits. No conditions at all = any arguments; else unnamed ones are refused. */
export interface Attenuation {
  readonly args: readonly ArgCondition[]
  readonly unnamed?: Unnamed
}

/** Signed payloads have no capitals in names, so one condition is spelled differently there. */
const grantSpelling = (name: string): ConditionName | undefined =>
  name === 'max_length' ? 'maxLength' : name !== 'maxLength' && isConditionName(name) ? name : undefined

const isShape: Shape<JsonObject> = (value, path) => {
  parseChecks('x', value, path, grantSpelling)
  return value as JsonObject
}
/**
 * The `args` of a detail: at most 32, each condition's parameter checked.
 * @throws {VerifyError} MALFORMED, UNKNOWN_FIELD
 * @see packages/core/spec/policy.md §6
 */
export const argConditions: Shape<readonly ArgCondition[]> = list(object({ arg: argumentName, is: isShape }), 32)

/** @throws {VerifyError} for conditions that `argConditions` refuses. */
function constraintOf({ args, unnamed = 'deny' }: Attenuation): Constraint {
  const checks = args.flatMap(({ arg, is }) => parseChecks(argumentName(arg, 'arg'), is, arg, grantSpelling))
  return createConstraint(checks, unnamed)
}

/** Grants are used many times; what they compile to depends on nothing else, so remembering it changes no answer. */
const compiled = new WeakMap<readonly ArgCondition[], Constraint>()
function constraintFor(args: readonly ArgCondition[], unnamed: Unnamed): Constraint {
  const known = compiled.get(args)
  if (known?.unnamed === unnamed) return known
  const constraint = constraintOf({ args, unnamed })
  compiled.set(args, constraint)
  return constraint
}

/** `reason` is for people and repeats no value. */
export type Holding = { readonly ok: true } | { readonly ok: false; readonly reason: string }

/**
 * Whether the arguments of a call satisfy the conditions of its grant. Missing, mistyped and unnamed arguments refuse, and so do
 * conditions that cannot be read. `args` is the parsed object that will be forwarded; `undefined` counts as `{}`.
 */
export function holdsAll(conditionList: readonly ArgCondition[], args: JsonValue | undefined, unnamed: Unnamed = 'deny'): Holding {
  const value = args === undefined ? {} : args
  if (!isJsonObject(value)) return { ok: false, reason: 'the arguments are not an object' }
  try {
    const judgement = judge(constraintFor(conditionList, unnamed), value)
    return judgement.kind === 'yes' ? { ok: true } : { ok: false, reason: sayJudgement(judgement) }
  } catch (error) {
    if (error instanceof VerifyError) return { ok: false, reason: `a condition cannot be read: ${error.message}` }
    throw error
  }
}

/**
 * child ⊑ parent: everything the child allows, the parent allows. Decidable because both are conjunctions. Sound, and complete up
 * to conditions of different kinds that imply each other (only `eq` and `in` are tried against other kinds).
 * @throws {VerifyError} for conditions that `argConditions` refuses.
 */
export function isNarrower(child: Attenuation, parent: Attenuation): boolean {
  return isNarrowerConstraint(constraintOf(child), constraintOf(parent))
}

/** The same between constraints as rules have them. */
export function isNarrowerConstraint(inner: Constraint, outer: Constraint): boolean {
  if (outer.checks.length === 0) return true
  return namesFit(inner, outer) && outer.checks.every((check) => implies(sameArgument(inner, check), check))
}

/** The parent refuses what it does not name, so the child must name exactly the same; unless the parent lets others through. */
function namesFit(inner: Constraint, outer: Constraint): boolean {
  const innerNames = namesOf(inner)
  const outerNames = namesOf(outer)
  if (![...outerNames].every((name) => innerNames.has(name))) return false
  if (outer.unnamed === 'deny') return inner.unnamed === 'deny' && innerNames.size === outerNames.size
  return inner.checks.every((check) => outerNames.has(nameOf(check)) || passesUnnamed(outer.named, check.segments))
}
const nameOf = (check: Check): string => JSON.stringify(check.segments)
const namesOf = (constraint: Constraint): ReadonlySet<string> => new Set(constraint.checks.map(nameOf))
const sameArgument = (constraint: Constraint, check: Check) => constraint.checks.filter((other) => nameOf(other) === nameOf(check))

/** Whether the conjunction `given`, all on one argument, leaves only values that `wanted` accepts. */
function implies(given: readonly Check[], wanted: Check): boolean {
  const values = finiteValues(given)
  if (values) return values.every((value) => conditions[wanted.name].holds(wanted.parameter, value) === 'holds')
  return given.some((check) => check.name === wanted.name && conditions[wanted.name].narrower(check.parameter, wanted.parameter))
}

/** The values that remain when one of the checks lists them, else `undefined`. */
function finiteValues(given: readonly Check[]): readonly JsonValue[] | undefined {
  const lists = given.find((check) => check.name === 'eq' || check.name === 'in')
  if (lists === undefined) return undefined
  const values = lists.name === 'eq' ? [lists.parameter] : (lists.parameter as readonly JsonValue[])
  return values.filter((value) => given.every((check) => conditions[check.name].holds(check.parameter, value) === 'holds'))
}
