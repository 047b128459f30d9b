import type { JsonValue } from '../bytes/json.ts'
import type { Shape } from '../bytes/shape.ts'
import { integer, list, refuse } from '../bytes/shape.ts'
import { hostOf, isAtOrBelow, isHost } from './host.ts'
import { isNormalPath, isWithin } from './path.ts'

/**
 * `holds` and `fails` are answers. The rest mean that there is none, and are never taken for a yes: the argument is of another
 * type (`mistyped`), could be read in two ways (`odd`), or the condition is one that this version cannot evaluate (`unsupported`).
 */
export type Verdict = 'holds' | 'fails' | 'mistyped' | 'odd' | 'unsupported'

/** All about one kind of condition. `P` is the parameter as it stands in the document. */
export interface Condition<P extends JsonValue = JsonValue> {
  /** For a menu. */
  readonly label: string
  /** A parameter that shows how it is written. */
  readonly example: P
  /** Ends the sentence "amount must be …". */
  phrase(parameter: P): string
  readonly parse: Shape<P>
  /** Total, pure, linear in the size of the value. `value` is attacker-controlled. */
  holds(parameter: P, value: JsonValue): Verdict
  /** Whether every value that `child` accepts is accepted by `parent`. */
  narrower(child: P, parent: P): boolean
}

type Scalar = string | number | boolean | null
const scalar: Shape<Scalar> = (value, path) => {
  if (typeof value === 'string') return value.length <= 4096 ? value : refuse(path, 'longer than 4096 characters')
  if (typeof value === 'number') return number(value, path)
  return value === null || typeof value === 'boolean' ? value : refuse(path, 'expected text, a number, true, false or null')
}
const number = (value: JsonValue, path: string): number =>
  isSafeNumber(value) ? value : refuse(path, 'expected a number; integers within ±(2^53−1)')

/** A double that stands for one number: finite, and not an integer so large that it has neighbours in common. */
const isSafeNumber = (value: JsonValue): value is number =>
  typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER

/** Parameters are repeated to whoever is refused, so their length is bounded. */
const quoted = (value: Scalar): string => {
  if (typeof value !== 'string') return `${value}`
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
}
const quotedList = (values: readonly Scalar[]): string =>
  values.slice(0, 8).map(quoted).join(', ') + (values.length > 8 ? ` and ${values.length - 8} more` : '')
const kindOf = (value: JsonValue): string => (value === null ? 'null' : typeof value)

/** Decimal text for a bound with a fraction, since signed payloads hold integers only. */
type Bound = number | string
const DECIMAL = /^-?(?:0|[1-9]\d{0,14})\.\d{1,9}$/
const bound: Shape<Bound> = (value, path) => (typeof value === 'string' && DECIMAL.test(value) ? value : number(value, path))

/** Numbers are compared as IEEE doubles, the form in which every argument has been parsed. */
function compare(value: JsonValue, isWithinBound: (n: number) => boolean): Verdict {
  if (typeof value !== 'number') return 'mistyped'
  if (!isSafeNumber(value)) return 'odd'
  return isWithinBound(value) ? 'holds' : 'fails'
}
const MAX_SIZE = 1_048_576
const size = integer(0, MAX_SIZE)
const hasAtMost = (text: string, max: number): boolean => {
  if (text.length <= max) return true
  let points = 0
  for (const _ of text) if (++points > max) return false
  return true
}

const path: Shape<string> = (value, where) =>
  typeof value === 'string' && isNormalPath(value) ? value : refuse(where, 'expected a path like /notes or a/b, in normal form')
const host: Shape<string> = (value, where) =>
  typeof value === 'string' && isHost(value) ? value : refuse(where, 'expected a host name in lower case, such as example.com')

/** Erases the parameter's type: the table's readers hold it as JSON that its own `parse` has accepted. */
const condition = <P extends JsonValue>(entry: Condition<P>): Condition => entry as unknown as Condition

