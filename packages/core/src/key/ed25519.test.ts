import { createPublicKey, sign, verify } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromHex, outcome, readVectors } from '../../../../test/read-vectors.ts'
import { readSharedData } from '../../../../test/shared-data.ts'
import { skipped } from '../../../../test/skipped.ts'
import { utf8 } from '../bytes/bytes.ts'
import { admitEd25519, ed25519PublicKey, verifyEd25519 } from './ed25519.ts'
import { portable } from './portable.ts'
import type { SignatureSuite } from './suite.ts'

/** What a Node process plugs in: the platform's verification, which knows nothing of our rule. */
const node: SignatureSuite = {
  ...portable,
  verifyEd25519(raw, message, signature) {
    const key = createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]), format: 'der', type: 'spki' })
    return verify(null, message, key, signature)
  },
}
interface Case {
  readonly key: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

/** The whole rule, admission included, on both suites; they must agree. */
function accepts({ key, message, signature }: Case): boolean {
  if (outcome(() => admitEd25519(key)) !== 'ok') return false
  const verdict = verifyEd25519(key, message, signature, portable)
  expect(verifyEd25519(key, message, signature, node)).toBe(verdict)
  return verdict
}

test.each(readVectors<{ key: string; message: string; signature: string }>('key/ed25519.json'))('$name → $expect', (vector) => {
  const [key, message, signature] = [vector.key, vector.message, vector.signature].map(fromHex) as [Uint8Array, Uint8Array, Uint8Array]
  expect(accepts({ key, message, signature })).toBe(vector.expect === 'ok')
})

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('what is signed verifies; with any bit of key, message or signature changed it does not, on any suite', () => {
  fc.assert(
    fc.property(seeds, fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(), fc.nat({ max: 7 }), (seed, message, at, bit) => {
      const signature = portable.signEd25519(seed, message)
      const good = { key: ed25519PublicKey(seed), message, signature }
      expect(accepts(good)).toBe(true)
      for (const part of ['key', 'message', 'signature'] as const) {
        const changed = Uint8Array.from(good[part])
        changed[at % changed.length]! ^= 1 << bit
        expect(accepts({ ...good, [part]: changed })).toBe(false)
      }
    }),
    { numRuns: 60 },
  )
})

test('signatures are those Node makes', () => {
  fc.assert(
    fc.property(seeds, fc.uint8Array({ maxLength: 200 }), (seed, message) => {
      const key = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
      expect(Buffer.from(portable.signEd25519(seed, message))).toEqual(sign(null, message, { key, format: 'der', type: 'pkcs8' }))
    }),
    { numRuns: 30 },
  )
})

test('malformed arguments are false, never an error', () => {
  const key = ed25519PublicKey(new Uint8Array(32))
  for (const length of [0, 31, 33]) expect(verifyEd25519(new Uint8Array(length), utf8('x'), new Uint8Array(64), portable)).toBe(false)
  for (const length of [0, 63, 65, 128]) expect(verifyEd25519(key, utf8('x'), new Uint8Array(length), portable)).toBe(false)
  expect(portable.verifyEd25519(new Uint8Array(32).fill(255), utf8('x'), new Uint8Array(64).fill(255))).toBe(false)
})

type Wycheproof = { testGroups: { publicKey: { pk: string }; tests: { tcId: number; msg: string; sig: string; result: string }[] }[] }
const published = {
  cctv: readSharedData('vectors/cctv/ed25519vectors.json.gz'),
  wycheproof: readSharedData('vectors/wycheproof/ed25519_test.json.gz'),
  speccheck: readSharedData('vectors/ed25519/speccheck_cases.json'),
  nobleEdge: readSharedData('vectors/ed25519/noble_edge-cases.json'),
  zip215: readSharedData('vectors/ed25519/noble_zip215.json'),
  djb: readSharedData('vectors/ed25519/djb_sign.input.txt.gz'),
}
const missing = Object.entries(published).filter(([, text]) => !text)
for (const [name] of missing) skipped(`published Ed25519 vectors (${name})`, 'no external data')

const specCases = (text: string): Case[] =>
  JSON.parse(text).map((c: { pub_key: string; message: string; signature: string }) => ({
    key: fromHex(c.pub_key),
    message: fromHex(c.message),
    signature: fromHex(c.signature),
  }))
const cctvCases = (text: string): Case[] =>
  JSON.parse(text).map((c: { key: string; msg: string; sig: string }) => ({
    key: fromHex(c.key),
    message: utf8(c.msg),
    signature: fromHex(c.sig),
  }))
const wycheproofCases = (text: string) =>
  (JSON.parse(text) as Wycheproof).testGroups.flatMap(({ publicKey, tests }) =>
    tests.map((t) => ({
      key: fromHex(publicKey.pk),
      message: fromHex(t.msg),
      signature: fromHex(t.sig),
      isValid: t.result === 'valid',
      id: t.tcId,
    })),
  )

test.runIf(published.cctv && published.wycheproof && published.speccheck)('all 1,077 public edge cases agree on both suites', () => {
  const cases = [...cctvCases(published.cctv!), ...wycheproofCases(published.wycheproof!), ...specCases(published.speccheck!)]
  expect(cases).toHaveLength(1_077)
  // accepts() holds the two suites against each other. CCTV and speccheck each leave exactly what no verifier may refuse.
  expect(cctvCases(published.cctv!).filter(accepts)).toHaveLength(1)
  expect(specCases(published.speccheck!).filter(accepts)).toHaveLength(0)
})

test.runIf(published.wycheproof)('Wycheproof Ed25519: valid is accepted, invalid is not', () => {
  const wrong = wycheproofCases(published.wycheproof!).filter((c) => accepts(c) !== c.isValid)
  expect(wrong.map(({ id }) => id)).toEqual([])
})

test.runIf(published.nobleEdge)('the edge cases of noble agree on both suites', () => {
  expect(specCases(published.nobleEdge!).filter(accepts)).toHaveLength(0)
})

test.runIf(published.zip215)('no signature of the ZIP-215 set is accepted: all are of small order', () => {
  const cases: { vk_bytes: string; sig_bytes: string }[] = JSON.parse(published.zip215!)
  const accepted = cases.filter((c) => accepts({ key: fromHex(c.vk_bytes), message: utf8('Zcash'), signature: fromHex(c.sig_bytes) }))
  expect([cases.length, accepted.length]).toEqual([196, 0])
})

test.runIf(published.djb)(
  'the classic 1,024 signatures are made and accepted byte for byte',
  () => {
    const lines = published.djb!.trim().split('\n')
    expect(lines).toHaveLength(1_024)
    for (const line of lines) {
      const [secret, publicKey, message, signed] = line.split(':') as [string, string, string, string]
      const [seed, key, text, signature] = [secret.slice(0, 64), publicKey, message, signed.slice(0, 128)].map(fromHex) as Uint8Array[]
      expect(ed25519PublicKey(seed!)).toEqual(key)
      expect(portable.signEd25519(seed!, text!)).toEqual(signature)
      expect(verifyEd25519(key!, text!, signature!, node)).toBe(true)
    }
  },
  60_000,
)
