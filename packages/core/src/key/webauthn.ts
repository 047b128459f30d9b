import { sha256 } from '@noble/hashes/sha2.js'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { concatBytes, decodeUtf8, equalBytes, utf8 } from '../bytes/bytes.ts'
import { isJsonObject, parseStrictJson } from '../bytes/json.ts'
import { VerifyError } from '../errors.ts'
import { verifyP256 } from './p256.ts'

/** Where this organisation's people sign. Comes from authority state, never from configuration or a request. */
export interface SignerSite {
  readonly origins: readonly string[]
  readonly rpId: string
}

/** An assertion as the authenticator gave it; `signature` in the stored form, r ‖ s. */
export interface Assertion {
  readonly authenticatorData: Uint8Array
  readonly clientData: Uint8Array
  readonly signature: Uint8Array
}

/** What the authenticator said about itself. Recorded, and no reason to refuse here: synced passkeys report counter 0. */
export interface AuthenticatorFacts {
  readonly counter: number
  readonly backupEligible: boolean
  readonly backedUp: boolean
}

/** rpIdHash (32) ‖ flags (1) ‖ signCount (4), then extensions, which are signed but not read. */
const AUTHENTICATOR_DATA = { min: 37, max: 1_024 }
const MAX_CLIENT_DATA_BYTES = 2_048
const FLAG = { userPresent: 0x01, userVerified: 0x04, backupEligible: 0x08, backedUp: 0x10 }

/**
 * Verifies a WebAuthn `get` assertion over `challenge`, in this order: sizes; the client data's fixed prefix with a pinned
 * origin; its JSON: not cross-origin, no top origin; rpId hash; user present and verified; backup flags consistent; signature.
 * Does NOT check the counter, nor whether the key may sign this: see the facts it returns.
 * @param key P-256, 65 bytes, admitted.
 * @param challenge The exact bytes, for us always a TBS.
 * @throws {VerifyError} MALFORMED, TOO_LARGE, BAD_CLIENT_DATA, WRONG_RP_ID, USER_NOT_VERIFIED, BAD_SIGNATURE
 * @see packages/core/spec/signature.md §5
 */
export function verifyAssertion(key: Uint8Array, challenge: Uint8Array, assertion: Assertion, site: SignerSite): AuthenticatorFacts {
  const { authenticatorData, clientData, signature } = assertion
  checkSizes(authenticatorData, clientData)
  checkClientData(clientData, challenge, site.origins)
  if (!equalBytes(authenticatorData.subarray(0, 32), sha256(utf8(site.rpId)))) {
    throw new VerifyError('WRONG_RP_ID', `signed for another site than ${site.rpId}`)
  }
  const facts = readFlags(authenticatorData)
  const message = concatBytes(authenticatorData, sha256(clientData))
  if (!verifyP256(key, message, signature)) throw new VerifyError('BAD_SIGNATURE', 'the passkey did not sign this')
  return facts
}

function checkSizes(authenticatorData: Uint8Array, clientData: Uint8Array): void {
  if (authenticatorData.length < AUTHENTICATOR_DATA.min) throw new VerifyError('MALFORMED', 'authenticator data shorter than 37 bytes')
  if (authenticatorData.length > AUTHENTICATOR_DATA.max) throw new VerifyError('TOO_LARGE', 'authenticator data longer than 1024 bytes')
  if (clientData.length > MAX_CLIENT_DATA_BYTES) throw new VerifyError('TOO_LARGE', 'client data longer than 2048 bytes')
}

/**
 * Browsers serialise client data in a fixed order (WebAuthn L3 §5.8.1.1), so type, challenge and origin are compared as bytes
 * before any parser sees them; the parse then only has to rule out framing.
 */
function checkClientData(clientData: Uint8Array, challenge: Uint8Array, origins: readonly string[]): void {
  const text = decodeUtf8(clientData)
  const prefix = `{"type":"webauthn.get","challenge":"${encodeBase64url(challenge)}","origin":`
  const isPinned = origins.some((origin) => {
    const start = prefix + JSON.stringify(origin)
    return text.startsWith(`${start},`) || text === `${start}}`
  })
  if (!isPinned) throw new VerifyError('BAD_CLIENT_DATA', 'not a webauthn.get of this challenge at a pinned origin')
  const value = parseStrictJson(clientData, { maxBytes: MAX_CLIENT_DATA_BYTES, maxDepth: 4 })
  if (!isJsonObject(value)) throw new VerifyError('BAD_CLIENT_DATA', 'client data is not an object')
  if (Object.hasOwn(value, 'crossOrigin') && value.crossOrigin !== false) throw new VerifyError('BAD_CLIENT_DATA', 'signed inside a frame')
  if (Object.hasOwn(value, 'topOrigin')) throw new VerifyError('BAD_CLIENT_DATA', 'signed inside a frame of another site')
}

function readFlags(authenticatorData: Uint8Array): AuthenticatorFacts {
  const flags = authenticatorData[32]!
  const has = (flag: number) => (flags & flag) !== 0
  if (!has(FLAG.userPresent) || !has(FLAG.userVerified))
    throw new VerifyError('USER_NOT_VERIFIED', 'the authenticator did not verify its user')
  if (has(FLAG.backedUp) && !has(FLAG.backupEligible)) throw new VerifyError('MALFORMED', 'backed up, but not eligible for backup')
  const [a, b, c, d] = authenticatorData.subarray(33, 37) as unknown as [number, number, number, number]
  const counter = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
  return { counter, backupEligible: has(FLAG.backupEligible), backedUp: has(FLAG.backedUp) }
}

/** The `Signature` fields of an assertion, decoded. */
export const assertionOf = (fields: { sig: string; authenticator_data: string; client_data: string }): Assertion => ({
  authenticatorData: decodeBase64url(fields.authenticator_data),
  clientData: decodeBase64url(fields.client_data),
  signature: decodeBase64url(fields.sig),
})
