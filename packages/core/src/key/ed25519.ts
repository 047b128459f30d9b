import { ed25519 } from '@noble/curves/ed25519.js'
import { equalBytes } from '../bytes/bytes.ts'
import { VerifyError } from '../errors.ts'
import type { SignatureSuite } from './suite.ts'

const KEY_BYTES = 32
const SIGNATURE_BYTES = 64
/** Encoding of the neutral element, (0, 1). Its other encodings are not canonical and match no computed R. */
const IDENTITY = Uint8Array.of(1, ...new Uint8Array(31))
/** The group order L, little-endian like S itself. */
const ORDER = Uint8Array.of(
  ...[0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14],
  ...new Uint8Array(15),
  0x10,
)

/**
 * Part 1 of the acceptance rule, done once, when a key is enrolled: canonical encoding, not of small order, free of torsion.
 * @throws {VerifyError} BAD_KEY
 * @see packages/core/spec/key.md §4
 */
export function admitEd25519(key: Uint8Array): void {
  if (key.length !== KEY_BYTES || !isPrimeOrder(key)) throw new VerifyError('BAD_KEY', 'not a canonical Ed25519 key of prime order')
}

function isPrimeOrder(key: Uint8Array): boolean {
  try {
    const point = ed25519.Point.fromBytes(key, false)
    return !point.isSmallOrder() && point.isTorsionFree()
  } catch {
    return false
  }
}

/**
 * Parts 2 and 3 of the one rule by which Postern accepts Ed25519 signatures: 64 bytes, S < L, R not the identity, then the
 * platform's verification. Every signature in the product is checked here. Does NOT admit the key: that happened at
 * enrolment (`admitEd25519`), and without it the platforms disagree about keys with torsion.
 * @returns false for anything that is not a good signature, whatever its shape; never throws.
 * @see packages/core/spec/key.md §4
 */
export function verifyEd25519(key: Uint8Array, message: Uint8Array, signature: Uint8Array, suite: SignatureSuite): boolean {
  if (key.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false
  if (!isBelowOrder(signature) || equalBytes(signature.subarray(0, 32), IDENTITY)) return false
  return suite.verifyEd25519(key, message, signature)
}

/** S < L, bytewise from the most significant end. Nearly always decided by the first byte. */
function isBelowOrder(signature: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const s = signature[32 + i]!
    const l = ORDER[i]!
    if (s !== l) return s < l
  }
  return false
}

/** The public key of a 32-byte seed. */
export const ed25519PublicKey = (seed: Uint8Array): Uint8Array => ed25519.getPublicKey(seed)
