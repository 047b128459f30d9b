// The W3C vectors, judged by us and by a widely used server library given the same requirements.
import { p256FromDer, verifyAssertion } from '@postern/core'
import { verifyAuthenticationResponse } from '@simplewebauthn/server'
import { expect, test } from 'vitest'
import { fromHex, outcome } from './read-vectors.ts'
import { readSharedData } from './shared-data.ts'
import { skipped } from './skipped.ts'

type Published = {
  rpId: string
  origin: string
  vectors: {
    id: string
    registration: { attestationObject: string; credential_id: string }
    authentication: { challenge: string; authenticatorData: string; clientDataJSON: string; signature: string }
  }[]
}
const text = readSharedData('vectors/webauthn/webauthn-l3-test-vectors.json.gz')
if (!text) skipped('WebAuthn: agreement with @simplewebauthn/server', 'no external data')
const { rpId, origin, vectors }: Published = JSON.parse(text ?? '{"vectors":[]}')
const ES256 = /a5010203262001215820([0-9a-f]{64})225820([0-9a-f]{64})/
const b64u = (hex: string) => Buffer.from(hex, 'hex').toString('base64url')

const cases = vectors.flatMap(({ id, registration, authentication }) => {
  const [cose, x, y] = ES256.exec(registration.attestationObject) ?? []
  return cose ? [{ id, cose, raw: `04${x}${y}`, credential: registration.credential_id, ...authentication }] : []
})
type Case = (typeof cases)[number]

function ourVerdict(c: Case): boolean {
  const assertion = {
    authenticatorData: fromHex(c.authenticatorData),
    clientData: fromHex(c.clientDataJSON),
    signature: p256FromDer(fromHex(c.signature)),
  }
  return outcome(() => verifyAssertion(fromHex(c.raw), fromHex(c.challenge), assertion, { origins: [origin], rpId })) === 'ok'
}

async function theirVerdict(c: Case): Promise<boolean> {
  const id = b64u(c.credential)
  const response = { authenticatorData: b64u(c.authenticatorData), clientDataJSON: b64u(c.clientDataJSON), signature: b64u(c.signature) }
  try {
    const { verified } = await verifyAuthenticationResponse({
      response: { id, rawId: id, type: 'public-key', response, clientExtensionResults: {} },
      expectedChallenge: b64u(c.challenge),
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: true,
      credential: { id, publicKey: new Uint8Array(fromHex(c.cose)), counter: 0 },
    })
    return verified
  } catch {
    return false
  }
}
/** Where we are stricter on purpose: the signer is never framed, so an assertion from a frame is refused. */
const isFramed = ({ id }: Case) => /crossOrigin|topOrigin/.test(id)
const flipped = (hex: string, at: number) =>
  hex.slice(0, at) + ((Number.parseInt(hex[at]!, 16) ^ 1) as number).toString(16) + hex.slice(at + 1)

test.each(cases)('$id: same verdict', async (c) => {
  if (isFramed(c)) expect(ourVerdict(c)).toBe(false)
  else expect(ourVerdict(c)).toBe(await theirVerdict(c))
})

test.each(cases)('$id: both refuse every change', async (c) => {
  const changes: Partial<Case>[] = [
    { challenge: flipped(c.challenge, 5) },
    { authenticatorData: flipped(c.authenticatorData, 3) },
    { authenticatorData: flipped(c.authenticatorData, 72) },
    { clientDataJSON: flipped(c.clientDataJSON, c.clientDataJSON.length - 3) },
    { signature: flipped(c.signature, c.signature.length - 1) },
    { raw: cases.find((other) => other.id !== c.id)!.raw, cose: cases.find((other) => other.id !== c.id)!.cose },
  ]
  for (const change of changes) {
    expect(ourVerdict({ ...c, ...change })).toBe(false)
    expect(await theirVerdict({ ...c, ...change })).toBe(false)
  }
})

test.runIf(text)('ten of the fifteen vectors are ES256, and some of them are accepted', () => {
  expect(cases).toHaveLength(10)
  expect(cases.filter(ourVerdict).length).toBeGreaterThan(0)
})
