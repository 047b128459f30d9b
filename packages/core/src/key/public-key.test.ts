import { createECDH, createHash, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { fromHex, outcome, readVectors } from '../../../../test/read-vectors.ts'
import type { JsonValue } from '../bytes/json.ts'
import { admitPublicKey, publicKeyShape } from './admission.ts'
import { ed25519PublicKey } from './ed25519.ts'
import type { PublicKey } from './public-key.ts'
import { KEY_ALGS, keyId, keyIdOf, keyIdShape } from './public-key.ts'
import { SUITES } from './suites.ts'
import { x25519PublicKey } from './x25519.ts'

test.each(readVectors<{ key: JsonValue }>('key/public-key.json'))('$name → $expect', ({ key, expect: code }) => {
  expect(outcome(() => admitPublicKey(publicKeyShape(key, 'key')))).toBe(code)
})

test('each algorithm has its row, and at least one vector that is admitted and one that is not', () => {
  expect(Object.keys(SUITES).sort()).toEqual([...KEY_ALGS].sort())
  const vectors = readVectors<{ key: { alg?: string } }>('key/public-key.json')
  for (const alg of KEY_ALGS) {
    const outcomes = vectors.filter(({ key }) => key.alg === alg).map((vector) => vector.expect)
    expect(outcomes).toContain('ok')
    expect(outcomes.some((code) => code !== 'ok')).toBe(true)
  }
})

test('a key id is the SHA-256 of the raw key, whatever the algorithm', () => {
  const raw = ed25519PublicKey(new Uint8Array(32).fill(1))
  const key: PublicKey = { use: 'call', alg: 'ed25519', key: Buffer.from(raw).toString('base64url') }
  expect(keyIdOf(key)).toBe(createHash('sha256').update(raw).digest('base64url'))
  expect(keyIdOf({ ...key, use: 'sign', alg: 'ssh-ed25519' })).toBe(keyId(raw))
  expect(keyIdShape(keyId(raw), '')).toBe(keyId(raw))
  expect(outcome(() => keyIdShape(`${keyId(raw)}A`, ''))).toBe('MALFORMED')
})

test('a key of the wrong length is not admitted even without its shape', () => {
  expect(outcome(() => admitPublicKey({ use: 'call', alg: 'ed25519', key: 'AAAA' }))).toBe('BAD_KEY')
})

test('public keys are those Node derives, and every key Node makes is admitted', () => {
  for (const [type, derive] of [
    ['ed25519', ed25519PublicKey],
    ['x25519', x25519PublicKey],
  ] as const) {
    for (let i = 0; i < 20; i++) {
      const { privateKey } = generateKeyPairSync(type as 'ed25519')
      const jwk = privateKey.export({ format: 'jwk' })
      expect(Buffer.from(derive(fromHex(Buffer.from(jwk.d!, 'base64url').toString('hex')))).toString('base64url')).toBe(jwk.x)
      admitPublicKey({ use: type === 'ed25519' ? 'call' : 'seal', alg: type, key: jwk.x! })
      expect(createPublicKey(privateKey).asymmetricKeyType).toBe(type)
    }
  }
  const ecdh = createECDH('prime256v1')
  for (let i = 0; i < 20; i++) admitPublicKey({ use: 'sign', alg: 'sk-ecdsa-p256', app: 'ssh:', key: ecdh.generateKeys('base64url') })
})
