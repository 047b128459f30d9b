// packages/core/spec/hold.md §1
import type { Shape } from '../bytes/shape.ts'
import { bytesOf, digest, integer, object, oneOf, text, unixSeconds } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import type { AtSign } from '../key/atsign.ts'
import { atSignShape } from '../key/atsign.ts'
import type { Claims, KeyResolver, TokenContext, Verified } from '../key/jws.ts'
import { checkTimes, signToken, tokenType, verifyToken } from '../key/jws.ts'
import { keyIdShape } from '../key/public-key.ts'
import type { SignatureSuite } from '../key/suite.ts'
import type { RiskClass } from '../statement/names.ts'
import { riskClass, sortedSet } from '../statement/names.ts'
import type { Approval, HeldCall } from './approval.ts'
import { MAX_HOLD_SECONDS } from './approval.ts'

export const MAX_APPROVERS = 64

/** What a gateway says about a call that it holds. `iss` is the gateway. Times are Unix seconds. */
export type Hold = Claims & {
  /** 16 random bytes: the request on the control plane. */
  readonly id: string
  readonly epoch: string
  readonly agent: AtSign
  /** The person named as owner in the agent's enrolment. */
  readonly owner?: AtSign
  readonly gth: string
  readonly cth: string
  readonly server: string
  readonly tool: string
  /** Digest of the pinned definition. */
  readonly schema: string
  /** What the server calls the tool: its own word. */
  readonly title?: string
  readonly a: string
  readonly risk: RiskClass
  /** SHA-256 and name of the policy that asks. */
  readonly pol: string
  readonly policy: string
  readonly rule: string
  readonly line: number
  /** The agent's word, verified by nobody. */
  readonly intent?: string
  /** Who may decide and can open it, sorted. */
  readonly approvers: readonly AtSign[]
  readonly iat: number
  readonly exp: number
}

const shape: Shape<Hold> = (value, path) => {
  const hold: Hold = fields(value, path)
  if (hold.exp <= hold.iat || hold.exp > hold.iat + MAX_HOLD_SECONDS) {
    throw new VerifyError('MALFORMED', `exp: expected up to ${MAX_HOLD_SECONDS} s after iat`)
  }
  return hold
}
const fields = object(
  {
    v: oneOf(1),
    org: digest,
    iss: atSignShape,
    kid: keyIdShape,
    id: bytesOf(16),
    epoch: bytesOf(16),
    agent: atSignShape,
    gth: digest,
    cth: digest,
    server: text(64, 1),
    tool: text(128, 1),
    schema: digest,
    a: digest,
    risk: riskClass,
    pol: digest,
    policy: text(64, 1),
    rule: text(64, 1),
    line: integer(1, Number.MAX_SAFE_INTEGER),
    approvers: sortedSet(atSignShape, MAX_APPROVERS, 1) as Shape<readonly AtSign[]>,
    iat: unixSeconds,
    exp: unixSeconds,
  },
  { owner: atSignShape, title: text(200, 1), intent: text(160, 1) },
)
const type = tokenType('hold', 'receipt', shape)

/**
 * Signs a hold with the gateway's receipt key. Does NOT check that the seed belongs to `kid`.
 * @throws {VerifyError} MALFORMED, UNKNOWN_FIELD, UNSAFE_TEXT, TOO_LARGE
 */
export const signHold = (hold: Hold, seed: Uint8Array, suite: SignatureSuite): string => signToken(type, hold, seed, suite)

/**
 * Checks that an enrolled gateway says it holds this call, and that its deadline has not passed. Does NOT check that it still does, nor
 * what it says about rule and approvers; nor parameters, see `openHeld`.
 * @throws {VerifyError} as `verifyToken`; NOT_YET_VALID, EXPIRED
 * @see packages/core/spec/hold.md §1
 */
export function verifyHold(token: string, resolve: KeyResolver, context: TokenContext): Verified<Hold> {
  const hold = verifyToken(type, token, resolve, context)
  checkTimes(hold.iat, hold.exp, context.now, context.toleranceSeconds)
  return hold as Verified<Hold>
}

/** The call that a hold is about, as approvals name it. */
export const heldCallOf = ({ org, iss, epoch, agent, gth, cth, server, tool, schema, a, exp }: Hold): HeldCall => ({
  ...{ org, gateway: iss, epoch, agent, gth, cth, server, tool, schema, a, exp },
})

/** What an approver signs about a held call, for `encodeApproval`. @param at Unix seconds. */
export const approvalOf = (hold: Verified<Hold>, decision: Approval['decision'], at: number, reason?: string): Approval => ({
  ...heldCallOf(hold),
  ...{ decision, at },
  ...(reason === undefined ? {} : { reason }),
})
