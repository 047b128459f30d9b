// packages/core/spec/grant.md §3
import type { Shape } from '../bytes/shape.ts'
import { bytesOf, digest, integer, object, oneOf, unixSeconds } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import type { AtSign } from '../key/atsign.ts'
import { atSignShape } from '../key/atsign.ts'
import type { Claims, KeyResolver, TokenContext, Verified } from '../key/jws.ts'
import { checkTimes, signToken, tokenType, verifyToken } from '../key/jws.ts'
import type { KeyId } from '../key/public-key.ts'
import { keyIdShape } from '../key/public-key.ts'
import type { SignatureSuite } from '../key/suite.ts'
import type { GrantDetail } from './details.ts'
import { grantDetailsShape } from './details.ts'
import type { Intent } from './intent.ts'
import { intentShape } from './intent.ts'

/** Longest life of a grant, whatever the policy says. */
export const MAX_GRANT_SECONDS = 600

/** A gateway's permission for one agent. Times are Unix seconds; `epoch` and `jti` are 16 random bytes, `pol` and `log.head` digests. */
export type Grant = Claims & {
  readonly aud: AtSign
  readonly epoch: string
  readonly sub: AtSign
  /** The owner named in the agent's enrolment. */
  readonly obo?: AtSign
  /** The authority log by which it was decided. */
  readonly log: { readonly seq: number; readonly head: string }
  /** SHA-256 of the policy. */
  readonly pol: string
  /** Key id of the one call key that may use it. */
  readonly cnf: { readonly jkt: KeyId }
  readonly jti: string
  readonly nbf: number
  readonly exp: number
  /** Calls in all. */
  readonly max?: number
  readonly authorization_details: readonly GrantDetail[]
  readonly intent?: Intent
}

const shape: Shape<Grant> = (value, path) => {
  const grant: Grant = fields(value, path)
  if (grant.aud !== grant.iss) throw new VerifyError('MALFORMED', 'aud: a grant counts only at the gateway that gave it')
  if (grant.exp <= grant.nbf || grant.exp > grant.nbf + MAX_GRANT_SECONDS) {
    throw new VerifyError('MALFORMED', `exp: expected up to ${MAX_GRANT_SECONDS} s after nbf`)
  }
  return grant
}
const positive = integer(1, Number.MAX_SAFE_INTEGER)
const fields = object(
  {
    v: oneOf(1),
    org: digest,
    iss: atSignShape,
    kid: keyIdShape,
    aud: atSignShape,
    epoch: bytesOf(16),
    sub: atSignShape,
    log: object({ seq: integer(0, Number.MAX_SAFE_INTEGER), head: digest }),
    pol: digest,
    cnf: object({ jkt: keyIdShape }),
    jti: bytesOf(16),
    nbf: unixSeconds,
    exp: unixSeconds,
    authorization_details: grantDetailsShape,
  },
  { obo: atSignShape, max: positive, intent: intentShape },
)
const type = tokenType('grant', 'issue', shape)

/**
 * Signs a grant with the gateway's issue key. Does NOT decide anything, nor check that the seed belongs to `kid`.
 * @throws {VerifyError} MALFORMED, UNKNOWN_FIELD, UNSAFE_TEXT, TOO_LARGE
 */
export const signGrant = (grant: Grant, seed: Uint8Array, suite: SignatureSuite): string => signToken(type, grant, seed, suite)

/**
 * Checks that the gateway named in it gave this grant, and that it is in time. Does NOT check who presents it, whose gateway this is,
 * epoch, policy, pins, revocation or uses left: those are state, and are checked for every call.
 * @param context A gateway that checks its own grant passes `toleranceSeconds: 0`.
 * @throws {VerifyError} as `verifyToken`; NOT_YET_VALID, EXPIRED
 * @see packages/core/spec/grant.md §3
 */
export function verifyGrant(token: string, resolve: KeyResolver, context: TokenContext): Verified<Grant> {
  const grant = verifyToken(type, token, resolve, context)
  checkGrantTimes(grant, context.now, context.toleranceSeconds)
  return grant as Verified<Grant>
}

/**
 * The times alone, for a grant that was verified before.
 * @throws {VerifyError} NOT_YET_VALID, EXPIRED
 */
export const checkGrantTimes = (grant: Grant, now: number, toleranceSeconds?: number): void =>
  checkTimes(grant.nbf, grant.exp, now, toleranceSeconds)
