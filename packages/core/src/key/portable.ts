import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { x25519 } from '@noble/curves/ed25519.js'
import type { Suite } from './suite.ts'
import { portableSignatures } from './suite.ts'

const TAG_BYTES = 16

/** The whole suite in plain JavaScript. Not part of `@postern/core/key`: whoever loads it can open sealed bytes. */
export const portable: Suite = {
  ...portableSignatures,
  sealChaCha: (key, nonce, aad, plaintext) => chacha20poly1305(key, nonce, aad).encrypt(plaintext),
  openChaCha(key, nonce, aad, ciphertext) {
    if (ciphertext.length < TAG_BYTES) return undefined
    const cipher = chacha20poly1305(key, nonce, aad)
    try {
      return cipher.decrypt(ciphertext)
    } catch {
      return undefined // the only failure left is the tag
    }
  },
  x25519(secret, publicKey) {
    try {
      return x25519.getSharedSecret(secret, publicKey)
    } catch {
      return undefined // both have 32 bytes, so the only failure is a shared secret of zeros
    }
  },
  x25519PublicKey: (secret) => x25519.getPublicKey(secret),
}
