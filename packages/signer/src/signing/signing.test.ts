// No input makes the page sign a kind or a meaning other than the one shown.
import { p256 } from '@noble/curves/nist.js'
import type { Namespace, PublicKey, SignerRequest, State } from '@postern/core'
import {
  decodeBase64url,
  describe as describeBytes,
  encodeBase64url,
  encodeSignerRequest,
  NAMESPACES,
  parseAtSign,
  parseSignerRequest,
  sshsigTbs,
  portable as suite,
  utf8,
  VerifyError,
  verifyDetached,
} from '@postern/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { draft, found, grow, revocation } from '../../../../test/fixtures/organisation.ts'
import { bytesOf, passkey, requestOf, seedOf, site } from '../../../../test/fixtures/people.ts'
import { SignerError } from '../errors.ts'
import type { Passkeys } from '../keys/passkeys.ts'
import type { Found, Prepared } from './prepare.ts'
import { bytesToSign, prepareLogin, prepareRevocation, prepareStatement } from './prepare.ts'
import { sign, signUnknown } from './sign.ts'

const ana = passkey('ana passkey')
const keys = { '@ana': [ana] }
const organisation = found({ keys })
const other = found({ keys, name: 'Other' })
const grown = grow(organisation, 'policy.set', { sha256: encodeBase64url(seedOf('policy')), name: 'main' }, { by: [ana] })
const now = grown.state.at + 60
const pin = { state: grown.state, now, suite }
const control = 'https://console.example'

const sha = (bytes: Uint8Array) => encodeBase64url(suite.sha256(bytes))
const waiting = (bytes: Uint8Array, kind: 'statement' | 'revocation' = 'statement', org = organisation.org) =>
  ({ v: 1, kind, control, org, id: 'request-1', sha256: sha(bytes) }) as const

const enrolment = draft(
  grown,
  'gateway.enroll',
  { ...requestOf(organisation.org, 'gateway', '@gw-paris'), exp: now + 86_400, tags: [] },
  { by: [ana] },
)
const policy = draft(grown, 'policy.set', { sha256: encodeBase64url(seedOf('next')), name: 'next' }, { by: [ana] })
const target = { kind: 'enrolment', id: grown.state.identities.get(parseAtSign('@ana'))!.enrolment } as const
const revoking = revocation(grown, target, { by: [ana] })
const login = { v: 1, kind: 'login', console: control, org: organisation.org, nonce: encodeBase64url(bytesOf('nonce', 16)) } as const
const bare = ({ bytes }: { bytes: Uint8Array }): Found => ({ bytes, signatures: [] })

/** An authenticator that signs whatever it is given and remembers it: the page has to be the careful one. */
function recording() {
  const challenges: Uint8Array[] = []
  const passkeys: Passkeys = {
    async get({ challenge, rpId }) {
      challenges.push(challenge)
      const clientData = utf8(
        `{"type":"webauthn.get","challenge":"${encodeBase64url(challenge)}","origin":"${site.origins[0]}","crossOrigin":false}`,
      )
      const authenticatorData = new Uint8Array([...suite.sha256(utf8(rpId)), 5, 0, 0, 0, 0])
      const message = new Uint8Array([...authenticatorData, ...suite.sha256(clientData)])
      const signature = p256.sign(message, ana.seed, { prehash: true, format: 'der' })
      return { credential: ana.publicKey.credential!, authenticatorData, clientData, signature }
    },
    create: () => Promise.reject(new TypeError('nothing is made here')),
  }
  return { challenges, passkeys }
}
const options = (passkeys: Passkeys, known: readonly PublicKey[] = [ana.publicKey]) => ({ site, keys: known, ask: known, passkeys, suite })

/** What the page does with a request and what it found under it. */
function prepare(request: SignerRequest, found: Found, at: { state: State; now: number } = pin): Prepared {
  const here = { ...at, suite }
  if (request.kind === 'statement') return prepareStatement(request, found, here).prepared
  if (request.kind === 'revocation') return prepareRevocation(request, found, here)
  if (request.kind === 'login') return prepareLogin(request, parseAtSign('@ana'), here)
  throw new SignerError('WRONG_KIND')
}

/** The heart of it: what was signed is what was shown, under the namespace of its kind, and under no other. */
async function expectShownIsSigned(prepared: Prepared, state: State): Promise<void> {
  const { challenges, passkeys } = recording()
  const signature = await sign(prepared, options(passkeys))
  const bytes = bytesToSign(prepared)
  expect(challenges).toEqual([sshsigTbs(prepared.namespace, bytes)])
  expect(prepared.namespace).toBe(`postern-${prepared.kind}-v1`)
  expect(prepared.sentences).toEqual(describeBytes(prepared.kind as 'statement', bytes, state))
  const verifies = (namespace: Namespace) => {
    try {
      verifyDetached(ana.publicKey, namespace, bytes, signature, site, suite)
      return true
    } catch {
      return false
    }
  }
  expect(NAMESPACES.filter(verifies)).toEqual([prepared.namespace])
}

