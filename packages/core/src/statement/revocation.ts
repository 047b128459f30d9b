import { sha256 } from '@noble/hashes/sha2.js'
import { encodeBase64url } from '../bytes/base64url.ts'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { encodeCanonical, parseSigned } from '../bytes/canonical.ts'
import type { JsonValue } from '../bytes/json.ts'
import { digest, object, text, unixSeconds } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import type { Target } from './state.ts'
import { targetShape } from './targets.ts'

/** Ends an enrolment, key, grant or invite for ever; with `until`, suspends it. */
export type Revocation = {
  readonly org: string
  readonly target: Target
  /** For people; shown, and no input to anything. */
  readonly reason: string
  /** Unix seconds. */
  readonly at: number
  /** A suspension ends by itself here, at most 72 h after `at`, unless a `release` lifts it earlier. */
  readonly until?: number
}

export const MAX_SUSPENSION_SECONDS = 259_200

const revocationShape = object({ org: digest, target: targetShape, reason: text(280), at: unixSeconds }, { until: unixSeconds })

/**
 * Does NOT verify signatures: see `addRevocation`.
 * @throws {VerifyError} those of `parseSigned`; MALFORMED, UNKNOWN_FIELD, BAD_TIME
 * @see packages/core/spec/revocation.md §2
 */
export function parseRevocation(bytes: Uint8Array): Revocation {
  const revocation: Revocation = revocationShape(parseSigned(bytes), '')
  const { at, until } = revocation
  if (until !== undefined && (until <= at || until > at + MAX_SUSPENSION_SECONDS)) {
    throw new VerifyError('BAD_TIME', `a suspension ends within 72 hours after at ${at}, not at ${until}`)
  }
  return revocation
}

/** The bytes to sign, after the checks of `parseRevocation`. */
export function encodeRevocation(revocation: Revocation): Uint8Array {
  const bytes = encodeCanonical(revocation as JsonValue)
  parseRevocation(bytes)
  return bytes
}

const LABEL = utf8('postern-revocation-v1\0')

/** SHA-256("postern-revocation-v1\0" ‖ bytes), base64url: what statements name in `rev`. Signatures are not part of it. */
export const revocationHash = (bytes: Uint8Array): string => encodeBase64url(sha256(concatBytes(LABEL, bytes)))
