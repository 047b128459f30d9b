// packages/core/spec/approval.md
import { encodeCanonical, parseSigned } from '../bytes/canonical.ts'
import type { JsonValue } from '../bytes/json.ts'
import type { Shape } from '../bytes/shape.ts'
import { bytesOf, digest, object, oneOf, text, unixSeconds } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import type { AtSign } from '../key/atsign.ts'
import { atSignShape } from '../key/atsign.ts'
import { verifyDetached } from '../key/detached.ts'
import type { Verified } from '../key/jws.ts'
import { CLOCK_TOLERANCE_SECONDS } from '../key/jws.ts'
import type { Signature, Signed } from '../key/signature.ts'
import { MAX_SIGNATURES } from '../key/signature.ts'
import type { SignatureSuite } from '../key/suite.ts'
import { isRevoked } from '../statement/is-revoked.ts'
import type { RevocationSet } from '../statement/revocation-set.ts'
import { standingOf } from '../statement/standing.ts'
import type { State } from '../statement/state.ts'

/** A call may wait for a person this long at most, whatever the policy says. */
export const MAX_HOLD_SECONDS = 900

/** What names the one call: the gateway rebuilds all of it from what it holds. */
export type HeldCall = {
  readonly org: string
  readonly gateway: AtSign
  /** Of the gateway's run. */
  readonly epoch: string
  readonly agent: AtSign
  /** Token hashes of grant and call. */
  readonly gth: string
  readonly cth: string
  readonly server: string
  readonly tool: string
  /** Digest of the pinned tool definition. */
  readonly schema: string
  /** Salted digest of the exact parameters. */
  readonly a: string
  /** Deadline, Unix seconds. */
  readonly exp: number
}

/** One person's decision about one held call. `at` is Unix seconds; a `reason` goes with `refuse` only. */
export type Approval = HeldCall & { readonly decision: 'approve' | 'refuse'; readonly at: number; readonly reason?: string }

const heldFields = {
  org: digest,
  gateway: atSignShape,
  epoch: bytesOf(16),
  agent: atSignShape,
  gth: digest,
  cth: digest,
  server: text(64, 1),
  tool: text(128, 1),
  schema: digest,
  a: digest,
  exp: unixSeconds,
}
const HELD_FIELDS = Object.keys(heldFields) as readonly (keyof HeldCall)[]
const fields = object({ ...heldFields, decision: oneOf('approve', 'refuse'), at: unixSeconds }, { reason: text(280, 1) })

const shape: Shape<Approval> = (value, path) => {
  const approval: Approval = fields(value, path)
  const { at, exp, decision, reason } = approval
  if (at >= exp || exp > at + MAX_HOLD_SECONDS)
    throw new VerifyError('BAD_TIME', `an approval is signed at most ${MAX_HOLD_SECONDS} seconds before its deadline ${exp}, not at ${at}`)
  if (reason !== undefined && decision !== 'refuse') throw new VerifyError('MALFORMED', 'reason: only a refusal has one')
  return approval
}

/**
 * @throws {VerifyError} those of `parseSigned`; MALFORMED, UNKNOWN_FIELD, BAD_TIME
 * @see packages/core/spec/approval.md §2
 */
export const parseApproval = (bytes: Uint8Array): Approval => shape(parseSigned(bytes), '')

/** The bytes to sign, after the checks of `parseApproval`. */
export function encodeApproval(approval: Approval): Uint8Array {
  const bytes = encodeCanonical(approval as JsonValue)
  parseApproval(bytes)
  return bytes
}

/** What the verifier knows by itself. */
export interface ApprovalContext {
  /** Who may decide by the policy of this moment: `approvers` of the decision that asks. Standing is looked at here. */
  readonly approvers: readonly AtSign[]
  readonly revocations: RevocationSet
  /** Unix seconds, by the verifier's own clock, which is also the one that set the deadline. */
  readonly now: number
  readonly suite: SignatureSuite
}

/** Who decided. */
export type Decided = Verified<Approval> & { readonly by: AtSign }

/**
 * Checks that somebody who may decided about exactly the held call, now: every field against `held`, times, one signature by a live
 * signing key of a person who is in standing and among `approvers`. Does NOT check that the call is still held, was not decided
 * before, or may run: see packages/core/spec/approval.md §3.
 * @throws {VerifyError} those of `parseApproval`; WRONG_ORG, WRONG_CALL, NOT_YET_VALID, EXPIRED, NOT_ENTITLED, BAD_SIGNATURE, TOO_LARGE
 */
export function verifyApproval(signed: Signed, held: HeldCall, state: State, context: ApprovalContext): Decided {
  const approval = parseApproval(signed.bytes)
  checkSameCall(approval, held)
  const { now } = context
  if (now < approval.at - CLOCK_TOLERANCE_SECONDS) throw new VerifyError('NOT_YET_VALID', `signed at ${approval.at}, now ${now}`)
  if (now >= held.exp) throw new VerifyError('EXPIRED', `could be decided until ${held.exp}, now ${now}`)
  return { ...approval, by: deciderOf(signed, approval, state, context) } as Decided
}

/**
 * Whether both name one and the same call.
 * @throws {VerifyError} WRONG_ORG, WRONG_CALL, naming the first field that differs
 */
export function checkSameCall(found: HeldCall, held: HeldCall): void {
  if (found.org !== held.org) throw new VerifyError('WRONG_ORG', `about organisation ${found.org}, expected ${held.org}`)
  const other = HELD_FIELDS.find((name) => found[name] !== held[name])
  if (other) throw new VerifyError('WRONG_CALL', `about another call: ${other} is not that of the held one`)
}

/** @throws {VerifyError} NOT_ENTITLED, BAD_SIGNATURE, TOO_LARGE */
function deciderOf(signed: Signed, { agent }: Approval, state: State, context: ApprovalContext): AtSign {
  if (signed.signatures.length > MAX_SIGNATURES) throw new VerifyError('TOO_LARGE', `more than ${MAX_SIGNATURES} signatures`)
  let unfit: string | undefined
  for (const signature of signed.signatures) {
    const person = signerOf(signed, signature, state, context.suite)
    if (!person) continue
    const why = whyNot(person, signature, agent, state, context)
    if (why === undefined) return person
    unfit ??= `${person} ${why}`
  }
  if (unfit !== undefined) throw new VerifyError('NOT_ENTITLED', unfit)
  throw new VerifyError('BAD_SIGNATURE', 'not signed by a live key of anybody')
}

function signerOf(signed: Signed, signature: Signature, state: State, suite: SignatureSuite): AtSign | undefined {
  const known = state.keys.get(signature.kid)
  if (!known?.live || known.use !== 'sign') return undefined
  try {
    verifyDetached(known.key, 'postern-approval-v1', signed.bytes, signature, state.site, suite)
    return known.atsign
  } catch (error) {
    if (error instanceof VerifyError) return undefined
    throw error
  }
}

function whyNot(
  person: AtSign,
  { kid }: Signature,
  agent: AtSign,
  state: State,
  { approvers, revocations, now }: ApprovalContext,
): string | undefined {
  if (person === agent || !approvers.includes(person)) return 'may not decide about this call'
  const standing = standingOf(state, revocations, person, now)
  if (!standing.ok) return `may not decide now: ${standing.reason}`
  if (standing.identity.kind !== 'person') return `is a ${standing.identity.kind}`
  return isRevoked(revocations, state, { kid }, now) ? 'signed with a key that is revoked' : undefined
}