const refused = (run: () => unknown): string => {
  try {
    run()
    return 'ok'
  } catch (error) {
    if (error instanceof SignerError) return error.code
    throw error
  }
}

describe('what waits under an id', () => {
  test.each([
    ['an enrolment', waiting(enrolment.bytes), enrolment],
    ['a policy', waiting(policy.bytes), policy],
    ['a revocation', waiting(revoking.bytes, 'revocation'), revoking],
    ['a login', login, policy],
  ] as const)('%s is signed as what it was shown as', async (_, request, found) => {
    await expectShownIsSigned(prepare(request, bare(found)), grown.state)
  })

  test.each([
    ['other bytes than the link names', waiting(policy.bytes), enrolment, pin, 'OTHER_BYTES'],
    ['a revocation under a statement’s link', waiting(revoking.bytes), revoking, pin, 'INVALID'],
    ['a statement under a revocation’s link', waiting(policy.bytes, 'revocation'), policy, pin, 'INVALID'],
    ['a login under a statement’s link', waiting(utf8('{"nonce":"x"}')), { bytes: utf8('{"nonce":"x"}') }, pin, 'INVALID'],
    ['a genesis statement', waiting(organisation.entries[0]!.bytes), organisation.entries[0]!, pin, 'WRONG_KIND'],
    ['a statement of another organisation', waiting(policy.bytes, 'statement', other.org), policy, pin, 'WRONG_ORGANISATION'],
    ['a statement for another pin', waiting(policy.bytes), policy, { ...pin, state: other.state }, 'WRONG_ORGANISATION'],
    ['a statement whose place is taken', waiting(grown.entries[1]!.bytes), grown.entries[1]!, pin, 'TAKEN'],
    ['a statement that does not follow', waiting(policy.bytes), policy, { ...pin, state: organisation.state }, 'NOT_NEXT'],
    ['a statement past its time', waiting(policy.bytes), policy, { ...pin, now: now + 30 * 86_400 }, 'EXPIRED'],
    ['a revocation dated ahead', waiting(revoking.bytes, 'revocation'), revoking, { ...pin, now: now - 86_400 }, 'INVALID'],
  ] as const)('%s is refused', (_, request, found, at, code) => {
    expect(refused(() => prepare(request, bare(found), at))).toBe(code)
  })

  test('a statement with a spoilt proof in it is refused', () => {
    const { request, proofs } = requestOf(organisation.org, 'gateway', '@gw-lyon')
    const bytes = draft(grown, 'gateway.enroll', { request, proofs: proofs.slice(1), exp: now + 86_400, tags: [] }, { by: [ana] }).bytes
    expect(refused(() => prepare(waiting(bytes), { bytes, signatures: [] }))).toBe('INVALID')
  })

  test('a login at a console that is not the organisation’s is refused', () => {
    expect(refused(() => prepare({ ...login, console: 'https://evil.example' }, bare(policy)))).toBe('WRONG_CONSOLE')
  })

  test('a login asked for somebody is signed for nobody else', () => {
    expect(refused(() => prepare({ ...login, atsign: parseAtSign('@ben') }, bare(policy)))).toBe('INVALID')
  })

  test('a login never carries the hash of anything: its nonce is not the challenge', async () => {
    const { challenges, passkeys } = recording()
    await sign(prepare(login, bare(policy)), options(passkeys))
    expect(encodeBase64url(challenges[0]!)).not.toContain(login.nonce)
  })
})

