import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { SIGNED_LIMITS } from '../bytes/canonical.ts'
import type { JsonValue } from '../bytes/json.ts'
import { bytesOf, integer, list, object } from '../bytes/shape.ts'
import type { KeyId } from './public-key.ts'
import { keyIdShape } from './public-key.ts'

/**
 * One detached signature. Which of the optional fields stand is decided by the key's algorithm, never by the signature.
 * @see packages/core/spec/signature.md §3
 */
export type Signature = {
  readonly kid: KeyId
  /** 64 bytes in base64url: R ‖ S for Ed25519, r ‖ s for P-256. */
  readonly sig: string
  /** `sk-` keys: the authenticator's flags byte and its counter. */
  readonly flags?: number
  readonly counter?: number
  /** Passkeys: what the authenticator and the browser added, base64url. */
  readonly authenticator_data?: string
  readonly client_data?: string
}

/** Bytes as they were signed, and who signed them. Signatures are detached: adding one never changes the bytes. */
export interface Signed {
  readonly bytes: Uint8Array
  readonly signatures: readonly Signature[]
}
export type SignedJson = { readonly bytes: string; readonly signatures: readonly Signature[] }

export const MAX_SIGNATURES = 64

export const signatureShape = object(
  { kid: keyIdShape, sig: bytesOf(64) },
  {
    flags: integer(0, 255),
    counter: integer(0, 0xffff_ffff),
    authenticator_data: bytesOf(undefined, 1_024),
    client_data: bytesOf(undefined, 2_048),
  },
)
const signedShape = object({ bytes: bytesOf(undefined, SIGNED_LIMITS.maxBytes), signatures: list(signatureShape, MAX_SIGNATURES) })

export const encodeSigned = ({ bytes, signatures }: Signed): SignedJson => ({ bytes: encodeBase64url(bytes), signatures })

/**
 * Reads the carrier. Does NOT verify a signature, nor look into the bytes. The same signature twice is allowed and counts once.
 * @throws {VerifyError} MALFORMED, UNKNOWN_FIELD
 */
export function decodeSigned(value: JsonValue): Signed {
  const { bytes, signatures } = signedShape(value, '')
  return { bytes: decodeBase64url(bytes), signatures }
}
