// An ask on its way to a gateway through a control plane that must not read it, and the answer back. packages/core/spec/seal.md §2–3
import { concatBytes, decodeUtf8, utf8 } from '../bytes/bytes.ts'
import { encodeCanonical } from '../bytes/canonical.ts'
import type { Shape } from '../bytes/shape.ts'
import { object, oneOf, parseObject, pattern, refuse, text } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import type { AtSign } from '../key/atsign.ts'
import { MAX_TOKEN_CHARS } from '../key/jws.ts'
import type { PublicKey } from '../key/public-key.ts'
import { keyIdOf, rawKey } from '../key/public-key.ts'
import type { Suite } from '../key/suite.ts'
import type { Exporter } from './hpke.ts'
import { openSealed, sealTo } from './hpke.ts'

/** To whom an ask is sealed: a gateway and its `seal` key, both from the verified log. */
export interface SealAddress {
  readonly org: string
  readonly gateway: AtSign
  readonly key: PublicKey
}

/** A grant (a token, not yet verified), or why there is none. Only the gateway that opened the ask could have sealed it. */
export type GrantAnswer =
  | { readonly grant: string }
  | { readonly refused: { readonly code: string; readonly message: string; readonly fix?: string } }

/** Longest ask when sealed, in bytes. */
export const MAX_SEALED_ASK_BYTES = MAX_TOKEN_CHARS + 48
/** Longest answer when sealed, in bytes. */
export const MAX_SEALED_ANSWER_BYTES = MAX_TOKEN_CHARS + 1024
const INFO = utf8('postern-ask-v1')
const NONCE_BYTES = 12

/**
 * Seals an ask, which the caller has signed, to a gateway. Keep the exporter: it opens the answer.
 * @throws {VerifyError} WRONG_KEY_USE, BAD_KEY
 * @see packages/core/spec/seal.md §2
 */
export function sealAsk(
  ask: string,
  to: SealAddress,
  random: (n: number) => Uint8Array,
  suite: Suite,
): { sealed: Uint8Array; exporter: Exporter } {
  return sealTo(rawKey(to.key), INFO, additionalData(to), utf8(ask), random, suite)
}

/**
 * Opens a sealed ask at the gateway. Anybody could have sealed it: what comes out is a token to verify with `verifyAsk`.
 * @param secret Of the gateway's seal key.
 * @throws {VerifyError} TOO_LARGE, CANNOT_OPEN, MALFORMED, WRONG_KEY_USE
 */
export function openAsk(sealed: Uint8Array, secret: Uint8Array, at: SealAddress, suite: Suite): { ask: string; exporter: Exporter } {
  if (sealed.length > MAX_SEALED_ASK_BYTES) throw new VerifyError('TOO_LARGE', `sealed ask of more than ${MAX_SEALED_ASK_BYTES} bytes`)
  const { plaintext, exporter } = openSealed(secret, INFO, additionalData(at), sealed, suite)
  return { ask: decodeUtf8(plaintext), exporter }
}

/**
 * Seals the answer so that only the asker can open it: `nonce ‖ ciphertext`. Does NOT verify a grant in it.
 * @param exporter Of the ask that is answered.
 * @throws {VerifyError} MALFORMED, UNSAFE_TEXT for an answer that nobody would accept
 * @see packages/core/spec/seal.md §3
 */
export function sealAnswer(
  answer: GrantAnswer,
  exporter: Exporter,
  at: SealAddress,
  random: (n: number) => Uint8Array,
  suite: Suite,
): Uint8Array {
  const plaintext = encodeCanonical({ ...answer, v: 1 })
  parseObject(plaintext, answerShape, { maxBytes: MAX_SEALED_ANSWER_BYTES })
  const nonce = random(NONCE_BYTES)
  return concatBytes(nonce, suite.sealChaCha(answerKey(exporter), nonce, additionalData(at), plaintext))
}

/**
 * Opens an answer. That it opens shows that it comes from the gateway to which the ask was sealed; a grant in it is still to be
 * verified with `verifyGrant`.
 * @throws {VerifyError} TOO_LARGE, CANNOT_OPEN, MALFORMED, UNKNOWN_FIELD
 */
export function openAnswer(sealed: Uint8Array, exporter: Exporter, from: SealAddress, suite: Suite): GrantAnswer {
  if (sealed.length > MAX_SEALED_ANSWER_BYTES) throw new VerifyError('TOO_LARGE', `answer of more than ${MAX_SEALED_ANSWER_BYTES} bytes`)
  const nonce = sealed.subarray(0, NONCE_BYTES)
  if (nonce.length < NONCE_BYTES) throw new VerifyError('CANNOT_OPEN', 'shorter than any answer')
  const plaintext = suite.openChaCha(answerKey(exporter), nonce, additionalData(from), sealed.subarray(NONCE_BYTES))
  if (!plaintext) throw new VerifyError('CANNOT_OPEN', 'not the answer to this ask, or changed')
  return parseObject(plaintext, answerShape, { maxBytes: MAX_SEALED_ANSWER_BYTES })
}

const answerKey = (exporter: Exporter) => exporter('postern-answer-v1', 32)

/** Binds organisation, gateway and recipient key: sealed bytes carried elsewhere do not open there. */
function additionalData({ org, gateway, key }: SealAddress): Uint8Array {
  if (key.use !== 'seal' || key.alg !== 'x25519')
    throw new VerifyError('WRONG_KEY_USE', `expected an x25519 seal key, found ${key.alg} ${key.use}`)
  return utf8(`${org}.${gateway}.${keyIdOf(key)}`)
}

const granted = object({ v: oneOf(1), grant: text(MAX_TOKEN_CHARS, 1) })
const refusal = object({ code: pattern(/^[A-Z][A-Z0-9_]{0,39}$/, 'a code'), message: text(500) }, { fix: text(500) })
const refused = object({ v: oneOf(1), refused: refusal })

const answerShape: Shape<GrantAnswer> = (value, path) => {
  if (typeof value !== 'object' || value === null) return refuse(path, 'expected an object')
  if (!Object.hasOwn(value, 'refused')) return { grant: granted(value, path).grant }
  return { refused: refused(value, path).refused }
}
