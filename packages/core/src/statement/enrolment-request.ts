import { decodeBase64url } from '../bytes/base64url.ts'
import { encodeCanonical, parseSigned } from '../bytes/canonical.ts'
import type { JsonValue } from '../bytes/json.ts'
import type { Shape } from '../bytes/shape.ts'
import { bytesOf, digest, list, object, unixSeconds } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import { admitPublicKey, publicKeyShape } from '../key/admission.ts'
import type { AtSign } from '../key/atsign.ts'
import { atSignShape } from '../key/atsign.ts'
import { verifyDetached } from '../key/detached.ts'
import type { KeyUse, PublicKey } from '../key/public-key.ts'
import { keyIdOf } from '../key/public-key.ts'
import type { Signature } from '../key/signature.ts'
import type { SignatureSuite } from '../key/suite.ts'
import type { SignerSite } from '../key/webauthn.ts'
import type { IdentityKind } from './names.ts'
import { identityKind } from './names.ts'

/** What a machine or person asks an organisation for. Stands verbatim in the statement that grants it. */
export type EnrolmentRequest = {
  readonly org: string
  readonly kind: IdentityKind
  readonly atsign: AtSign
  readonly keys: readonly PublicKey[]
  /** 16 random bytes: a resumed request has other comparison words. */
  readonly nonce: string
  /** Unix seconds; the statement's `at` is not later. */
  readonly exp: number
  /** Agents: the person who is asked, and will own it. */
  readonly owner?: AtSign
}

export const MAX_KEYS = 16
export const publicKeys: Shape<readonly PublicKey[]> = list(publicKeyShape, MAX_KEYS, 1)
const requestShape: Shape<EnrolmentRequest> = object(
  { org: digest, kind: identityKind, atsign: atSignShape, keys: publicKeys, nonce: bytesOf(16), exp: unixSeconds },
  { owner: atSignShape },
)

/** Use → how many keys of it each kind has. What is not listed it cannot have. */
const KEYS_OF = {
  person: { sign: [1, 8], seal: [0, 8] },
  gateway: { issue: [1, 1], receipt: [1, 1], auth: [1, 1], channel: [1, 1], seal: [1, 1] },
  agent: { call: [1, 1], auth: [1, 1], channel: [1, 1] },
} as const satisfies Record<IdentityKind, Partial<Record<KeyUse, readonly [min: number, max: number]>>>

/** X25519 keys cannot sign: the request vouches for them. */
const PROVEN: ReadonlySet<KeyUse> = new Set<KeyUse>(['sign', 'issue', 'receipt', 'auth', 'call'])
export const provenKeys = (keys: readonly PublicKey[]): readonly PublicKey[] => keys.filter((key) => PROVEN.has(key.use))

/**
 * Reads a request and checks that it has the keys its kind needs, each admissible. Does NOT check proofs, time, or whether the
 * name and the keys are free.
 * @throws {VerifyError} those of `parseObject`; BAD_KEY, WRONG_KEY_USE
 * @see packages/core/spec/enrolment.md §2
 */
export function parseEnrolmentRequest(bytes: Uint8Array): EnrolmentRequest {
  const request = requestShape(parseSigned(bytes), '')
  if (request.owner && request.kind !== 'agent') throw new VerifyError('MALFORMED', `owner: a ${request.kind} has none`)
  checkKeySet(request.kind, request.keys)
  return request
}

/**
 * @throws {VerifyError} WRONG_KEY_USE for a key too many, too few or of a use the kind does not have; BAD_KEY
 */
export function checkKeySet(kind: IdentityKind, keys: readonly PublicKey[]): void {
  const allowed: Partial<Record<KeyUse, readonly [number, number]>> = KEYS_OF[kind]
  for (const key of keys) {
    if (!Object.hasOwn(allowed, key.use)) throw new VerifyError('WRONG_KEY_USE', `a ${kind} has no ${key.use} key`)
    admitPublicKey(key)
  }
  for (const [use, [min, max]] of Object.entries(allowed)) {
    const count = keys.filter((key) => key.use === use).length
    if (count < min || count > max) throw new VerifyError('WRONG_KEY_USE', `a ${kind} has ${min}–${max} ${use} keys, found ${count}`)
  }
}

/** The bytes that the new keys sign, after the checks of `parseEnrolmentRequest`. */
export function encodeEnrolmentRequest(request: EnrolmentRequest): Uint8Array {
  const bytes = encodeCanonical(request as JsonValue)
  parseEnrolmentRequest(bytes)
  return bytes
}

/**
 * Checks that every new signing key signed exactly these bytes: one proof per key, and no other. Does NOT check time or names.
 * @param site Where passkeys sign, from authority state.
 * @throws {VerifyError} BAD_PROOF with the reason as its cause; those of `parseEnrolmentRequest`
 * @see packages/core/spec/enrolment.md §3
 */
export function verifyEnrolmentRequest(
  bytes: Uint8Array,
  proofs: readonly Signature[],
  site: SignerSite,
  suite: SignatureSuite,
): EnrolmentRequest {
  const request = parseEnrolmentRequest(bytes)
  const keys = provenKeys(request.keys)
  if (proofs.length !== keys.length) throw new VerifyError('BAD_PROOF', `expected ${keys.length} proofs, found ${proofs.length}`)
  for (const key of keys) {
    const proof = proofs.find(({ kid }) => kid === keyIdOf(key))
    if (!proof) throw new VerifyError('BAD_PROOF', `the ${key.use} key ${keyIdOf(key)} proves nothing`)
    try {
      verifyDetached(key, 'postern-enrolment-v1', bytes, proof, site, suite)
    } catch (cause) {
      throw new VerifyError('BAD_PROOF', `the ${key.use} key ${keyIdOf(key)} did not sign the request`, { cause })
    }
  }
  return request
}

/** `body.request` of an enrolling statement: base64url of the request's bytes. */
export const requestBytes = (request: string): Uint8Array => decodeBase64url(request)
