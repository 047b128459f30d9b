import { encodeBase64url, portable, utf8 } from '@postern/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { native } from './native.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const message = fc.uint8Array({ maxLength: 3000 })

test('what Node signs and hashes is what plain JavaScript signs and hashes', () => {
  fc.assert(
    fc.property(bytes(32), message, (seed, text) => {
      expect(native.sha256(text)).toEqual(portable.sha256(text))
      expect(native.signEd25519(seed, text)).toEqual(portable.signEd25519(seed, text))
    }),
    { numRuns: 20 },
  )
})

test('what Node hashes at once is the hash of the text’s UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), message, (text, bytes) => {
      expect(native.sha256Text(text)).toBe(encodeBase64url(portable.sha256(utf8(text))))
      expect(native.sha256Text(bytes)).toBe(encodeBase64url(portable.sha256(bytes)))
    }),
  )
  expect(native.sha256Text('\ud800')).toBe(encodeBase64url(portable.sha256(utf8('\ud800'))))
})

test('what Node seals is what plain JavaScript seals, and each opens the other', () => {
  fc.assert(
    fc.property(bytes(32), bytes(12), message, message, (key, nonce, aad, plaintext) => {
      const sealed = native.sealChaCha(key, nonce, aad, plaintext)
      expect(sealed).toEqual(portable.sealChaCha(key, nonce, aad, plaintext))
      expect(native.openChaCha(key, nonce, aad, sealed)).toEqual(plaintext)
    }),
    { numRuns: 50 },
  )
})

test('a changed ciphertext, other associated data or too few bytes open to nothing', () => {
  const [key, nonce, aad] = [new Uint8Array(32), new Uint8Array(12), Uint8Array.of(1)]
  const sealed = native.sealChaCha(key, nonce, aad, Uint8Array.of(1, 2, 3))
  const changed = sealed.slice()
  changed[0]! ^= 1
  expect(native.openChaCha(key, nonce, aad, changed)).toBeUndefined()
  expect(native.openChaCha(key, nonce, Uint8Array.of(2), sealed)).toBeUndefined()
  expect(native.openChaCha(key, nonce, aad, sealed.subarray(0, 15))).toBeUndefined()
})

test('results are plain arrays: a slice of one is a copy', () => {
  for (const result of [native.sha256(new Uint8Array(1)), native.signEd25519(new Uint8Array(32), new Uint8Array(1))]) {
    expect(Buffer.isBuffer(result)).toBe(false)
  }
})

test('a key or signature of the wrong length is a bad signature, not an error', () => {
  expect(native.verifyEd25519(new Uint8Array(31), new Uint8Array(1), new Uint8Array(64))).toBe(false)
  expect(native.verifyEd25519(new Uint8Array(32).fill(9), new Uint8Array(1), new Uint8Array(63))).toBe(false)
  expect(() => native.signEd25519(new Uint8Array(31), new Uint8Array(1))).toThrow(TypeError)
})

test('a seed buffer that is filled anew signs as what it holds now', () => {
  const seed = new Uint8Array(32).fill(1)
  const first = native.signEd25519(seed, new Uint8Array(1))
  seed.fill(2)
  expect(native.signEd25519(seed, new Uint8Array(1))).toEqual(portable.signEd25519(new Uint8Array(32).fill(2), new Uint8Array(1)))
  expect(native.signEd25519(seed, new Uint8Array(1))).not.toEqual(first)
})

test('a key buffer that is filled anew seals under what it holds now', () => {
  const [key, nonce, none] = [new Uint8Array(32).fill(1), new Uint8Array(12), new Uint8Array(0)]
  const first = native.sealChaCha(key, nonce, none, Uint8Array.of(7))
  key.fill(2)
  expect(native.openChaCha(key, nonce, none, first)).toBeUndefined()
  expect(native.sealChaCha(key, nonce, none, Uint8Array.of(7))).toEqual(
    portable.sealChaCha(new Uint8Array(32).fill(2), nonce, none, Uint8Array.of(7)),
  )
})

test('a secret buffer that is filled anew exchanges as what it holds now', () => {
  const [secret, peer] = [new Uint8Array(32).fill(1), native.x25519PublicKey(new Uint8Array(32).fill(3))]
  const first = [native.x25519PublicKey(secret), native.x25519(secret, peer)]
  first[0]!.fill(0)
  expect(native.x25519PublicKey(secret)).toEqual(portable.x25519PublicKey(secret))
  secret.fill(2)
  expect(native.x25519PublicKey(secret)).toEqual(portable.x25519PublicKey(secret))
  expect(native.x25519(secret, peer)).toEqual(portable.x25519(secret, peer))
  expect(native.x25519(secret, peer)).not.toEqual(first[1])
})
