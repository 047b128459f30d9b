// A held call on its way to those who may decide about it, past a control plane that must not read it. packages/core/spec/hold.md §2–3

import { decodeBase64url } from '../bytes/base64url.ts'
import { utf8 } from '../bytes/bytes.ts'
import { encodeCanonical } from '../bytes/canonical.ts'
import type { JsonObject } from '../bytes/json.ts'
import { isJsonObject, parseStrictJson } from '../bytes/json.ts'
import type { Shape } from '../bytes/shape.ts'
import { anyJson, bytesOf, object, refuse, text } from '../bytes/shape.ts'
import type { Hold } from '../call/hold.ts'
import { verifyHold } from '../call/hold.ts'
import { VerifyError } from '../errors.ts'
import type { AtSign } from '../key/atsign.ts'
import type { KeyResolver, TokenContext, Verified } from '../key/jws.ts'
import { MAX_TOKEN_CHARS } from '../key/jws.ts'
import type { KeyId, PublicKey } from '../key/public-key.ts'
import { keyIdOf, rawKey } from '../key/public-key.ts'
import type { Suite } from '../key/suite.ts'
import { argsDigest } from '../mcp/digest.ts'
import { openSealed, sealTo } from './hpke.ts'

/** What approvers are to see. `params` are those of the JSON-RPC request, whole; `salt` is that of their digest. */
export interface HeldRequest {
  readonly hold: string
  readonly params: JsonObject
  readonly salt: string
}

/** Where a held call stands: all of it is bound to what is sealed. */
export interface HeldAddress {
  readonly org: string
  readonly gateway: AtSign
  readonly cth: string
}

/** Sealed once, with its key sealed to each recipient. */
export interface SealedHold {
  readonly content: Uint8Array
  readonly keys: readonly { readonly kid: KeyId; readonly bytes: Uint8Array }[]
}

/** Longest `params` in canonical form, in bytes: as much as a call may have. */
export const MAX_HELD_PARAMS_BYTES = 1_048_576
export const MAX_HOLD_KEYS = 256
/** Size of a sealed content key. */
export const SEALED_HOLD_KEY_BYTES = 80
const PADDED_TO = 1024
const MAX_PLAINTEXT_BYTES = MAX_HELD_PARAMS_BYTES + 65_536
export const MAX_SEALED_HOLD_BYTES = MAX_PLAINTEXT_BYTES + 16
const MAX_DEPTH = 66
const INFO = utf8('postern-hold-v1')
const NONCE = new Uint8Array(12)

/**
 * Seals a held call to all who may open it. Does NOT sign the hold or choose the recipients: their keys come from the verified log.
 * @throws {VerifyError} TOO_LARGE for parameters nobody could be shown, or too many recipients; WRONG_KEY_USE, BAD_KEY
 * @see packages/core/spec/hold.md §2
 */
export function sealHold(
  { hold, params, salt }: HeldRequest,
  at: HeldAddress,
  recipients: readonly PublicKey[],
  random: (n: number) => Uint8Array,
  suite: Suite,
): SealedHold {
  if (recipients.length > MAX_HOLD_KEYS) throw new VerifyError('TOO_LARGE', `sealed to more than ${MAX_HOLD_KEYS} keys`)
  if (encodeCanonical(params).length > MAX_HELD_PARAMS_BYTES)
    throw new VerifyError('TOO_LARGE', `parameters of more than ${MAX_HELD_PARAMS_BYTES} bytes`)
  const plaintext = padded(encodeCanonical({ hold, params, salt }))
  const key = random(32)
  return {
    content: suite.sealChaCha(key, NONCE, utf8(addressText(at)), plaintext),
    keys: recipients.map((recipient) => ({
      kid: keyIdOf(recipient),
      bytes: sealTo(rawKey(recipient), INFO, keyData(at, recipient), key, random, suite).sealed,
    })),
  }
}

