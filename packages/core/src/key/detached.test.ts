import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromHex, outcome, readVectors } from '../../../../test/read-vectors.ts'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import type { JsonValue } from '../bytes/json.ts'
import { admitPublicKey, publicKeyShape } from './admission.ts'
import { signDetached, verifyDetached } from './detached.ts'
import { ed25519PublicKey } from './ed25519.ts'
import { portable } from './portable.ts'
import type { PublicKey } from './public-key.ts'
import { keyIdOf } from './public-key.ts'
import type { Signature } from './signature.ts'
import { decodeSigned, encodeSigned, MAX_SIGNATURES, signatureShape } from './signature.ts'
import type { Namespace } from './sshsig.ts'
import { NAMESPACES, sshsigTbs } from './sshsig.ts'
import type { SignerSite } from './webauthn.ts'

const NOWHERE: SignerSite = { origins: [], rpId: '' }
type Case = { key: JsonValue; namespace: Namespace; bytes: string; signature: JsonValue; site: SignerSite }

test.each(readVectors<Case>('signature/detached.json'))('$name → $expect', ({ key, namespace, bytes, signature, site, expect: code }) => {
  const run = () =>
    verifyDetached(publicKeyShape(key, 'key'), namespace, decodeBase64url(bytes), signatureShape(signature, 'signature'), site, portable)
  expect(outcome(run)).toBe(code)
  admitPublicKey(publicKeyShape(key, 'key')) // the vectors are about signatures: their keys are good
})

test.each(readVectors<{ namespace: Namespace; bytes: string; tbs: string }>('signature/tbs.json'))('TBS of $name', (vector) => {
  expect(sshsigTbs(vector.namespace, decodeBase64url(vector.bytes))).toEqual(fromHex(vector.tbs))
})

test('the facts of an authenticator are reported, and a plain key has none', () => {
  const facts = (name: string) => {
    const { key, namespace, bytes, signature, site } = readVectors<Case>('signature/detached.json').find((v) => v.name === name)!
    const [pk, sig] = [publicKeyShape(key, ''), signatureShape(signature, '')]
    return verifyDetached(pk, namespace, decodeBase64url(bytes), sig, site, portable)
  }
  expect(facts('ssh-ed25519')).toEqual({ userVerified: false, backedUp: false })
  expect(facts('sk-ssh-ed25519, touched')).toEqual({ userVerified: false, backedUp: false, counter: 7 })
  expect(facts('sk-ssh-ed25519, with PIN')).toMatchObject({ userVerified: true })
  expect(facts('passkey, synced')).toEqual({ userVerified: true, backedUp: true, counter: 0 })
  expect(facts('passkey, bound to its device')).toEqual({ userVerified: true, backedUp: false, counter: 9 })
})

test('a passkey is checked in the order of the spec: of two faults the earlier is reported', () => {
  const { key, namespace, bytes, signature, site } = readVectors<Case>('signature/detached.json').find((v) => v.name === 'passkey, synced')!
  const [pk, good] = [publicKeyShape(key, ''), signatureShape(signature, '')]
  const data = decodeBase64url(good.authenticator_data!)
  const withData = (changed: Uint8Array) => ({ ...good, authenticator_data: encodeBase64url(changed) })
  const judge = (s: Signature, at: SignerSite) => outcome(() => verifyDetached(pk, namespace, decodeBase64url(bytes), s, at, portable))
  const elsewhere = { ...site, origins: ['https://elsewhere.example'] }
  const otherSite = { ...site, rpId: 'elsewhere.example' }
  expect(judge({ ...withData(data.subarray(0, 36)), kid: keyIdOf(plainKey(data.subarray(0, 32))) }, elsewhere)).toBe('UNKNOWN_KEY')
  expect(judge(withData(data.subarray(0, 36)), elsewhere)).toBe('MALFORMED') // sizes before the client data
  expect(judge(good, { ...elsewhere, rpId: otherSite.rpId })).toBe('BAD_CLIENT_DATA') // client data before the site
  expect(judge(withData(data.with(32, 0)), otherSite)).toBe('WRONG_RP_ID') // site before the user
  expect(judge(withData(data.with(32, 0x10)), site)).toBe('USER_NOT_VERIFIED') // user before the backup flags
  expect(judge(withData(data.with(32, 0x15)), site)).toBe('MALFORMED') // backup flags before the signature
  expect(judge(withData(data.with(32, 0x05)), site)).toBe('BAD_SIGNATURE')
})

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })
const plainKey = (seed: Uint8Array): PublicKey => ({ use: 'sign', alg: 'ssh-ed25519', key: encodeBase64url(ed25519PublicKey(seed)) })

