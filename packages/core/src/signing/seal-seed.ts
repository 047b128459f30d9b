import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { VerifyError } from '../errors.ts'

/** What the passkey's PRF is asked for (before the browser hashes it). */
export const SEAL_PRF_INPUT: Uint8Array = utf8('postern-seal-v1')

/**
 * The X25519 seed of a passkey's seal key. The same passkey gives the same key in one organisation, and another one in the next.
 * @param prfOutput 32 bytes. @param genesisNonce 16 bytes, `body.nonce` of statement 0.
 * @throws {VerifyError} MALFORMED for other lengths
 * @see packages/core/spec/key.md §8
 */
export function sealSeed(prfOutput: Uint8Array, genesisNonce: Uint8Array): Uint8Array {
  if (prfOutput.length !== 32 || genesisNonce.length !== 16)
    throw new VerifyError('MALFORMED', 'expected a PRF output of 32 bytes and a nonce of 16')
  return hkdf(sha256, prfOutput, concatBytes(SEAL_PRF_INPUT, genesisNonce), undefined, 32)
}
