// packages/core/spec/receipt.md §3
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import type { Shape } from '../bytes/shape.ts'
import { bytesOf, digest, integer, object, oneOf, unixSeconds } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import { atSignShape } from '../key/atsign.ts'
import type { Claims, KeyResolver, TokenContext, Verified } from '../key/jws.ts'
import { CLOCK_TOLERANCE_SECONDS, signToken, tokenType, verifyToken } from '../key/jws.ts'
import { keyIdShape } from '../key/public-key.ts'
import type { SignatureSuite } from '../key/suite.ts'

/** What a gateway has applied: its log up to `seq`, whose link hash is `head`, and that set of revocations. `at` is Unix seconds. */
export type Ack = Claims & {
  readonly seq: number
  readonly head: string
  readonly revocations: { readonly count: number; readonly digest: string }
  readonly at: number
  readonly epoch: string
}

const natural = integer(0, Number.MAX_SAFE_INTEGER)
const shape: Shape<Ack> = object({
  v: oneOf(1),
  org: digest,
  iss: atSignShape,
  kid: keyIdShape,
  seq: natural,
  head: digest,
  revocations: object({ count: natural, digest }),
  at: unixSeconds,
  epoch: bytesOf(16),
})
const type = tokenType('ack', 'receipt', shape)

/**
 * Signs an ack with the gateway's receipt key. Does NOT check that the seed belongs to `kid`.
 * @throws {VerifyError} MALFORMED, UNKNOWN_FIELD, TOO_LARGE
 */
export const signAck = (ack: Ack, seed: Uint8Array, suite: SignatureSuite): string => signToken(type, ack, seed, suite)

/**
 * Checks that an enrolled gateway says this, and not from the future. An ack does not expire: `at` says how old the news is. Does NOT
 * check that head and revocations are ones the reader knows.
 * @throws {VerifyError} as `verifyToken`; NOT_YET_VALID
 * @see packages/core/spec/receipt.md §3
 */
export function verifyAck(token: string, resolve: KeyResolver, context: TokenContext): Verified<Ack> {
  const ack = verifyToken(type, token, resolve, context)
  const latest = context.now + (context.toleranceSeconds ?? CLOCK_TOLERANCE_SECONDS)
  if (ack.at > latest) throw new VerifyError('NOT_YET_VALID', `made at ${ack.at}, now ${context.now}`)
  return ack as Verified<Ack>
}

/**
 * One digest for a set of revocations, whatever the order in which they came.
 * @param hashes Base64url hashes of the revocations held; duplicates count once.
 * @see packages/core/spec/receipt.md §4
 */
export function revocationsDigest(hashes: Iterable<string>, suite: Pick<SignatureSuite, 'sha256'>): { count: number; digest: string } {
  const sorted = [...new Set(hashes)].sort()
  const bytes = concatBytes(utf8('postern-revocations-v1\0'), ...sorted.map(decodeBase64url))
  return { count: sorted.length, digest: encodeBase64url(suite.sha256(bytes)) }
}