describe('only what was prepared is signed', () => {
  test('not a copy of it, and not something made up', async () => {
    const { challenges, passkeys } = recording()
    const prepared = prepare(waiting(policy.bytes), bare(policy))
    for (const forged of [{ ...prepared }, { ...prepared, namespace: 'postern-login-v1' as const }, Object.create(prepared)]) {
      await expect(sign(forged, options(passkeys))).rejects.toThrow(TypeError)
    }
    expect(challenges).toEqual([])
  })

  test('not what somebody changed after it was shown', async () => {
    const found = bare({ bytes: policy.bytes.slice() })
    const prepared = prepare(waiting(policy.bytes), found)
    found.bytes.fill(0)
    prepared.bytes.fill(0)
    expect(() => Object.assign(prepared, { namespace: 'postern-login-v1' })).toThrow(TypeError)
    expect(() => (prepared.sentences as string[]).push('Something else.')).toThrow(TypeError)
    expect(bytesToSign(prepared)).toEqual(policy.bytes)
  })

  test('a passkey that nobody knows signs nothing but a login', async () => {
    const { passkeys } = recording()
    await expect(sign(prepare(waiting(policy.bytes), bare(policy)), options(passkeys, []))).rejects.toMatchObject({
      code: 'UNKNOWN_PASSKEY',
    })
  })

  test('where its key is not known, a login carries one signature for each key that fits, and one of them is right', async () => {
    const { passkeys } = recording()
    const prepared = prepare(login, bare(policy))
    const signatures = await signUnknown(prepared, options(passkeys, []))
    const good = signatures.filter((signature) => {
      try {
        return verifyDetached(ana.publicKey, 'postern-login-v1', prepared.bytes, signature, site, suite) !== undefined
      } catch {
        return false
      }
    })
    expect(signatures.length).toBeLessThanOrEqual(2)
    expect(good).toHaveLength(1)
  })

  test('an answer of an authenticator at another address is not passed on', async () => {
    const { passkeys } = recording()
    const elsewhere = { ...options(passkeys), site: { origins: ['https://evil.example'], rpId: 'evil.example' } }
    await expect(sign(prepare(waiting(policy.bytes), bare(policy)), elsewhere)).rejects.toMatchObject({ code: 'PASSKEY_FAILED' })
  })
})

describe('whatever comes in', () => {
  const requests: readonly SignerRequest[] = [waiting(enrolment.bytes), waiting(policy.bytes), waiting(revoking.bytes, 'revocation'), login]
  const objects = [
    enrolment.bytes,
    policy.bytes,
    revoking.bytes,
    organisation.entries[0]!.bytes,
    grown.entries[1]!.bytes,
    decodeBase64url(enrolmentRequest()),
  ]
  function enrolmentRequest(): string {
    return requestOf(organisation.org, 'gateway', '@gw-paris').request
  }
  const spoilt = fc.tuple(fc.constantFrom(...objects), fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat()).map(([bytes, at, by, end]) => {
    const copy = bytes.slice()
    copy[at % copy.length]! ^= by
    return copy.subarray(0, end % 4 === 0 ? end % copy.length : copy.length)
  })
  const anyBytes = fc.oneof(fc.constantFrom(...objects), spoilt, fc.uint8Array({ maxLength: 300 }))
  const anyRequest = fc.oneof(
    fc.constantFrom(...requests),
    // a hostile console names the hash of whatever it serves, and mixes kinds, organisations and fields
    fc
      .record({
        from: fc.constantFrom(...requests),
        kind: fc.constantFrom('statement', 'revocation', 'login', 'approval', 'genesis'),
        org: fc.constantFrom(organisation.org, other.org),
      })
      .map(({ from, kind, org }) => ({ ...from, kind, org }) as unknown as SignerRequest),
  )
  const pins = [pin, { ...pin, state: other.state }, { ...pin, state: organisation.state }]

  test('a signature says what was shown, or there is none', async () => {
    let signed = 0
    await fc.assert(
      fc.asyncProperty(anyRequest, anyBytes, fc.boolean(), fc.constantFrom(...pins), async (asked, bytes, isNamed, at) => {
        const named = isNamed && 'sha256' in asked ? { ...asked, sha256: sha(bytes) } : asked
        let prepared: Prepared
        try {
          prepared = prepare(parseSignerRequest(encodeSignerRequest(named)), { bytes, signatures: [] }, at)
        } catch (error) {
          if (error instanceof SignerError || error instanceof VerifyError) return
          throw error
        }
        expect(prepared.kind).toBe(named.kind)
        if (prepared.kind !== 'login') expect(bytesToSign(prepared)).toEqual(bytes)
        await expectShownIsSigned(prepared, at.state)
        signed += 1
      }),
      { numRuns: 600 },
    )
    expect(signed).toBeGreaterThan(20)
  }, 60_000)

  test('a fragment that is cut, changed or made up is refused, or is the request it says', () => {
    const fragments = requests.map(encodeSignerRequest)
    fc.assert(
      fc.property(
        fc.constantFrom(...fragments),
        fc.nat(),
        fc.constantFrom(...'AZaz09-_.%'),
        fc.boolean(),
        (fragment, at, letter, isCut) => {
          const place = at % fragment.length
          const text = isCut ? fragment.slice(0, place) : fragment.slice(0, place) + letter + fragment.slice(place + 1)
          try {
            expect(encodeSignerRequest(parseSignerRequest(text))).toBe(text)
          } catch (error) {
            if (!(error instanceof VerifyError)) throw error
          }
        },
      ),
    )
  })
})
