import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { fromHex, outcome } from '../../../../test/read-vectors.ts'
import { readSharedData } from '../../../../test/shared-data.ts'
import { skipped } from '../../../../test/skipped.ts'
import { concatBytes } from '../bytes/bytes.ts'
import { p256FromDer, verifyP256 } from './p256.ts'
import { verifyAssertion } from './webauthn.ts'

// Order, sizes and every refusal are in test/vectors/signature/detached.json. Here: the vectors of WebAuthn Level 3.
type Published = {
  rpId: string
  origin: string
  vectors: {
    id: string
    registration: { attestationObject: string }
    authentication: { challenge: string; authenticatorData: string; clientDataJSON: string; signature: string }
  }[]
}
const text = readSharedData('vectors/webauthn/webauthn-l3-test-vectors.json.gz')
if (!text) skipped('W3C WebAuthn Level 3 vectors', 'no external data')
const published: Published = JSON.parse(text ?? '{"vectors":[]}')

/** The COSE key of ES256 (kty 2, alg −7, crv 1) as it lies in the attestation object, in CTAP2 canonical order. */
const ES256 = /a5010203262001215820([0-9a-f]{64})225820([0-9a-f]{64})/
const keyOf = (attestation: string) => {
  const [, x, y] = ES256.exec(attestation) ?? []
  return x && y ? fromHex(`04${x}${y}`) : undefined
}
/** Our rule asks for user verification and top-level use; the published set shows both with and without. */
const refusals: Record<string, string> = {
  'sctn-test-vectors-none-es256': 'USER_NOT_VERIFIED',
  'sctn-test-vectors-packed-self-es256': 'USER_NOT_VERIFIED',
  'sctn-test-vectors-none-es256-crossOrigin': 'BAD_CLIENT_DATA',
  'sctn-test-vectors-none-es256-topOrigin': 'BAD_CLIENT_DATA',
  'sctn-test-vectors-android-key-es256': 'USER_NOT_VERIFIED',
  'sctn-test-vectors-apple-es256': 'USER_NOT_VERIFIED',
  'sctn-test-vectors-fido-u2f-es256': 'USER_NOT_VERIFIED',
}
const ours = published.vectors.flatMap((v) => {
  const key = keyOf(v.registration.attestationObject)
  return key ? [{ id: v.id, key, ...v.authentication }] : []
})
const others = published.vectors.filter((v) => !keyOf(v.registration.attestationObject)).map((v) => v.id)

test.runIf(text)('of the fifteen published credentials, those of other algorithms do not apply: Postern enrols ES256 only', () => {
  expect(published.vectors).toHaveLength(15)
  expect(others.map((id) => id.replace('sctn-test-vectors-packed-', ''))).toEqual(['es384', 'es512', 'rs256', 'eddsa', 'ed448'])
  skipped('WebAuthn vectors of ES384, ES512, RS256, Ed25519 and Ed448', 'a passkey is enrolled with ES256 only')
})

test.each(ours)('$id: the signature is good', ({ key, authenticatorData, clientDataJSON, signature }) => {
  const hash = new Uint8Array(createHash('sha256').update(fromHex(clientDataJSON)).digest())
  expect(verifyP256(key, concatBytes(fromHex(authenticatorData), hash), p256FromDer(fromHex(signature)))).toBe(true)
})

test.each(ours)('$id: is judged by our rule', ({ id, key, challenge, authenticatorData, clientDataJSON, signature }) => {
  const assertion = {
    authenticatorData: fromHex(authenticatorData),
    clientData: fromHex(clientDataJSON),
    signature: p256FromDer(fromHex(signature)),
  }
  const site = { origins: [published.origin], rpId: published.rpId }
  const judge = () => verifyAssertion(key, fromHex(challenge), assertion, site)
  expect(outcome(judge)).toBe(refusals[id] ?? 'ok')
  const elsewhere = { ...site, rpId: 'example.com' }
  expect(outcome(() => verifyAssertion(key, fromHex(challenge), assertion, elsewhere))).not.toBe('ok')
})