/**
 * Every kind of condition there is. To add one, add an entry and `test/vectors/policy/<name>.json`; editor, signer and CLI render
 * from the entry. Read it by an untrusted name only through `isConditionName`.
 * @see packages/core/spec/policy.md §5
 */
const table = {
  eq: condition<Scalar>({
    label: 'exactly',
    example: 'EUR',
    phrase: (value) => `exactly ${quoted(value)}`,
    parse: scalar,
    holds: (expected, value) => (kindOf(value) !== kindOf(expected) ? 'mistyped' : value === expected ? 'holds' : 'fails'),
    narrower: (child, parent) => child === parent,
  }),
  in: condition<readonly Scalar[]>({
    label: 'one of',
    example: ['EUR', 'USD'],
    phrase: (values) => `one of ${quotedList(values)}`,
    parse: list(scalar, 256, 1),
    holds(allowed, value) {
      if (allowed.some((item) => item === value)) return 'holds'
      return allowed.some((item) => kindOf(item) === kindOf(value)) ? 'fails' : 'mistyped'
    },
    narrower: (child, parent) => child.every((item) => parent.includes(item)),
  }),
  min: condition<Bound>({
    label: 'at least',
    example: 1,
    phrase: (least) => `a number of at least ${least}`,
    parse: bound,
    holds: (least, value) => compare(value, (n) => n >= Number(least)),
    narrower: (child, parent) => Number(child) >= Number(parent),
  }),
  max: condition<Bound>({
    label: 'at most',
    example: 500,
    phrase: (most) => `a number of at most ${most}`,
    parse: bound,
    holds: (most, value) => compare(value, (n) => n <= Number(most)),
    narrower: (child, parent) => Number(child) <= Number(parent),
  }),
  maxLength: condition<number>({
    label: 'text no longer than',
    example: 200,
    phrase: (most) => `text of at most ${most} characters`,
    parse: size,
    holds: (most, value) => (typeof value !== 'string' ? 'mistyped' : hasAtMost(value, most) ? 'holds' : 'fails'),
    narrower: (child, parent) => child <= parent,
  }),
  prefix: condition<string>({
    label: 'a path within',
    example: '/notes',
    phrase: (root) => `within ${root}, as a plain path`,
    parse: path,
    holds(root, value) {
      if (typeof value !== 'string') return 'mistyped'
      if (!isNormalPath(value)) return 'odd'
      return isWithin(root, value) ? 'holds' : 'fails'
    },
    narrower: (child, parent) => isWithin(parent, child),
  }),
  host: condition<string>({
    label: 'a host at or below',
    example: 'example.com',
    phrase: (domain) => `a host at or below ${domain}, or a plain http or https URL with one`,
    parse: host,
    holds(domain, value) {
      if (typeof value !== 'string') return 'mistyped'
      const found = hostOf(value)
      if (found === undefined) return 'odd'
      return isAtOrBelow(domain, found) ? 'holds' : 'fails'
    },
    narrower: (child, parent) => isAtOrBelow(parent, child),
  }),
  count: condition<number>({
    label: 'a list no longer than',
    example: 10,
    phrase: (most) => `a list of at most ${most} items`,
    parse: size,
    holds: (most, value) => (!Array.isArray(value) ? 'mistyped' : value.length <= most ? 'holds' : 'fails'),
    narrower: (child, parent) => child <= parent,
  }),
  // Counting across calls needs a gateway's memory. Until it has one, this never holds.
  sum: condition<Bound>({
    label: 'in total at most',
    example: 1000,
    phrase: (most) => `a number that keeps the total at or below ${most}, which this version cannot count`,
    parse: bound,
    holds: () => 'unsupported',
    narrower: (child, parent) => Number(child) <= Number(parent),
  }),
}

export type ConditionName = keyof typeof table
export const conditions: Readonly<Record<ConditionName, Condition>> = table
export const isConditionName = (name: string): name is ConditionName => Object.hasOwn(table, name)
export const CONDITION_NAMES = Object.keys(table) as readonly ConditionName[]
