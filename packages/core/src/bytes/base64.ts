import { VerifyError } from '../errors.ts'
import { decodeBase64url, encodeBase64url } from './base64url.ts'

/** RFC 4648 §4, with padding: what SSH files hold. Everything of ours is base64url. */
export const encodeBase64 = (bytes: Uint8Array): string =>
  encodeBase64url(bytes).replaceAll('-', '+').replaceAll('_', '/') + '='.repeat((3 - (bytes.length % 3)) % 3)

/**
 * Strict: padded to a multiple of four, no white space, no stray bits.
 * @throws {VerifyError} MALFORMED
 */
export function decodeBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new VerifyError('MALFORMED', 'not base64')
  return decodeBase64url(text.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_'))
}
