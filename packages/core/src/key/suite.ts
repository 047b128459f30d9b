import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { encodeBase64url } from '../bytes/base64url.ts'
import { utf8 } from '../bytes/bytes.ts'

/**
 * The primitives a platform may do faster than JavaScript. Implementations are interchangeable: under the acceptance rule of
 * `ed25519.ts` each gives the same answer for every input.
 */
export interface SignatureSuite {
  /**
   * Raw RFC 8032 verification without cofactor: true only if the encoding of [S]B − [k]A equals R byte for byte. Total: false
   * for anything unusable, never a throw. Only `key/ed25519.ts` calls it, which has checked lengths, S and R before.
   */
  verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
  /** Deterministic RFC 8032 signature under a 32-byte seed. */
  signEd25519(seed: Uint8Array, message: Uint8Array): Uint8Array
  sha256(message: Uint8Array): Uint8Array
  /** The same of bytes, or of a text's UTF-8, as base64url: for platforms that do all of it at once. */
  sha256Text?(message: Uint8Array | string): string
}

export type Hash = Pick<SignatureSuite, 'sha256' | 'sha256Text'>

/** SHA-256 of bytes, or of a text's UTF-8, as base64url. */
export const sha256Text = (message: Uint8Array | string, suite: Hash): string =>
  suite.sha256Text?.(message) ?? encodeBase64url(suite.sha256(typeof message === 'string' ? utf8(message) : message))

/** With what the channel and sealing are made of: X25519 and the AEAD, RFC 8439, 32-byte key, 12-byte nonce, 16-byte tag at the end. */
export interface Suite extends SignatureSuite {
  sealChaCha(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array
  /** `undefined` when the tag does not match or the ciphertext is shorter than a tag. */
  openChaCha(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined
  /** RFC 7748 with 32-byte inputs; `undefined` for an all-zero result, i.e. a public key of small order. */
  x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined
  x25519PublicKey(secret: Uint8Array): Uint8Array
}

/**
 * Signatures in plain JavaScript, for every platform. It stands apart from `portable` because the relay, which verifies
 * signatures, must not even load a cipher.
 */
export const portableSignatures: SignatureSuite = {
  verifyEd25519(publicKey, message, signature) {
    try {
      // noble checks [8]([S]B − [k]A − R) = 0. With A and R free of torsion and canonical, that is the equation without the 8.
      const r = ed25519.Point.fromBytes(signature.subarray(0, 32), false)
      return r.isTorsionFree() && ed25519.verify(signature, message, publicKey, { zip215: false })
    } catch {
      return false
    }
  },
  signEd25519: (seed, message) => ed25519.sign(message, seed),
  sha256: (message) => sha256(message),
}
