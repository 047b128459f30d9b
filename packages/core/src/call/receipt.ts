// packages/core/spec/receipt.md §1–2
import type { Shape } from '../bytes/shape.ts'
import { bytesOf, digest, integer, object, oneOf, pattern, text, unixSeconds } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import type { AtSign } from '../key/atsign.ts'
import { atSignShape } from '../key/atsign.ts'
import type { Claims, KeyResolver, TokenContext, Verified } from '../key/jws.ts'
import { CLOCK_TOLERANCE_SECONDS, signToken, tokenType, verifyToken } from '../key/jws.ts'
import { keyIdShape } from '../key/public-key.ts'
import type { SignatureSuite } from '../key/suite.ts'

/** `not_run`: refused before it began. `error`: the server answered with an error. `unknown`: started, and nobody knows how it ended. */
export type ReceiptStatus = 'not_run' | 'ok' | 'error' | 'unknown'

/** What a gateway did with one call. Salted digests only. Times are Unix seconds. */
export type Receipt = Claims & {
  readonly epoch: string
  /** Token hashes of grant and call; absent when the request had none that could be read. */
  readonly gth?: string
  readonly cth?: string
  readonly agent: AtSign
  readonly server: string
  /** Absent when the request named none that can be written. */
  readonly tool?: string
  /** SHA-256 of the policy; absent only while none was ever signed. */
  readonly pol?: string
  readonly decision: 'allow' | 'deny'
  /** `OK`, or a refusal code; a newer gateway may write one that this version does not know. */
  readonly code: string
  /** Id of the rule that decided. */
  readonly rule?: string
  /** A person decided about it: who, and SHA-256 of the bytes that were signed. */
  readonly approval?: { readonly by: AtSign; readonly h: string }
  /** Salted digest of the result. */
  readonly result?: string
  readonly status: ReceiptStatus
  readonly t0: number
  readonly t1: number
  /** How long it took by the gateway's monotonic clock, in milliseconds. */
  readonly ms?: number
  /** 1, 2, 3 … within (`iss`, `epoch`): a gap is a receipt that somebody withholds. */
  readonly rseq: number
}

const shape: Shape<Receipt> = (value, path) => {
  const receipt: Receipt = fields(value, path)
  if ((receipt.decision === 'deny') !== (receipt.status === 'not_run')) {
    throw new VerifyError('MALFORMED', 'status: not_run goes with deny and with nothing else')
  }
  if (receipt.result !== undefined && receipt.status !== 'ok' && receipt.status !== 'error') {
    throw new VerifyError('MALFORMED', `result: a call that is ${receipt.status} has none`)
  }
  if (receipt.t1 < receipt.t0) throw new VerifyError('MALFORMED', 't1: before t0')
  return receipt
}
const fields = object(
  {
    v: oneOf(1),
    org: digest,
    iss: atSignShape,
    kid: keyIdShape,
    epoch: bytesOf(16),
    agent: atSignShape,
    server: text(64, 1),
    decision: oneOf('allow', 'deny'),
    code: pattern(/^[A-Z][A-Z0-9_]{0,39}$/, 'a code'),
    status: oneOf('not_run', 'ok', 'error', 'unknown'),
    t0: unixSeconds,
    t1: unixSeconds,
    rseq: integer(1, Number.MAX_SAFE_INTEGER),
  },
  {
    gth: digest,
    cth: digest,
    tool: text(128, 1),
    pol: digest,
    rule: text(64, 1),
    approval: object({ by: atSignShape, h: digest }),
    result: digest,
    ms: integer(0, Number.MAX_SAFE_INTEGER),
  },
)
const type = tokenType('receipt', 'receipt', shape)

/**
 * Signs a receipt with the gateway's receipt key. Does NOT check that the seed belongs to `kid`.
 * @throws {VerifyError} MALFORMED, UNKNOWN_FIELD, UNSAFE_TEXT, TOO_LARGE
 */
export const signReceipt = (receipt: Receipt, seed: Uint8Array, suite: SignatureSuite): string => signToken(type, receipt, seed, suite)

/**
 * Checks that an enrolled gateway wrote this receipt, and that it is not from the future. A receipt does not expire. Does NOT check that
 * the call it names exists, nor gaps in `rseq`.
 * @throws {VerifyError} as `verifyToken`; NOT_YET_VALID
 * @see packages/core/spec/receipt.md §2
 */
export function verifyReceipt(token: string, resolve: KeyResolver, context: TokenContext): Verified<Receipt> {
  const receipt = verifyToken(type, token, resolve, context)
  const latest = context.now + (context.toleranceSeconds ?? CLOCK_TOLERANCE_SECONDS)
  if (receipt.t1 > latest) throw new VerifyError('NOT_YET_VALID', `written at ${receipt.t1}, now ${context.now}`)
  return receipt as Verified<Receipt>
}
