import { VerifyError } from '../errors.ts'
import { decodeUtf8, utf8 } from './bytes.ts'

/** What JSON can say. Use `type`, not `interface`, for objects that are to be encoded: only those fit the index signature. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [name: string]: JsonValue }
export type JsonObject = { readonly [name: string]: JsonValue }

/** `maxBytes` counts UTF-8 bytes; depth counts nested arrays and objects, so `[]` has depth 1 and `7` has depth 0. */
export interface JsonLimits {
  readonly maxBytes: number
  readonly maxDepth: number
  /**
   * Let integers pass that a double cannot hold. Only for text that goes on byte for byte and of which no number is decided
   * upon, such as a server's results; never for what is signed, digested or checked against a condition.
   */
  readonly inexactIntegers?: boolean
}

const LONE_SURROGATE = /\p{Surrogate}/u
export const hasLoneSurrogate = (text: string): boolean => LONE_SURROGATE.test(text)
const ESCAPED_SURROGATE = /\\u[dD][89a-fA-F]/
/** UTF-8 holds no surrogates, so a parsed string can have a lone one only by an escape. */
export const mayHideSurrogates = (text: string): boolean => ESCAPED_SURROGATE.test(text)
const QUOTE = 34
const BACKSLASH = 92

/** True for JSON objects, false for arrays and null. */
export const isJsonObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Reads JSON that others wrote in whatever form (RFC 8259), refusing what readers disagree about: invalid UTF-8, a byte order
 * mark, two members with one name, a member called `__proto__`, lone surrogates, integers beyond ±(2^53−1), numbers that
 * overflow. Does NOT ask for the canonical form (see `parseSigned`), nor normalise text.
 * @throws {VerifyError} MALFORMED, TOO_LARGE, TOO_DEEP, DUPLICATE_NAME
 * @see packages/core/spec/canonical-json.md §4
 */
export function parseStrictJson(source: Uint8Array | string, limits: JsonLimits): JsonValue {
  const text = strictText(source, limits.maxBytes)
  const look = { surrogates: mayHideSurrogates(text), inexact: limits.inexactIntegers === true }
  return parseChecked(text, limits.maxDepth, (value) => checkValue(value, look))
}

/** JSON of bounded depth without duplicate names. `check` walks the value, throws at will, and counts members. */
export function parseChecked(text: string, maxDepth: number, check: (value: JsonValue) => number): JsonValue {
  const members = countMembers(text, maxDepth)
  const value = parseJson(text)
  if (check(value) !== members) throw new VerifyError('DUPLICATE_NAME', 'an object names a member twice')
  return value
}

/** Text of bounded size that is well-formed as it stands; escapes in it may still spell lone surrogates. */
export function strictText(source: Uint8Array | string, maxBytes: number): string {
  if (source.length > maxBytes) throw new VerifyError('TOO_LARGE', `more than ${maxBytes} bytes`)
  if (typeof source !== 'string') return decodeUtf8(source)
  if (LONE_SURROGATE.test(source)) throw new VerifyError('MALFORMED', 'lone surrogate')
  if (source.length * 3 > maxBytes && utf8(source).length > maxBytes) throw new VerifyError('TOO_LARGE', `more than ${maxBytes} bytes`)
  return source
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue
  } catch (cause) {
    throw new VerifyError('MALFORMED', 'not JSON', { cause })
  }
}

/**
 * Counts the colons outside strings, which in valid JSON is the number of members as written; a parsed object holds each
 * name once, so fewer members after parsing means a duplicate. Runs before JSON.parse to bound the depth, and so says
 * nothing about text that is not JSON: there it may return anything.
 */
function countMembers(text: string, maxDepth: number): number {
  let members = 0
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) i = endOfString(text, i)
    else if (code === 58) members++
    else if (code === 123 || code === 91) {
      if (++depth > maxDepth) throw new VerifyError('TOO_DEEP', `nested deeper than ${maxDepth}`)
    } else if (code === 125 || code === 93) depth--
  }
  return members
}

/** Index of the closing quote, or the end of the text when there is none. A quote after an odd number of backslashes is text. */
function endOfString(text: string, open: number): number {
  for (let quote = text.indexOf('"', open + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let before = quote - 1
    while (text.charCodeAt(before) === BACKSLASH) before--
    if ((quote - before) % 2 === 1) return quote
  }
  return text.length
}

interface Look {
  /** An escape may hide a lone surrogate, so strings are looked at. */
  readonly surrogates: boolean
  readonly inexact: boolean
}

/** Checks numbers, names and (where an escape may hide one) lone surrogates; returns the number of members. */
function checkValue(value: JsonValue, look: Look): number {
  if (typeof value === 'string') {
    if (look.surrogates && LONE_SURROGATE.test(value)) throw new VerifyError('MALFORMED', 'lone surrogate')
    return 0
  }
  if (typeof value === 'number') return checkNumber(value, look.inexact)
  if (value === null || typeof value !== 'object') return 0
  let members = 0
  if (Array.isArray(value)) {
    for (const item of value) members += checkValue(item, look)
    return members
  }
  const object = value as JsonObject
  for (const name in object) {
    if (name === '__proto__') throw new VerifyError('MALFORMED', 'a member is called __proto__')
    members += 1 + checkValue(name, look) + checkValue(object[name]!, look)
  }
  return members
}

function checkNumber(value: number, inexact: boolean): number {
  if (!Number.isFinite(value)) throw new VerifyError('MALFORMED', 'number out of range')
  if (!inexact && Number.isInteger(value) && !Number.isSafeInteger(value)) throw new VerifyError('MALFORMED', 'integer beyond ±(2^53−1)')
  return 0
}
