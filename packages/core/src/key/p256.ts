import { p256 } from '@noble/curves/nist.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { VerifyError } from '../errors.ts'

/**
 * Admits a P-256 key: 65 bytes, uncompressed (0x04 ‖ x ‖ y), on the curve. The curve has prime order, so no further check.
 * @throws {VerifyError} BAD_KEY
 */
export function admitP256(key: Uint8Array): void {
  if (key.length !== 65 || key[0] !== 4 || !isOnCurve(key)) throw new VerifyError('BAD_KEY', 'not an uncompressed P-256 key')
}

function isOnCurve(key: Uint8Array): boolean {
  try {
    p256.Point.fromBytes(key).assertValidity()
    return true
  } catch {
    return false
  }
}

/**
 * ECDSA with SHA-256 over the message. `signature` is r ‖ s, 32 bytes each (IEEE P1363). Both values of s are accepted, since
 * authenticators make both; nothing of ours depends on a signature being unique.
 * @returns false for anything that is not a good signature; never throws.
 */
export function verifyP256(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false
  try {
    return p256.verify(signature, message, key, { prehash: true, lowS: false, format: 'compact' })
  } catch {
    return false
  }
}

/**
 * From the strict DER that authenticators return to the stored form: r ‖ s with the smaller s.
 * @throws {VerifyError} BAD_SIGNATURE for BER, for r or s outside [1, n−1], for trailing bytes.
 */
export function p256FromDer(der: Uint8Array): Uint8Array {
  try {
    return lowS(p256.Signature.fromBytes(der, 'der'))
  } catch (cause) {
    throw new VerifyError('BAD_SIGNATURE', 'not a strict DER ECDSA signature', { cause })
  }
}

function lowS(signature: InstanceType<typeof p256.Signature>): Uint8Array {
  if (!signature.hasHighS()) return signature.toBytes('compact')
  return new p256.Signature(signature.r, p256.Point.Fn.ORDER - signature.s).toBytes('compact')
}

/**
 * The at most two public keys (65 bytes each) under which `verifyP256` would accept this signature of this message. For a passkey whose
 * public key is not at hand: whoever verifies knows which of them is enrolled. Says nothing about who signed.
 * @see packages/core/spec/key.md §5
 */
export function recoverP256(message: Uint8Array, signature: Uint8Array): readonly Uint8Array[] {
  return [0, 1].flatMap((bit) => {
    try {
      const key = p256.Signature.fromBytes(signature, 'compact').addRecoveryBit(bit).recoverPublicKey(sha256(message)).toBytes(false)
      return verifyP256(key, message, signature) ? [key] : []
    } catch {
      return [] // r is no x coordinate, or the key would be the point at infinity
    }
  })
}
