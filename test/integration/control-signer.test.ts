// What the signing page, on its own origin, gets from the control plane: answers it may read, and a second opinion about passkeys.
import { decodeBase64url } from '@postern/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { trpc } from '../../app/_server/trpc.ts'
import type { TestControl } from '../fixtures/control.ts'
import { openTestControl } from '../fixtures/control.ts'
import { passkey, site } from '../fixtures/people.ts'
import { FLAGS, readAuthenticatorData, registrationOf } from '../fixtures/registration.ts'
import { fromHex } from '../read-vectors.ts'
import { readSharedData } from '../shared-data.ts'
import { skipped } from '../skipped.ts'
import { pglite } from './database/databases.ts'

const signer = 'http://localhost:3001'
const path = '/api/v1/registrations'
let t: TestControl
beforeAll(async () => {
  t = await openTestControl(pglite)
})
afterAll(() => t[Symbol.asyncDispose]())
const from = (origin: string) => ({ headers: { origin } })

describe('answers of the REST API', () => {
  const allowed = ({ response }: { response: Response }) => response.headers.get('access-control-allow-origin')
  test('are readable at the origin of the signing page, refusals too, and never with credentials', async () => {
    for (const url of ['/api/v1/openapi.json', '/api/v1/requests/AAAAAAAAAAAAAAAAAAAAAA', '/api/v1/fleet']) {
      const answer = await t.call('GET', url, from(signer))
      expect(allowed(answer), url).toBe(signer)
      expect(answer.response.headers.get('vary')).toBe('Origin')
      expect(answer.response.headers.get('access-control-allow-credentials')).toBeNull()
      expect(answer.response.headers.get('access-control-expose-headers')).toContain('x-request-id')
    }
  })
  test('are readable at no other origin', async () => {
    for (const origin of ['https://evil.example', 'null', 'http://localhost:3001.evil.example', 'http://localhost:30010', `${signer}/`]) {
      const answer = await t.call('GET', '/api/v1/openapi.json', from(origin))
      expect(allowed(answer), origin).toBeNull()
      expect(answer.response.headers.get('vary')).toBe('Origin')
      expect(answer.response.headers.get('cross-origin-resource-policy')).toBe('same-origin')
    }
    expect(allowed(await t.call('GET', '/api/v1/openapi.json'))).toBeNull()
  })
  test('the signing page is told what it may send; others are told nothing', async () => {
    const asked = await t.call('OPTIONS', path, { headers: { origin: signer, 'access-control-request-method': 'POST' } })
    expect(asked.status).toBe(204)
    expect(Object.fromEntries(asked.response.headers)).toMatchObject({
      'access-control-allow-origin': signer,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type, postern-code',
      vary: 'Origin',
    })
    const other = await t.call('OPTIONS', path, from('https://evil.example'))
    expect([...other.response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
  })
  test('of the console’s own door are for the console alone', async () => {
    const answer = await trpc(new Request('http://localhost:3000/api/trpc/status.health', from(signer)))
    expect(answer.status).toBe(200)
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
  })
  test('the origins that the authority log names may read as well, once there is one', async () => {
    const own = await openTestControl(pglite)
    const [origin] = site.origins
    expect(allowed(await own.call('GET', '/api/v1/openapi.json', from(origin!)))).toBeNull()
    await own.found()
    expect(allowed(await own.call('GET', '/api/v1/openapi.json', from(origin!)))).toBe(origin)
    await own[Symbol.asyncDispose]()
  })
})

describe('a registration', () => {
  const phone = passkey('@ana phone')
  const post = (body: object) => t.call('POST', path, { body })
  const refused = (code: string) => ({ status: 400, json: { error: { code } } })

  test('is read as the signing page reads it', async () => {
    const aaguid = Uint8Array.from({ length: 16 }, (_, i) => i)
    const body = registrationOf(phone, { aaguid })
    const { json } = await post(body)
    const ours = readAuthenticatorData(decodeBase64url(body.attestation_object))
    expect(json).toEqual({
      key: phone.publicKey.key,
      credential: phone.publicKey.credential,
      aaguid: '00010203-0405-0607-0809-0a0b0c0d0e0f',
      synced: false,
      transports: ['internal'],
    })
    expect({ key: json.key, credential: json.credential, aaguid: json.aaguid.replaceAll('-', '') }).toEqual({
      key: ours.key,
      credential: ours.credential,
      aaguid: ours.aaguid,
    })
  })
  test('says whether the passkey can be on more devices than one', async () => {
    expect((await post(registrationOf(phone, { flags: 0x45 | FLAGS.eligible }))).json.synced).toBe(true)
    expect((await post(registrationOf(phone, { flags: 0x45 | FLAGS.eligible | FLAGS.backedUp }))).json.synced).toBe(true)
  })
  test.each([
    ['of another origin', { origin: 'https://evil.example' }, 'BAD_CLIENT_DATA'],
    ['for another rpId', { rpId: 'evil.example' }, 'MALFORMED'],
    ['that is a sign-in', { type: 'webauthn.get' }, 'MALFORMED'],
    ['without user verification', { flags: FLAGS.present | FLAGS.attested }, 'MALFORMED'],
    ['without user presence', { flags: FLAGS.verified | FLAGS.attested }, 'MALFORMED'],
    ['with another algorithm', { alg: -257 }, 'MALFORMED'],
    ['made in a frame', { client: { crossOrigin: true } }, 'BAD_CLIENT_DATA'],
    ['made in a frame of another site', { client: { topOrigin: 'https://evil.example' } }, 'BAD_CLIENT_DATA'],
    ['with certificates, whose lists would be fetched', { fmt: 'packed', statement: 'a163783563814100' }, 'MALFORMED'],
    ['with an attestation of another kind', { fmt: 'fido-u2f' }, 'MALFORMED'],
  ] as const)('%s is refused', async (_, options, code) => {
    expect(await post(registrationOf(phone, options))).toMatchObject(refused(code))
  })
  test('with another credential id than the authenticator made is refused', async () => {
    expect(await post({ ...registrationOf(phone), credential: passkey('@eve phone').publicKey.credential })).toMatchObject(
      refused('MALFORMED'),
    )
  })
  test('that is no registration is refused', async () => {
    expect(await post({ ...registrationOf(phone), attestation_object: 'AAAA' })).toMatchObject(refused('MALFORMED'))
    expect(await post({ ...registrationOf(phone), client_data: 'AAAA' })).toMatchObject(refused('BAD_CLIENT_DATA'))
    expect(await post({ ...registrationOf(phone), prf: 'secret' })).toMatchObject(refused('UNKNOWN_FIELD'))
  })
  test('is checked only so often for strangers', async () => {
    const own = await openTestControl(pglite)
    const { status } = await own.call('POST', path, { body: registrationOf(phone) })
    own.control.limits.strangers.spend(10_000)
    expect(status).toBe(200)
    expect(await own.call('POST', path, { body: registrationOf(phone) })).toMatchObject({ status: 429 })
    await own[Symbol.asyncDispose]()
  })
})

type Published = { rpId: string; origin: string; vectors: { id: string; registration: Record<string, string> }[] }
const published = readSharedData('vectors/webauthn/webauthn-l3-test-vectors.json.gz')
if (!published) skipped('WebAuthn: published registrations', 'no external data')

test.runIf(published)('published registrations without certificates are read as by fixed offsets; all others are refused', async () => {
  const { origin, vectors }: Published = JSON.parse(published!)
  const own = await openTestControl(pglite, { signerOrigins: origin })
  const read: string[] = []
  for (const { id, registration } of vectors) {
    const attestation = fromHex(registration.attestationObject!)
    const { json, status } = await own.call('POST', path, {
      body: {
        credential: Buffer.from(registration.credential_id!, 'hex').toString('base64url'),
        client_data: Buffer.from(registration.clientDataJSON!, 'hex').toString('base64url'),
        attestation_object: Buffer.from(attestation).toString('base64url'),
      },
    })
    if (status === 200) {
      const { flags, ...ours } = readAuthenticatorData(attestation)
      expect({ ...json, aaguid: json.aaguid.replaceAll('-', '') }, id).toEqual({
        ...ours,
        synced: (flags & FLAGS.eligible) !== 0,
        transports: [],
      })
      read.push(id)
    } else expect(json.error.code, id).toMatch(/^(MALFORMED|BAD_CLIENT_DATA)$/)
  }
  expect(read.length).toBeGreaterThan(0)
  expect(read.filter((id) => !/^sctn-test-vectors-(none|packed-self)-es256/.test(id))).toEqual([])
  await own[Symbol.asyncDispose]()
})
