import { VerifyError } from '../errors.ts'
import { strictTextDecoder, textEncoder } from './platform.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** 12 bits → two characters, so that three bytes cost two look-ups. */
const PAIRS: readonly string[] = Array.from({ length: 4096 }, (_, n) => ALPHABET[n >> 6]! + ALPHABET[n & 63]!)
const CODES = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0))
const INVALID = 64
/** Byte → six bits, or INVALID. What is not ASCII has only bytes that are not. */
const VALUES = new Uint8Array(256).fill(INVALID)
for (let i = 0; i < 64; i++) VALUES[CODES[i]!] = i
/** From here on, filling an array of character codes beats adding strings up. */
const LONG = 96

/** RFC 4648 §5 without padding. */
export function encodeBase64url(bytes: Uint8Array): string {
  const whole = bytes.length - (bytes.length % 3)
  const text = whole < LONG ? encodeShort(bytes, whole) : encodeLong(bytes, whole)
  if (bytes.length - whole === 1) return text + PAIRS[bytes[whole]! << 4]!
  if (bytes.length - whole === 2) {
    const n = (bytes[whole]! << 10) | (bytes[whole + 1]! << 2)
    return text + PAIRS[n >> 6]! + ALPHABET[n & 63]!
  }
  return text
}

function encodeShort(bytes: Uint8Array, whole: number): string {
  let text = ''
  for (let i = 0; i < whole; i += 3) {
    const n = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!
    text += PAIRS[n >> 12]! + PAIRS[n & 4095]!
  }
  return text
}

function encodeLong(bytes: Uint8Array, whole: number): string {
  const codes = new Uint8Array((whole / 3) * 4)
  for (let i = 0, at = 0; i < whole; i += 3, at += 4) {
    const n = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!
    codes[at] = CODES[n >> 18]!
    codes[at + 1] = CODES[(n >> 12) & 63]!
    codes[at + 2] = CODES[(n >> 6) & 63]!
    codes[at + 3] = CODES[n & 63]!
  }
  return strictTextDecoder.decode(codes)
}

/**
 * The inverse of `encodeBase64url`, and only that: padding, other alphabets, white space and stray low bits in the last
 * character are refused, so each byte string has exactly one text.
 * @throws {VerifyError} MALFORMED
 */
export const decodeBase64url = (text: string): Uint8Array => decodeBase64urlCodes(textEncoder.encode(text))

/** The same for a text that is at hand as its character codes: a part of a token that was encoded as a whole. */
export function decodeBase64urlCodes(codes: Uint8Array): Uint8Array {
  const rest = codes.length & 3
  if (rest === 1) throw malformed('impossible length')
  const bytes = new Uint8Array((codes.length * 3) >> 2)
  const isClean = decodeWhole(codes, codes.length - rest, bytes) && (rest === 0 || decodeRest(codes, rest, bytes))
  if (!isClean) throw malformed('a character outside the alphabet, or bits left over in the last one')
  return bytes
}

const malformed = (what: string) => new VerifyError('MALFORMED', `not base64url: ${what}`)

function decodeWhole(codes: Uint8Array, whole: number, bytes: Uint8Array): boolean {
  let bad = 0
  for (let i = 0, at = 0; i < whole; i += 4, at += 3) {
    const va = VALUES[codes[i]!]!
    const vb = VALUES[codes[i + 1]!]!
    const vc = VALUES[codes[i + 2]!]!
    const vd = VALUES[codes[i + 3]!]!
    bad |= va | vb | vc | vd
    bytes[at] = (va << 2) | (vb >> 4)
    bytes[at + 1] = (vb << 4) | (vc >> 2)
    bytes[at + 2] = (vc << 6) | vd
  }
  return bad < INVALID
}

/** Two or three characters at the end: one or two bytes, and bits that must be zero. */
function decodeRest(codes: Uint8Array, rest: number, bytes: Uint8Array): boolean {
  let bits = 0
  let bad = 0
  for (let i = codes.length - rest; i < codes.length; i++) {
    const value = VALUES[codes[i]!]!
    bad |= value
    bits = (bits << 6) | value
  }
  if (rest === 2) bytes[bytes.length - 1] = bits >> 4
  else {
    bytes[bytes.length - 2] = bits >> 10
    bytes[bytes.length - 1] = bits >> 2
  }
  return bad < INVALID && (bits & (rest === 2 ? 15 : 3)) === 0
}
