import { VerifyError } from '../errors.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** 12 bits → two characters, so that three bytes cost two look-ups. */
const PAIRS: readonly string[] = Array.from({ length: 4096 }, (_, n) => ALPHABET[n >> 6]! + ALPHABET[n & 63]!)
const INVALID = 64
/** Character code → six bits, or INVALID. Codes from 128 on are refused before the look-up. */
const VALUES = new Uint8Array(128).fill(INVALID)
for (let i = 0; i < 64; i++) VALUES[ALPHABET.charCodeAt(i)] = i

/** RFC 4648 §5 without padding. */
export function encodeBase64url(bytes: Uint8Array): string {
  const whole = bytes.length - (bytes.length % 3)
  let text = ''
  for (let i = 0; i < whole; i += 3) {
    const n = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!
    text += PAIRS[n >> 12]! + PAIRS[n & 4095]!
  }
  if (bytes.length - whole === 1) return text + PAIRS[bytes[whole]! << 4]!
  if (bytes.length - whole === 2) {
    const n = (bytes[whole]! << 10) | (bytes[whole + 1]! << 2)
    return text + PAIRS[n >> 6]! + ALPHABET[n & 63]!
  }
  return text
}

/**
 * The inverse of `encodeBase64url`, and only that: padding, other alphabets, white space and stray low bits in the last
 * character are refused, so each byte string has exactly one text.
 * @throws {VerifyError} MALFORMED
 */
export function decodeBase64url(text: string): Uint8Array {
  const rest = text.length & 3
  if (rest === 1) throw new VerifyError('MALFORMED', 'not base64url: impossible length')
  const bytes = new Uint8Array((text.length * 3) >> 2)
  let at = 0
  let bad = 0
  let bits = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const value = code < 128 ? VALUES[code]! : INVALID
    bad |= value
    bits = (bits << 6) | (value & 63)
    if ((i & 3) === 0) continue
    bytes[at++] = bits >> (6 - 2 * (i & 3))
  }
  if (bad & INVALID) throw new VerifyError('MALFORMED', 'not base64url: character outside the alphabet')
  const stray = rest === 2 ? bits & 15 : rest === 3 ? bits & 3 : 0
  if (stray !== 0) throw new VerifyError('MALFORMED', 'not base64url: bits left over in the last character')
  return bytes
}
