import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromHex, outcome } from '../../../../test/read-vectors.ts'
import { readSharedData } from '../../../../test/shared-data.ts'
import { skipped } from '../../../../test/skipped.ts'
import { admitP256, p256FromDer, verifyP256 } from './p256.ts'

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = pair.publicKey.export({ format: 'jwk' })
const raw = fromHex(`04${Buffer.from(jwk.x!, 'base64url').toString('hex')}${Buffer.from(jwk.y!, 'base64url').toString('hex')}`)
const HALF = 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8n

test('what Node signs verifies, as DER and as r ‖ s, and the stored form has the smaller s', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (message) => {
      const compact = new Uint8Array(sign('sha256', message, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' }))
      const fromDer = p256FromDer(new Uint8Array(sign('sha256', message, pair.privateKey)))
      expect(verifyP256(raw, message, compact)).toBe(true)
      expect(verifyP256(raw, message, fromDer)).toBe(true)
      expect(BigInt(`0x${Buffer.from(fromDer.subarray(32)).toString('hex')}`) <= HALF).toBe(true)
      expect(verify('sha256', message, { key: pair.publicKey, dsaEncoding: 'ieee-p1363' }, fromDer)).toBe(true)
    }),
    { numRuns: 20 },
  )
})

test('unusable arguments are false, never an error', () => {
  const message = Uint8Array.of(1)
  expect(verifyP256(raw, message, new Uint8Array(63))).toBe(false)
  expect(verifyP256(raw, message, new Uint8Array(64))).toBe(false)
  expect(verifyP256(raw.subarray(1), message, new Uint8Array(64).fill(1))).toBe(false)
})

type Group = {
  publicKey: { uncompressed: string }
  publicKeyPem: string
  tests: { tcId: number; msg: string; sig: string; result: string }[]
}
const p1363 = readSharedData('vectors/wycheproof/ecdsa_secp256r1_sha256_p1363_test.json.gz')
const der = readSharedData('vectors/wycheproof/ecdsa_secp256r1_sha256_test.json.gz')
if (!p1363 || !der) skipped('Wycheproof ECDSA P-256', 'no external data')

test.runIf(p1363)('Wycheproof, r ‖ s: valid is accepted, invalid is not', () => {
  const wrong: number[] = []
  for (const { publicKey, tests } of JSON.parse(p1363!).testGroups as Group[]) {
    const key = fromHex(publicKey.uncompressed)
    admitP256(key)
    for (const t of tests) if (verifyP256(key, fromHex(t.msg), fromHex(t.sig)) !== (t.result === 'valid')) wrong.push(t.tcId)
  }
  expect(wrong).toEqual([])
})

test.runIf(der)('Wycheproof, DER: valid is accepted, invalid is not, and so says Node', () => {
  const wrong: number[] = []
  for (const { publicKey, publicKeyPem, tests } of JSON.parse(der!).testGroups as Group[]) {
    const key = fromHex(publicKey.uncompressed)
    const node = createPublicKey(publicKeyPem)
    for (const t of tests) {
      const [message, signature] = [fromHex(t.msg), fromHex(t.sig)]
      const accepted = outcome(() => p256FromDer(signature)) === 'ok' && verifyP256(key, message, p256FromDer(signature))
      if (accepted !== (t.result === 'valid') || verify('sha256', message, node, signature) !== accepted) wrong.push(t.tcId)
    }
  }
  expect(wrong).toEqual([])
})

test('DER is read strictly', () => {
  const signature = new Uint8Array(sign('sha256', Uint8Array.of(1), pair.privateKey))
  for (const changed of [signature.subarray(1), Uint8Array.of(...signature, 0), signature.with(0, 0x31), signature.with(1, 0x81)]) {
    expect(outcome(() => p256FromDer(changed))).toBe('BAD_SIGNATURE')
  }
})
