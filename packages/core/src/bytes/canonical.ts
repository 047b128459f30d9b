import { VerifyError } from '../errors.ts'
import { utf8 } from './bytes.ts'
import type { JsonLimits, JsonObject, JsonValue } from './json.ts'
import { hasLoneSurrogate, mayHideSurrogates, parseChecked, strictText } from './json.ts'

/** Limits of every signed payload unless its format says otherwise. */
export const SIGNED_LIMITS: JsonLimits = { maxBytes: 16_384, maxDepth: 8 }

/** UTF-8 of `canonicalText`. */
export const encodeCanonical = (value: JsonValue): Uint8Array => utf8(canonicalText(value))

/**
 * The RFC 8785 (JCS) text of a value: names sorted by UTF-16 code units, no white space, ECMAScript's own form of numbers
 * and strings. Does NOT restrict names, numbers or text to what `parseSigned` accepts.
 * @throws {TypeError} for what JSON cannot say (undefined, NaN, Infinity, lone surrogates): the caller made it, not the wire.
 * @see packages/core/spec/canonical-json.md §2
 */
export function canonicalText(value: JsonValue): string {
  if (isOrdered(value)) {
    const text = JSON.stringify(value)
    if (!mayHideSurrogates(text)) return text
  }
  return writeOut(value)
}

/** Whether every object's names already stand in order, so that the engine writes the canonical text itself. */
function isOrdered(value: JsonValue): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object') return typeof value === 'string' || typeof value === 'boolean'
  if (value === null) return true
  if (Array.isArray(value)) return !value.includes(undefined) && value.every(isOrdered) // includes sees holes, every does not
  let previous: string | undefined
  for (const name of Object.keys(value)) {
    if (previous !== undefined && name < previous) return false
    if (!isOrdered((value as JsonObject)[name]!)) return false
    previous = name
  }
  return !('toJSON' in value) // JSON.stringify would call it
}

function writeOut(value: JsonValue): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('JSON has no NaN or Infinity')
    return `${value}` // −0 comes out as 0, and RFC 8785 wants exactly that
  }
  if (value === null || typeof value === 'boolean') return `${value}`
  if (Array.isArray(value)) return `[${Array.from(value as readonly JsonValue[], writeOut).join(',')}]`
  if (typeof value !== 'object') throw new TypeError(`JSON has no ${typeof value}`)
  return writeObject(value as JsonObject)
}

function writeObject(value: JsonObject): string {
  let text = '{'
  for (const name of Object.keys(value).sort()) text += `${text === '{' ? '' : ','}${quote(name)}:${writeOut(value[name]!)}`
  return `${text}}`
}

function quote(text: string): string {
  if (hasLoneSurrogate(text)) throw new TypeError('lone surrogate')
  return JSON.stringify(text)
}

/**
 * Reads a signed payload: canonical form, names `^[a-z][a-z0-9_]{0,31}$`, integers within ±(2^53−1) and no other numbers,
 * text that shows what it says. The bytes are what was signed; the value is only for reading. Does NOT check fields: see
 * `parseObject`.
 * @throws {VerifyError} MALFORMED, TOO_LARGE, TOO_DEEP, DUPLICATE_NAME, NOT_CANONICAL, UNSAFE_TEXT
 * @see packages/core/spec/canonical-json.md §3
 */
export function parseSigned(bytes: Uint8Array, limits: Partial<JsonLimits> = {}): JsonValue {
  const text = strictText(bytes, limits.maxBytes ?? SIGNED_LIMITS.maxBytes)
  const value = parseChecked(text, limits.maxDepth ?? SIGNED_LIMITS.maxDepth, checkSigned)
  // Every object's names are in order by now, so this is canonicalText(value), made by the engine in one go.
  if (JSON.stringify(value) !== text) throw new VerifyError('NOT_CANONICAL', 'not in canonical form (RFC 8785)')
  return value
}

const NAME = /^[a-z][a-z0-9_]{0,31}$/

/** Checks names and their order, numbers and text; returns the number of members. */
function checkSigned(value: JsonValue): number {
  if (typeof value === 'string') return checkText(value)
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new VerifyError('MALFORMED', `${value} is not an integer within ±(2^53−1)`)
    return 0
  }
  if (value === null || typeof value !== 'object') return 0
  let members = 0
  if (Array.isArray(value)) {
    for (const item of value) members += checkSigned(item)
    return members
  }
  let previous = ''
  const object = value as JsonObject
  for (const name in object) {
    if (!NAME.test(name)) throw new VerifyError('MALFORMED', `${JSON.stringify(name)} is not a field name`)
    if (name <= previous) throw new VerifyError('NOT_CANONICAL', `field ${name} is out of order`)
    previous = name
    members += 1 + checkSigned(object[name]!)
  }
  return members
}

const PLAIN = /^[\x20-\x7e]*$/
/** Controls, line and paragraph separators, bidirectional formatting, the byte order mark, tags and selectors of plane 14. */
const UNSAFE = /[\p{Cc}\u2028\u2029\p{Bidi_Control}\ufeff\u{e0000}-\u{e0fff}]/u

function checkText(text: string): number {
  if (PLAIN.test(text)) return 0
  if (hasLoneSurrogate(text)) throw new VerifyError('MALFORMED', 'lone surrogate')
  if (!isSafeText(text)) throw new VerifyError('UNSAFE_TEXT', 'text is not NFC, or has control, bidi or tag characters')
  return 0
}

/** Whether a person sees what the text says: NFC, no control, bidirectional, separator or tag characters, no lone surrogate. */
export const isSafeText = (text: string): boolean =>
  PLAIN.test(text) || !(UNSAFE.test(text) || hasLoneSurrogate(text) || text.normalize('NFC') !== text)