test('a signature for one kind of object never verifies as another', () => {
  fc.assert(
    fc.property(seeds, fc.uint8Array({ maxLength: 64 }), fc.constantFrom(...NAMESPACES), (seed, bytes, namespace) => {
      const key = plainKey(seed)
      const signature = signDetached(seed, namespace, bytes, portable)
      for (const other of NAMESPACES) {
        const code = outcome(() => verifyDetached(key, other, bytes, signature, NOWHERE, portable))
        expect(code).toBe(other === namespace ? 'ok' : 'BAD_SIGNATURE')
      }
    }),
    { numRuns: 25 },
  )
})

test('any one byte changed, in the object or in the signature, is refused', () => {
  fc.assert(
    fc.property(
      seeds,
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (seed, bytes, at, mask) => {
        const key = plainKey(seed)
        const signature = signDetached(seed, 'postern-statement-v1', bytes, portable)
        const mauled = (original: Uint8Array) => original.with(at % original.length, original[at % original.length]! ^ mask)
        const sig = encodeBase64url(mauled(decodeBase64url(signature.sig)))
        const verify = (b: Uint8Array, s: Signature) => outcome(() => verifyDetached(key, 'postern-statement-v1', b, s, NOWHERE, portable))
        expect(verify(bytes, signature)).toBe('ok')
        expect(verify(mauled(bytes), signature)).toBe('BAD_SIGNATURE')
        expect(verify(bytes, { ...signature, sig })).toBe('BAD_SIGNATURE')
      },
    ),
    { numRuns: 50 },
  )
})

const accepted = readVectors<Case>('signature/detached.json').filter((vector) => vector.expect === 'ok')

test.each(accepted)('$name: a bit flipped anywhere, in the object or in any field of the signature, is refused', (vector) => {
  const key = publicKeyShape(vector.key, '')
  const parts: Record<string, string> = { bytes: vector.bytes, ...(vector.signature as Record<string, string>) }
  for (const [name, value] of Object.entries(parts)) {
    if (typeof value !== 'string') continue
    const original = decodeBase64url(value)
    for (let at = 0; at < original.length; at += 9) {
      const changed = { ...parts, [name]: encodeBase64url(original.with(at, original[at]! ^ (1 << (at % 8)))) }
      const { bytes = '', ...signature } = changed
      const run = () => verifyDetached(key, vector.namespace, decodeBase64url(bytes), signatureShape(signature, ''), vector.site, portable)
      expect(outcome(run), `${name} at ${at}`).not.toBe('ok')
    }
  }
})

test('two namespaces and bytes never have the same TBS', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 8 }), fc.uint8Array({ maxLength: 8 }), fc.nat({ max: 4 }), fc.nat({ max: 4 }), (a, b, i, j) => {
      const isSame = i === j && encodeBase64url(a) === encodeBase64url(b)
      const tbs = [sshsigTbs(NAMESPACES[i]!, a), sshsigTbs(NAMESPACES[j]!, b)].map((t) => encodeBase64url(t))
      expect(tbs[0] === tbs[1]).toBe(isSame)
    }),
  )
})

test('a signed object is carried as bytes and signatures, in any number up to the limit', () => {
  const seed = new Uint8Array(32).fill(5)
  const bytes = Uint8Array.of(123, 125)
  const signature = signDetached(seed, 'postern-statement-v1', bytes, portable)
  const json = JSON.parse(JSON.stringify(encodeSigned({ bytes, signatures: [signature, signature] })))
  expect(decodeSigned(json)).toEqual({ bytes, signatures: [signature, signature] })
  expect(decodeSigned({ bytes: '', signatures: [] })).toEqual({ bytes: new Uint8Array(), signatures: [] })
  const many = Array.from({ length: MAX_SIGNATURES + 1 }, () => signature)
  for (const bad of [
    { ...json, signatures: many },
    { bytes: json.bytes },
    { ...json, bytes: 'A' },
    { ...json, bytes: 'A'.repeat(21_852) },
    [],
  ]) {
    expect(outcome(() => decodeSigned(bad))).toBe('MALFORMED')
  }
  expect(outcome(() => decodeSigned({ ...json, kid: keyIdOf(plainKey(seed)) }))).toBe('UNKNOWN_FIELD')
})
