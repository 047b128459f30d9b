import { VerifyError } from '../errors.ts'
import { strictTextDecoder, textEncoder } from './platform.ts'

/** UTF-8 of a string. A lone surrogate becomes U+FFFD: text from outside is refused earlier, when it is parsed. */
export const utf8 = (text: string): Uint8Array => textEncoder.encode(text)

/**
 * Text of UTF-8 bytes, fatally: nothing is replaced.
 * @throws {VerifyError} MALFORMED for invalid UTF-8 or a leading byte order mark.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  let text: string
  try {
    text = strictTextDecoder.decode(bytes)
  } catch (cause) {
    throw new VerifyError('MALFORMED', 'not UTF-8', { cause })
  }
  if (text.charCodeAt(0) === 0xfeff) throw new VerifyError('MALFORMED', 'begins with a byte order mark')
  return text
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const joined = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** Byte for byte. Looks at every byte, but JavaScript gives no promise about time: do not compare passwords with it. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}
