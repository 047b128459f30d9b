import { x25519 } from '@noble/curves/ed25519.js'
import { VerifyError } from '../errors.ts'

/** Any clamped scalar: a point of small order is sent to zero by all of them. */
const PROBE = new Uint8Array(32).fill(9)

/**
 * Admits an X25519 key: 32 bytes, u < 2^255 − 19 with the top bit clear (else one key would have several ids), not of small order.
 * Points on the twist are fine (RFC 7748 §7).
 * @throws {VerifyError} BAD_KEY
 */
export function admitX25519(key: Uint8Array): void {
  if (key.length !== 32 || !isCanonical(key) || !isLargeOrder(key)) {
    throw new VerifyError('BAD_KEY', 'not a canonical X25519 key of large order')
  }
}

function isCanonical(key: Uint8Array): boolean {
  if (key[31]! > 0x7f) return false
  if (key[31] !== 0x7f || key[0]! < 0xed) return true
  return key.subarray(1, 31).some((byte) => byte !== 0xff)
}

function isLargeOrder(key: Uint8Array): boolean {
  try {
    x25519.getSharedSecret(PROBE, key) // throws for an all-zero result
    return true
  } catch {
    return false
  }
}

/** The public key of a 32-byte secret. */
export const x25519PublicKey = (secret: Uint8Array): Uint8Array => x25519.getPublicKey(secret)