/**
 * Opens what was sealed to one's own key. Anybody could have sealed it: NOTHING in it is verified, see `readHeld`.
 * @param secret Of `key`.
 * @throws {VerifyError} TOO_LARGE, CANNOT_OPEN, MALFORMED, UNKNOWN_FIELD, WRONG_KEY_USE
 */
export function openHold(
  sealed: { readonly content: Uint8Array; readonly key: Uint8Array },
  secret: Uint8Array,
  at: HeldAddress & { readonly key: PublicKey },
  suite: Suite,
): HeldRequest {
  if (sealed.content.length > MAX_SEALED_HOLD_BYTES || sealed.key.length > SEALED_HOLD_KEY_BYTES)
    throw new VerifyError('TOO_LARGE', `sealed hold of more than ${MAX_SEALED_HOLD_BYTES} bytes`)
  const { plaintext: contentKey } = openSealed(secret, INFO, keyData(at, at.key), sealed.key, suite)
  const plaintext = contentKey.length === 32 ? suite.openChaCha(contentKey, NONCE, utf8(addressText(at)), sealed.content) : undefined
  if (!plaintext) throw new VerifyError('CANNOT_OPEN', 'its content was sealed for another call, or changed')
  return shape(parseStrictJson(plaintext, { maxBytes: MAX_PLAINTEXT_BYTES, maxDepth: MAX_DEPTH }), '')
}

/** A held call whose hold was verified and whose parameters are the ones it names. */
export interface VerifiedHeld {
  readonly hold: Verified<Hold>
  readonly params: JsonObject
  /** `params.arguments`, `{}` when there are none. */
  readonly arguments: JsonObject
}

/**
 * Verifies what was opened: the gateway's hold, that it is the request that was asked for, and that the parameters are the ones whose
 * digest it names. Only then may anything of it be shown.
 * @throws {VerifyError} as `verifyHold`; WRONG_CALL, WRONG_DIGEST, MALFORMED
 * @see packages/core/spec/hold.md §3
 */
export function readHeld(
  { hold: token, params, salt }: HeldRequest,
  expected: { readonly id: string; readonly gateway: AtSign; readonly cth: string },
  resolve: KeyResolver,
  context: TokenContext,
): VerifiedHeld {
  const hold = verifyHold(token, resolve, context)
  if (hold.id !== expected.id || hold.iss !== expected.gateway || hold.cth !== expected.cth)
    throw new VerifyError('WRONG_CALL', 'what is sealed is another request than the one asked for')
  if (argsDigest(decodeBase64url(salt), params, context.suite) !== hold.a)
    throw new VerifyError('WRONG_DIGEST', 'the parameters are not those of the held call')
  if (params.name !== hold.tool) throw new VerifyError('WRONG_CALL', 'the parameters are for another tool')
  const args = params.arguments ?? {}
  if (!isJsonObject(args)) return refuse('params.arguments', 'expected an object')
  return { hold, params, arguments: args }
}

const paramsShape: Shape<JsonObject> = (value, path) => (isJsonObject(value) ? value : refuse(path, 'expected an object'))
const shape: Shape<HeldRequest> = (value, path) => {
  const read = object({ hold: text(MAX_TOKEN_CHARS, 1), params: anyJson, salt: bytesOf(16) })(value, path)
  return { ...read, params: paramsShape(read.params, 'params') }
}

/** Spaces behind JSON are white space: a reader sees none, whoever counts bytes sees little. */
function padded(bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(Math.ceil(bytes.length / PADDED_TO) * PADDED_TO).fill(0x20)
  all.set(bytes)
  return all
}

const addressText = ({ org, gateway, cth }: HeldAddress): string => `${org}.${gateway}.${cth}`

/** Binds a sealed key to this call and this recipient. */
function keyData(at: HeldAddress, key: PublicKey): Uint8Array {
  if (key.use !== 'seal' || key.alg !== 'x25519')
    throw new VerifyError('WRONG_KEY_USE', `expected an x25519 seal key, found ${key.alg} ${key.use}`)
  return utf8(`${addressText(at)}.${keyIdOf(key)}`)
}
