import type { JsonValue, Signed } from '@postern/core'
import {
  decodeBase64url,
  decodeSigned,
  encodeBase64url,
  encodeSigned,
  MAX_TOKEN_CHARS,
  parseStrictJson,
  shape,
  VerifyError,
} from '@postern/core'
import { CliError } from '../errors.ts'

/** What an audit looks at: signed objects, from wherever they came. Nothing in it is believed. */
export interface Evidence {
  readonly log: readonly Signed[]
  readonly revocations: readonly Signed[]
  readonly policies: readonly { readonly sha256: string; readonly bytes: Uint8Array }[]
  readonly receipts: readonly string[]
  readonly acks: readonly string[]
  /** Unix seconds. Receipts of calls that began before are left out; null: none are. */
  readonly from: number | null
  readonly to: number
  /** Whether whoever collected it may see every receipt: others see those of their own agents. */
  readonly isComplete: boolean
}

const SCHEMA = 'postern.audit'
const MAX_BYTES = 1 << 30
const { anyJson, bytesOf, digest, flag, list, object, oneOf, text, unixSeconds } = shape

const many = <T>(item: shape.Shape<T>) => list(item, 10_000_000)
const token = text(MAX_TOKEN_CHARS, 1)
const fileShape = object(
  {
    schema: oneOf(SCHEMA),
    v: oneOf(1),
    org: digest,
    to: unixSeconds,
    complete: flag,
    log: many(anyJson),
    revocations: many(anyJson),
    policies: many(object({ sha256: digest, bytes: bytesOf(undefined, 262_144) })),
    receipts: many(token),
    acks: many(token),
  },
  { from: unixSeconds },
)

/** One file, to be verified anywhere: the organisation in it is a label, the reader brings the pin. */
export function encodeEvidence(org: string, { log, revocations, policies, receipts, acks, from, to, isComplete }: Evidence): string {
  return `${JSON.stringify({
    ...{ schema: SCHEMA, v: 1, org, ...(from === null ? {} : { from }), to, complete: isComplete },
    ...{ log: log.map(encodeSigned), revocations: revocations.map(encodeSigned) },
    policies: policies.map(({ sha256, bytes }) => ({ sha256, bytes: encodeBase64url(bytes) })),
    ...{ receipts, acks },
  })}\n`
}

/** @throws {CliError} VERIFICATION_FAILED when it is no such file */
export function parseEvidence(bytes: Uint8Array, path: string): Evidence & { readonly org: string } {
  try {
    const file = fileShape(parseStrictJson(bytes, { maxBytes: MAX_BYTES, maxDepth: 10 }), '')
    const signed = (values: readonly JsonValue[]) => values.map(decodeSigned)
    return {
      ...{ org: file.org, from: file.from ?? null, to: file.to, isComplete: file.complete, receipts: file.receipts, acks: file.acks },
      ...{ log: signed(file.log), revocations: signed(file.revocations) },
      policies: file.policies.map(({ sha256, bytes: document }) => ({ sha256, bytes: decodeBase64url(document) })),
    }
  } catch (cause) {
    if (!(cause instanceof VerifyError)) throw cause
    const why = `${cause.code}: ${cause.message}`
    throw new CliError('VERIFICATION_FAILED', `${path} is not a file of postern audit export`, { why, exit: 'verification', cause })
  }
}
