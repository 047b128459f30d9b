import type { Shape } from '../bytes/shape.ts'
import { bytesOf, list } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import type { AtSign } from '../key/atsign.ts'
import type { KeyId, PublicKey } from '../key/public-key.ts'
import { keyIdOf } from '../key/public-key.ts'
import type { Signature } from '../key/signature.ts'
import { signatureShape } from '../key/signature.ts'
import type { SignatureSuite } from '../key/suite.ts'
import type { EnrolmentRequest } from './enrolment-request.ts'
import { MAX_KEYS, requestBytes, verifyEnrolmentRequest } from './enrolment-request.ts'
import type { IdentityKind } from './names.ts'
import type { Identity, KnownKey, State } from './state.ts'

/** The two fields by which every enrolling statement carries a request. */
export type RequestBody = { readonly request: string; readonly proofs: readonly Signature[] }
export const requestFields: { request: Shape<string>; proofs: Shape<readonly Signature[]> } = {
  request: bytesOf(undefined, 8_192),
  proofs: list(signatureShape, MAX_KEYS, 1),
}

/**
 * The request of an enrolling statement, checked against the state before: organisation, kind, proofs, time.
 * @throws {VerifyError} WRONG_ORG, WRONG_KIND, REQUEST_EXPIRED, BAD_PROOF and those of `parseEnrolmentRequest`
 */
export function openRequest(state: State, body: RequestBody, kind: IdentityKind, at: number, suite: SignatureSuite): EnrolmentRequest {
  const request = verifyEnrolmentRequest(requestBytes(body.request), body.proofs, state.site, suite)
  if (request.org !== state.org) throw new VerifyError('WRONG_ORG', `request to organisation ${request.org}, expected ${state.org}`)
  if (request.kind !== kind) throw new VerifyError('WRONG_KIND', `request of kind ${request.kind}, expected ${kind}`)
  if (at > request.exp) throw new VerifyError('REQUEST_EXPIRED', `the request ended at ${request.exp}, the statement is of ${at}`)
  return request
}

/** What an enrolment is made of, apart from what `enrol` works out itself. */
export type NewIdentity = Omit<Identity, 'enrolledSeq' | 'tags'> & { readonly tags?: Identity['tags'] }

/**
 * Enrols, or replaces the live enrolment of the same name: its keys end, unless the new one lists them again.
 * @throws {VerifyError} KIND_CHANGED, KEY_REUSED
 */
export function enrol(state: State, seq: number, identity: NewIdentity): State {
  const { atsign, kind } = identity
  const known = state.names.get(atsign)
  if (known && known !== kind) throw new VerifyError('KIND_CHANGED', `${atsign} is a ${known} and stays one`)
  const ended = endIdentity(state, atsign)
  const kids = identity.keys.map(keyIdOf)
  return {
    ...ended,
    names: new Map(ended.names).set(atsign, kind),
    identities: new Map(ended.identities).set(atsign, { tags: [], ...identity, enrolledSeq: seq }),
    keys: claimKeys(ended, identity),
    enrolments: new Map(ended.enrolments).set(identity.enrolment, recordOf(ended, identity, kids)),
  }
}

function recordOf(state: State, { atsign, kind, owner, broughtBy, enrolment }: NewIdentity, kids: readonly KeyId[]) {
  const earlier = state.enrolments.get(enrolment)?.kids ?? [] // identity.rotate keeps the enrolment
  return { atsign, kind, ...(owner && { owner }), ...(broughtBy && { broughtBy }), kids: [...earlier, ...kids] }
}

/**
 * A key belongs to one name and one use for ever, so none verifies in a role it was not enrolled for.
 * @throws {VerifyError} KEY_REUSED
 */
function claimKeys(state: State, { atsign, keys, enrolment, admin }: NewIdentity): ReadonlyMap<KeyId, KnownKey> {
  const claimed = new Map(state.keys)
  const seen = new Set<KeyId>()
  for (const key of keys) {
    const kid = keyIdOf(key)
    const known = state.keys.get(kid)
    if (seen.has(kid) || state.reserved.has(kid) || (known && !isSameKey(known, atsign, key))) {
      throw new VerifyError('KEY_REUSED', `key ${kid} was enrolled before, for another name or use`)
    }
    seen.add(kid)
    const everAdmin = (known?.everAdmin ?? false) || (admin && key.use === 'sign')
    claimed.set(kid, { atsign, use: key.use, key, live: true, enrolment, everAdmin })
  }
  return claimed
}

const isSameKey = (known: KnownKey, atsign: AtSign, key: PublicKey): boolean =>
  known.atsign === atsign && known.use === key.use && known.key.alg === key.alg

/** The name stays taken and its keys stay known; both are no longer live. Nothing happens to a name that is not live. */
export function endIdentity(state: State, atsign: AtSign): State {
  const identity = state.identities.get(atsign)
  if (!identity) return state
  const identities = new Map(state.identities)
  identities.delete(atsign)
  const keys = new Map(state.keys)
  for (const key of identity.keys) {
    const kid = keyIdOf(key)
    keys.set(kid, { ...keys.get(kid)!, live: false })
  }
  return { ...state, identities, keys }
}

/**
 * Recovery and invite keys stand outside identities, and are never used twice either.
 * @throws {VerifyError} KEY_REUSED
 */
export function reserveKey(state: State, key: PublicKey, as: 'recovery' | 'invite'): State {
  const kid = keyIdOf(key)
  if (state.reserved.has(kid) || state.keys.has(kid)) throw new VerifyError('KEY_REUSED', `key ${kid} was used before`)
  return { ...state, reserved: new Map(state.reserved).set(kid, as) }
}

/** @throws {VerifyError} UNKNOWN_NAME, WRONG_KIND */
export function liveIdentity(state: State, atsign: AtSign, kind: IdentityKind): Identity {
  const identity = state.identities.get(atsign)
  if (!identity) throw new VerifyError('UNKNOWN_NAME', `${atsign} is not enrolled`)
  if (identity.kind !== kind) throw new VerifyError('WRONG_KIND', `${atsign} is a ${identity.kind}, expected a ${kind}`)
  return identity
}

/**
 * Leases begin with the statement; they are ended by clocks at enforcement and never in the chain.
 * @throws {VerifyError} BAD_TIME
 */
export function checkLease(exp: number, at: number, latest: number, what: string): void {
  if (exp <= at) throw new VerifyError('BAD_TIME', `${what} ends at ${exp}, before it begins at ${at}`)
  if (exp > latest) throw new VerifyError('BAD_TIME', `${what} ends at ${exp}, later than ${latest}`)
}
