// packages/core/spec/call.md
import type { Shape } from '../bytes/shape.ts'
import { bytesOf, digest, integer, object, oneOf, text, unixSeconds } from '../bytes/shape.ts'
import { atSignShape } from '../key/atsign.ts'
import type { Claims, KeyResolver, TokenContext, Verified } from '../key/jws.ts'
import { CLOCK_TOLERANCE_SECONDS, checkTimes, signToken, tokenType, verifyToken } from '../key/jws.ts'
import { keyIdShape } from '../key/public-key.ts'
import type { SignatureSuite } from '../key/suite.ts'

/** One call of one tool, signed by the agent. `iat` is Unix seconds. */
export type Call = Claims & {
  /** Token hash of the grant. */
  readonly gth: string
  readonly tool: string
  readonly server: string
  /** Salted digest of the exact parameters. */
  readonly a: string
  /** Counter under this grant, from 1. */
  readonly n: number
  /** Handshake hash of the channel. */
  readonly cb: string
  /** 16 random bytes: a repeated one gets the retained result. */
  readonly id: string
  readonly iat: number
  /** Token hash of the call that this one continues after `input_required`. */
  readonly re?: string
}

const shape: Shape<Call> = object(
  {
    v: oneOf(1),
    org: digest,
    iss: atSignShape,
    kid: keyIdShape,
    gth: digest,
    tool: text(128, 1),
    server: text(64, 1),
    a: digest,
    n: integer(1, Number.MAX_SAFE_INTEGER),
    cb: digest,
    id: bytesOf(16),
    iat: unixSeconds,
  },
  { re: digest },
)
const type = tokenType('call', 'call', shape)

/**
 * Signs a call with the agent's call key. Does NOT check that the seed belongs to `kid`.
 * @throws {VerifyError} MALFORMED, UNKNOWN_FIELD, UNSAFE_TEXT, TOO_LARGE
 */
export const signCall = (call: Call, seed: Uint8Array, suite: SignatureSuite): string => signToken(type, call, seed, suite)

/**
 * Checks that an enrolled agent signed this call within two minutes of now, whatever `toleranceSeconds` says. Does NOT check that it belongs
 * to this grant, channel, tool or arguments, nor counter, replay or revocation: the whole order is in packages/core/spec/call.md §3.
 * @throws {VerifyError} as `verifyToken`; NOT_YET_VALID, EXPIRED
 * @see packages/core/spec/call.md §2
 */
export function verifyCall(token: string, resolve: KeyResolver, context: TokenContext): Verified<Call> {
  const call = verifyToken(type, token, resolve, context)
  checkTimes(call.iat, call.iat, context.now, CLOCK_TOLERANCE_SECONDS)
  return call as Verified<Call>
}
