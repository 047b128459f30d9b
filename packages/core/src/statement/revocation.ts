import { sha256 } from '@noble/hashes/sha2.js'
import { encodeBase64url } from '../bytes/base64url.ts'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { encodeCanonical, parseSigned } from '../bytes/canonical.ts'
import type { JsonValue } from '../bytes/json.ts'
import type { Shape } from '../bytes/shape.ts'
import { digest, list, object, refuse, text, unixSeconds } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import type { Target } from './state.ts'
import { targetId } from './state.ts'
import { targetShape } from './targets.ts'

/** What it is aimed at, as it is signed: one target, or several in order. */
export type Aim =
  | { readonly target: Target; readonly targets?: undefined }
  | { readonly target?: undefined; readonly targets: readonly Target[] }

/** Ends enrolments, keys, grants or invites for ever; with `until`, suspends them. `targetsOf` reads what it is aimed at. */
export type Revocation = Aim & {
  readonly org: string
  /** For people; shown, and no input to anything. */
  readonly reason: string
  /** Unix seconds. */
  readonly at: number
  /** A suspension ends by itself here, at most 72 h after `at`, unless a `release` lifts it earlier. */
  readonly until?: number
}

export const MAX_SUSPENSION_SECONDS = 259_200

/** At this many, a suspension is still a third of what signed bytes may be. */
export const MAX_TARGETS = 64

const several: Shape<readonly Target[]> = (value, path) => {
  const targets = list(targetShape, MAX_TARGETS, 2)(value, path)
  const isInOrder = targets.every((target, i) => i === 0 || targetId(targets[i - 1]!) < targetId(target))
  return isInOrder ? targets : refuse(path, 'expected them in order, each once')
}

const revocationShape = object(
  { org: digest, reason: text(280), at: unixSeconds },
  { target: targetShape, targets: several, until: unixSeconds },
)

/** All of them, whichever way they are written. */
export const targetsOf = (aim: Aim): readonly Target[] => aim.targets ?? [aim.target]

/** How these targets are written in a revocation: in order, each once. */
export function aimAt(targets: readonly Target[]): Aim {
  const byId = new Map(targets.map((target) => [targetId(target), target]))
  const sorted = [...byId.keys()].sort().map((id) => byId.get(id)!)
  return sorted.length === 1 ? { target: sorted[0]! } : { targets: sorted }
}

/**
 * Does NOT verify signatures: see `addRevocation`.
 * @throws {VerifyError} those of `parseSigned`; MALFORMED, UNKNOWN_FIELD, BAD_TIME
 * @see packages/core/spec/revocation.md §2
 */
export function parseRevocation(bytes: Uint8Array): Revocation {
  const { target, targets, ...rest } = revocationShape(parseSigned(bytes), '')
  const { at, until } = rest
  if (until !== undefined && (until <= at || until > at + MAX_SUSPENSION_SECONDS)) {
    throw new VerifyError('BAD_TIME', `a suspension ends within 72 hours after at ${at}, not at ${until}`)
  }
  if (target && !targets) return { ...rest, target }
  if (targets && !target) return { ...rest, targets }
  return refuse('', 'expected either target or targets')
}

/** The bytes to sign, after the checks of `parseRevocation`. */
export function encodeRevocation(revocation: Revocation): Uint8Array {
  const bytes = encodeCanonical(revocation as unknown as JsonValue)
  parseRevocation(bytes)
  return bytes
}

const LABEL = utf8('postern-revocation-v1\0')

/** SHA-256("postern-revocation-v1\0" ‖ bytes), base64url: what statements name in `rev`. Signatures are not part of it. */
export const revocationHash = (bytes: Uint8Array): string => encodeBase64url(sha256(concatBytes(LABEL, bytes)))
