// packages/core/spec/grant.md §2
import type { Shape } from '../bytes/shape.ts'
import { bytesOf, digest, object, oneOf, text, unixSeconds } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import type { AtSign } from '../key/atsign.ts'
import { atSignShape } from '../key/atsign.ts'
import type { Claims, KeyResolver, TokenContext, Verified } from '../key/jws.ts'
import { checkTimes, signToken, tokenType, verifyToken } from '../key/jws.ts'
import { keyIdShape } from '../key/public-key.ts'
import type { SignatureSuite } from '../key/suite.ts'
import type { AskDetail } from './details.ts'
import { askDetailsShape } from './details.ts'

/** Longest life of an ask. */
export const MAX_ASK_SECONDS = 60

/** An agent's request for a grant, signed by its call key. Times are Unix seconds; `jti` is 16 random bytes. */
export type Ask = Claims & {
  readonly aud: AtSign
  readonly sub: AtSign
  readonly details: readonly AskDetail[]
  readonly intent?: string
  readonly jti: string
  readonly iat: number
  readonly exp: number
}

const shape: Shape<Ask> = (value, path) => {
  const ask: Ask = fields(value, path)
  if (ask.sub !== ask.iss) throw new VerifyError('MALFORMED', 'sub: an agent asks for itself only')
  if (ask.exp <= ask.iat || ask.exp > ask.iat + MAX_ASK_SECONDS) {
    throw new VerifyError('MALFORMED', `exp: expected up to ${MAX_ASK_SECONDS} s after iat`)
  }
  return ask
}
const fields = object(
  {
    v: oneOf(1),
    org: digest,
    iss: atSignShape,
    kid: keyIdShape,
    aud: atSignShape,
    sub: atSignShape,
    details: askDetailsShape,
    jti: bytesOf(16),
    iat: unixSeconds,
    exp: unixSeconds,
  },
  { intent: text(500, 1) },
)
const type = tokenType('ask', 'call', shape)

/**
 * Signs an ask with the agent's call key. Does NOT check that the seed belongs to `kid`.
 * @throws {VerifyError} MALFORMED, UNKNOWN_FIELD, UNSAFE_TEXT, TOO_LARGE
 */
export const signAsk = (ask: Ask, seed: Uint8Array, suite: SignatureSuite): string => signToken(type, ask, seed, suite)

/**
 * Checks that an enrolled agent asks this gateway, now. Does NOT check revocation, policy, pins, or whether `jti` was seen.
 * @param context `audience`: the gateway's own atSign.
 * @throws {VerifyError} as `verifyToken`; WRONG_AUDIENCE, NOT_YET_VALID, EXPIRED
 * @see packages/core/spec/grant.md §2
 */
export function verifyAsk(token: string, resolve: KeyResolver, context: TokenContext & { readonly audience: AtSign }): Verified<Ask> {
  const ask = verifyToken(type, token, resolve, context)
  if (ask.aud !== context.audience) throw new VerifyError('WRONG_AUDIENCE', `ask for ${ask.aud}, expected ${context.audience}`)
  checkTimes(ask.iat, ask.exp, context.now, context.toleranceSeconds)
  return ask as Verified<Ask>
}
