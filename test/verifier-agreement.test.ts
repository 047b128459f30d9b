// Invariant 9: Node's own cryptography, the portable code, jose and OpenSSH give one answer to every input.
import { createPublicKey, verify } from 'node:crypto'
import type { KeyAlg, KeyId, Namespace, PublicKey, Signature, Suite } from '@postern/core'
import {
  admitEd25519,
  decodeBase64url,
  ed25519PublicKey,
  encodeBase64url,
  encodeCanonical,
  keyIdOf,
  portable,
  signDetached,
  sshsigTbs,
  utf8,
  verifyDetached,
  verifyEd25519,
} from '@postern/core'
import { native } from '@postern/daemon'
import fc from 'fast-check'
import { flattenedVerify, importJWK } from 'jose'
import { expect, test } from 'vitest'
import { fromHex, outcome, readVectors } from './read-vectors.ts'
import { readSharedData } from './shared-data.ts'
import { skipped } from './skipped.ts'

type Case = { key: Uint8Array; message: Uint8Array; signature: Uint8Array }
const suites: Record<string, Suite> = { native, portable }
const NOWHERE = { origins: [], rpId: '' }

function verdicts({ key, message, signature }: Case): boolean[] {
  if (outcome(() => admitEd25519(key)) !== 'ok') return [false]
  return Object.values(suites).map((suite) => verifyEd25519(key, message, signature, suite))
}

const vectors: Case[] = readVectors<{ key: string; message: string; signature: string }>('key/ed25519.json').map((v) => ({
  key: fromHex(v.key),
  message: fromHex(v.message),
  signature: fromHex(v.signature),
}))

test('native and portable agree on every vector of ours', () => {
  for (const vector of vectors) expect(new Set(verdicts(vector)).size).toBe(1)
})

const cctv = readSharedData('vectors/cctv/ed25519vectors.json.gz')
const wycheproof = readSharedData('vectors/wycheproof/ed25519_test.json.gz')
const speccheck = readSharedData('vectors/ed25519/speccheck_cases.json')
const published = cctv && wycheproof && speccheck
if (!published) skipped('agreement on the published Ed25519 edge cases', 'no external data')

function publishedCases(): Case[] {
  const fromGroups = JSON.parse(wycheproof!).testGroups.flatMap((g: { publicKey: { pk: string }; tests: { msg: string; sig: string }[] }) =>
    g.tests.map((t) => ({ key: fromHex(g.publicKey.pk), message: fromHex(t.msg), signature: fromHex(t.sig) })),
  )
  const fromCctv = JSON.parse(cctv!).map((c: { key: string; msg: string; sig: string }) => ({
    key: fromHex(c.key),
    message: utf8(c.msg),
    signature: fromHex(c.sig),
  }))
  const fromSpeccheck = JSON.parse(speccheck!).map((c: { pub_key: string; message: string; signature: string }) => ({
    key: fromHex(c.pub_key),
    message: fromHex(c.message),
    signature: fromHex(c.signature),
  }))
  return [...fromCctv, ...fromGroups, ...fromSpeccheck]
}

test.runIf(published)('native and portable agree on all 1,077 published edge cases', () => {
  const cases = publishedCases()
  expect(cases).toHaveLength(1_077)
  expect(cases.filter((c) => new Set(verdicts(c)).size !== 1)).toEqual([])
})

test.runIf(published)('the rule only narrows what Node itself accepts: nothing passes that the platform refuses', () => {
  for (const c of publishedCases()) {
    if (!verdicts(c)[0]) continue
    const key = createPublicKey({
      key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), c.key]),
      format: 'der',
      type: 'spki',
    })
    expect(verify(null, c.message, key, c.signature)).toBe(true)
  }
})

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('native and portable make the same signatures and digests', () => {
  fc.assert(
    fc.property(seeds, fc.uint8Array({ maxLength: 300 }), (seed, message) => {
      expect(native.signEd25519(seed, message)).toEqual(portable.signEd25519(seed, message))
      expect(native.sha256(message)).toEqual(portable.sha256(message))
    }),
    { numRuns: 40 },
  )
})

