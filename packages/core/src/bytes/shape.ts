import { VerifyError } from '../errors.ts'
import { decodeBase64url } from './base64url.ts'
import { isSafeText, parseSigned } from './canonical.ts'
import type { JsonLimits, JsonObject, JsonValue } from './json.ts'
import { isJsonObject } from './json.ts'

/**
 * Reads one part of a parsed object, or throws with its path (`body.keys[2].alg`). Closed: what a shape does not name is
 * refused. A shape may return something else than it was given, e.g. a branded string.
 */
export type Shape<T> = (value: JsonValue, path: string) => T
export type Infer<S> = S extends Shape<infer T> ? T : never
type Fields = { readonly [name: string]: Shape<unknown> }
type Read<R extends Fields, O extends Fields> = { [K in keyof R]: Infer<R[K]> } & { [K in keyof O]?: Infer<O[K]> }

/** The whole way from signed bytes to a typed object: `parseSigned`, then the shape. */
export const parseObject = <T>(bytes: Uint8Array, shape: Shape<T>, limits?: Partial<JsonLimits>): T => shape(parseSigned(bytes, limits), '')

/** For shapes written by hand: refuses with the path in front. */
export function refuse(path: string, message: string): never {
  throw new VerifyError('MALFORMED', `${path || 'value'}: ${message}`)
}
const under = (path: string, name: string) => (path ? `${path}.${name}` : name)

/** An object with exactly these fields, the optional ones perhaps absent (never null). UNKNOWN_FIELD for any other. */
export function object<R extends Fields, O extends Fields = Record<never, never>>(required: R, optional?: O): Shape<Read<R, O>> {
  const names = Object.keys(required)
  const all: Fields = { ...required, ...optional }
  return (value, path) => {
    if (!isJsonObject(value)) return refuse(path, 'expected an object')
    const result: Record<string, unknown> = {}
    for (const name of Object.keys(value)) {
      if (!Object.hasOwn(all, name)) throw new VerifyError('UNKNOWN_FIELD', `${under(path, name)}: unknown field`)
      result[name] = all[name]!(value[name]!, under(path, name))
    }
    for (const name of names) if (!Object.hasOwn(result, name)) refuse(under(path, name), 'missing')
    return result as Read<R, O>
  }
}

/** One of several objects, told apart by the string in field `tag`. Each shape lists that field too. */
export function tagged<T extends { readonly [tag: string]: Shape<unknown> }>(tag: string, shapes: T): Shape<Infer<T[keyof T]>> {
  return (value, path) => {
    if (!isJsonObject(value)) return refuse(path, 'expected an object')
    const kind = Object.hasOwn(value, tag) ? value[tag] : undefined
    if (typeof kind !== 'string' || !Object.hasOwn(shapes, kind)) {
      return refuse(under(path, tag), `expected one of ${Object.keys(shapes).join(', ')}`)
    }
    return shapes[kind]!(value, path) as Infer<T[keyof T]>
  }
}

/** A documented map: names match `name`, at most `max` entries. Not usable in `parseSigned` payloads beyond their name grammar. */
export function mapOf<T>(name: RegExp, shape: Shape<T>, max: number): Shape<{ readonly [name: string]: T }> {
  return (value, path) => {
    if (!isJsonObject(value)) return refuse(path, 'expected an object')
    const entries = Object.entries(value as JsonObject)
    if (entries.length > max) refuse(path, `more than ${max} entries`)
    for (const [key] of entries) if (!name.test(key)) refuse(path, `bad name ${JSON.stringify(key)}`)
    return Object.fromEntries(entries.map(([key, item]) => [key, shape(item, under(path, key))]))
  }
}

/** At most `max` items, at least `min` (0). */
export function list<T>(shape: Shape<T>, max: number, min = 0): Shape<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) return refuse(path, 'expected a list')
    if (value.length > max || value.length < min) refuse(path, `expected ${min}–${max} items, found ${value.length}`)
    return value.map((item, i) => shape(item, `${path}[${i}]`))
  }
}

/** Text a person may be shown, at most `max` UTF-16 units, at least `min` (0). */
export function text(max: number, min = 0): Shape<string> {
  return (value, path) => {
    if (typeof value !== 'string') return refuse(path, 'expected text')
    if (value.length > max || value.length < min) refuse(path, `expected ${min}–${max} characters, found ${value.length}`)
    if (!isSafeText(value)) throw new VerifyError('UNSAFE_TEXT', `${path || 'value'}: not NFC, or has control, bidi or tag characters`)
    return value
  }
}

/** A string matching `re`, which must be anchored at both ends; `what` names it in the refusal. */
export const pattern =
  (re: RegExp, what: string): Shape<string> =>
  (value, path) =>
    typeof value === 'string' && re.test(value) ? value : refuse(path, `expected ${what}`)

export const integer =
  (min: number, max: number): Shape<number> =>
  (value, path) =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
      ? (value as number)
      : refuse(path, `expected an integer from ${min} to ${max}`)

/** Seconds since 1970, up to the year 9999. */
export const unixSeconds = integer(0, 253_402_300_799)

export const flag: Shape<boolean> = (value, path) => (typeof value === 'boolean' ? value : refuse(path, 'expected true or false'))

export const oneOf =
  <const T extends readonly (string | number | boolean)[]>(...literals: T): Shape<T[number]> =>
  (value, path) =>
    literals.includes(value as T[number]) ? (value as T[number]) : refuse(path, `expected ${literals.join(' or ')}`)

/** Base64url of exactly `length` bytes, or of 0 to `max`; stays text, but is known to decode. */
export function bytesOf(length?: number, max = 16_384): Shape<string> {
  const exact = length === undefined ? undefined : exactBase64url(length)
  return (value, path) => {
    if (typeof value !== 'string') return refuse(path, 'expected base64url')
    if (exact?.test(value)) return value
    const found = base64urlLength(value, path)
    if (length === undefined ? found > max : found !== length) refuse(path, `expected ${length ?? `at most ${max}`} bytes, found ${found}`)
    return value
  }
}

/** What decodes to so many bytes, without decoding it: tokens hold half a dozen digests. The last character's spare bits are zero. */
function exactBase64url(length: number): RegExp {
  const last = ['', '[AQgw]', '[AEIMQUYcgkosw048]'][length % 3]
  return new RegExp(`^[A-Za-z0-9_-]{${Math.floor((length * 4) / 3)}}${last}$`)
}

function base64urlLength(value: string, path: string): number {
  try {
    return decodeBase64url(value).length
  } catch (cause) {
    throw new VerifyError('MALFORMED', `${path || 'value'}: expected base64url`, { cause })
  }
}

/** A SHA-256, an organisation, a 32-byte key: 43 characters. */
export const digest: Shape<string> = bytesOf(32)

/** Any JSON, as it stands. */
export const anyJson: Shape<JsonValue> = (value) => value
