import { encodeCanonical, parseSigned } from '../bytes/canonical.ts'
import type { JsonValue } from '../bytes/json.ts'
import { bytesOf, digest, object, unixSeconds } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import { admitPublicKey, publicKeyShape } from '../key/admission.ts'
import type { AtSign } from '../key/atsign.ts'
import { atSignShape } from '../key/atsign.ts'
import { verifyDetached } from '../key/detached.ts'
import type { Verified } from '../key/jws.ts'
import { checkTimes } from '../key/jws.ts'
import type { PublicKey } from '../key/public-key.ts'
import { keyIdOf } from '../key/public-key.ts'
import type { Signed } from '../key/signature.ts'
import type { SignatureSuite } from '../key/suite.ts'
import { isRevoked } from './is-revoked.ts'
import { checkUse } from './key-use.ts'
import type { RevocationSet } from './revocation-set.ts'
import { originShape } from './sites.ts'
import { standingOf } from './standing.ts'
import type { State } from './state.ts'

/** A person signs in at one console, or names the key with which the CLI signs its requests. */
export type Login = {
  readonly org: string
  readonly atsign: AtSign
  /** Origin of the console or control plane this is for. */
  readonly console: string
  /** 16 bytes of the console; tied to the browser or CLI that asked. */
  readonly nonce: string
  readonly at: number
  /** At most 120 s after `at`. */
  readonly exp: number
  /** CLI: an `auth` key for RFC 9421 requests. */
  readonly session_key?: PublicKey
}

export const MAX_LOGIN_SECONDS = 120

const loginShape = object(
  { org: digest, atsign: atSignShape, console: originShape, nonce: bytesOf(16), at: unixSeconds, exp: unixSeconds },
  { session_key: publicKeyShape },
)

/**
 * @throws {VerifyError} those of `parseSigned`; MALFORMED, UNKNOWN_FIELD, BAD_TIME, WRONG_KEY_USE, BAD_KEY
 * @see packages/core/spec/login.md §2
 */
export function parseLogin(bytes: Uint8Array): Login {
  const login: Login = loginShape(parseSigned(bytes), '')
  const { at, exp, session_key } = login
  if (exp <= at || exp > at + MAX_LOGIN_SECONDS)
    throw new VerifyError('BAD_TIME', `a login lasts at most 120 seconds from at ${at}, not until ${exp}`)
  if (session_key) {
    checkUse(session_key, 'auth')
    admitPublicKey(session_key)
  }
  return login
}

/** The bytes to sign, after the checks of `parseLogin`. */
export function encodeLogin(login: Login): Uint8Array {
  const bytes = encodeCanonical(login as JsonValue)
  parseLogin(bytes)
  return bytes
}

/** What the verifier knows by itself. */
export interface LoginContext {
  /** Its own origin. A browser login must also be for one of the consoles in authority state. */
  readonly console: string
  readonly revocations: RevocationSet
  /** Unix seconds. */
  readonly now: number
  readonly suite: SignatureSuite
}

/**
 * Checks that an enrolled person signed in here, now: organisation, console, times, standing, one signature by a live signing key
 * that is not revoked. Does NOT check the nonce: the verifier knows which it gave out, to whom, and whether it was used.
 * @throws {VerifyError} those of `parseLogin`; WRONG_ORG, WRONG_AUDIENCE, NOT_YET_VALID, EXPIRED, NOT_ENTITLED, BAD_SIGNATURE
 * @see packages/core/spec/login.md §3
 */
export function verifyLogin(signed: Signed, state: State, context: LoginContext): Verified<Login> {
  const login = parseLogin(signed.bytes)
  if (login.org !== state.org) throw new VerifyError('WRONG_ORG', `login to organisation ${login.org}, expected ${state.org}`)
  checkAudience(login, state, context.console)
  checkTimes(login.at, login.exp, context.now)
  checkPerson(login, state, context)
  if (!isSignedByPerson(signed, login, state, context))
    throw new VerifyError('BAD_SIGNATURE', `not signed by a live key of ${login.atsign}`)
  return login as Verified<Login>
}

/** @throws {VerifyError} WRONG_AUDIENCE */
function checkAudience(login: Login, state: State, console: string): void {
  const isKnown = login.session_key !== undefined || state.consoleOrigins.includes(login.console)
  if (login.console !== console || !isKnown) throw new VerifyError('WRONG_AUDIENCE', `login at ${login.console}, expected ${console}`)
}

/** @throws {VerifyError} NOT_ENTITLED */
function checkPerson({ atsign }: Login, state: State, { revocations, now }: LoginContext): void {
  const standing = standingOf(state, revocations, atsign, now)
  if (!standing.ok) throw new VerifyError('NOT_ENTITLED', `${atsign}: ${standing.reason}`)
  if (standing.identity.kind !== 'person') throw new VerifyError('NOT_ENTITLED', `${atsign} is a ${standing.identity.kind}`)
}

function isSignedByPerson(signed: Signed, { atsign }: Login, state: State, { revocations, now, suite }: LoginContext): boolean {
  const keys = state.identities.get(atsign)!.keys.filter(({ use }) => use === 'sign')
  return keys.some((key) => {
    const kid = keyIdOf(key)
    const signature = signed.signatures.find((candidate) => candidate.kid === kid)
    if (!signature || isRevoked(revocations, state, { kid }, now)) return false
    try {
      verifyDetached(key, 'postern-login-v1', signed.bytes, signature, state.site, suite)
      return true
    } catch (error) {
      if (error instanceof VerifyError) return false
      throw error
    }
  })
}