test('native and portable seal alike, open each other, and neither opens what was touched', () => {
  fc.assert(
    fc.property(seeds, fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 40 }), fc.nat(), (key, plaintext, aad, at) => {
      const nonce = key.slice(0, 12)
      const sealed = portable.sealChaCha(key, nonce, aad, plaintext)
      expect(native.sealChaCha(key, nonce, aad, plaintext)).toEqual(sealed)
      const touched = sealed.with(at % sealed.length, sealed[at % sealed.length]! ^ 1)
      for (const suite of Object.values(suites)) {
        expect(suite.openChaCha(key, nonce, aad, sealed)).toEqual(plaintext)
        expect(suite.openChaCha(key, nonce, aad, touched)).toBeUndefined()
        expect(suite.openChaCha(key, nonce, Uint8Array.of(...aad, 1), sealed)).toBeUndefined()
        expect(suite.openChaCha(key, nonce, aad, sealed.subarray(0, 15))).toBeUndefined()
      }
    }),
    { numRuns: 40 },
  )
})

/** jose signs over text, so the message of a case has to be the text it makes: `<header>.<payload>`. */
async function joseAccepts(key: Uint8Array, header: string, payload: string, signature: Uint8Array): Promise<boolean> {
  const jwk = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(key) }, 'Ed25519')
  try {
    await flattenedVerify({ protected: header, payload, signature: encodeBase64url(signature) }, jwk)
    return true
  } catch {
    return false
  }
}

test('jose accepts the same Ed25519 signatures, good and mauled', async () => {
  const header = encodeBase64url(utf8('{"alg":"Ed25519"}'))
  await fc.assert(
    fc.asyncProperty(seeds, fc.uint8Array({ maxLength: 60 }), fc.nat({ max: 511 }), async (seed, content, bit) => {
      const payload = encodeBase64url(content)
      const message = utf8(`${header}.${payload}`)
      const key = ed25519PublicKey(seed)
      const good = native.signEd25519(seed, message)
      const mauled = good.with(bit >> 3, good[bit >> 3]! ^ (1 << (bit & 7)))
      for (const signature of [good, mauled]) {
        const [verdict, other] = verdicts({ key, message, signature })
        expect(other).toBe(verdict)
        expect(await joseAccepts(key, header, payload, signature)).toBe(verdict)
      }
    }),
    { numRuns: 40 },
  )
})

type Detached = { key: PublicKey; namespace: Namespace; bytes: string; signature: Signature; site: { origins: string[]; rpId: string } }
test('native and portable agree on every detached signature', () => {
  for (const { key, namespace, bytes, signature, site, expect: code } of readVectors<Detached>('signature/detached.json')) {
    if (['MALFORMED', 'UNKNOWN_FIELD'].includes(code)) continue // those are refused by the shapes, before any suite
    for (const suite of Object.values(suites)) {
      expect(outcome(() => verifyDetached(key, namespace, decodeBase64url(bytes), signature, site, suite))).toBe(code)
    }
  }
})

test('a key of another algorithm does not make a signature good', () => {
  const seed = new Uint8Array(32).fill(3)
  const bytes = encodeCanonical({ v: 1 })
  const signature = signDetached(seed, 'postern-login-v1', bytes, native)
  const key = (alg: KeyAlg): PublicKey => ({ use: 'sign', alg, key: encodeBase64url(ed25519PublicKey(seed)), app: 'ssh:' })
  expect(signature.kid satisfies KeyId).toBe(keyIdOf(key('ssh-ed25519')))
  expect(decodeBase64url(signature.sig)).toEqual(portable.signEd25519(seed, sshsigTbs('postern-login-v1', bytes)))
  const asToken = { ...signature, flags: 1, counter: 0 }
  expect(outcome(() => verifyDetached(key('sk-ssh-ed25519'), 'postern-login-v1', bytes, asToken, NOWHERE, native))).toBe('BAD_SIGNATURE')
})
