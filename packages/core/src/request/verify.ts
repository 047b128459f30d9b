// packages/core/spec/request.md §3
import { VerifyError } from '../errors.ts'
import { verifyEd25519 } from '../key/ed25519.ts'
import { checkTimes } from '../key/jws.ts'
import type { KeyId, PublicKey } from '../key/public-key.ts'
import { keyIdOf, rawKey } from '../key/public-key.ts'
import type { SignatureSuite } from '../key/suite.ts'
import type { RequestHeaders, RequestTarget } from './profile.ts'
import { contentDigest, parseRequestSignature, REQUEST_SECONDS, signatureBase } from './profile.ts'

/** A request as it arrived. */
export interface IncomingRequest extends RequestTarget {
  readonly body: Uint8Array
  readonly headers: RequestHeaders
}

/** Who signed, and what to remember against replay for REQUEST_NONCE_SECONDS. */
export interface SignedRequest {
  readonly kid: KeyId
  readonly nonce: string
  /** Unix seconds. */
  readonly created: number
}

/**
 * Checks that this `auth` key signed this method, authority, path, query and body within its minute. Does NOT check whose key it is, that
 * it is live, or that the nonce is new.
 * @param key The one that `parseRequestSignature(headers).kid` names.
 * @throws {VerifyError} UNSIGNED, MALFORMED, UNKNOWN_KEY, WRONG_KEY_USE, WRONG_DIGEST, BAD_SIGNATURE, NOT_YET_VALID, EXPIRED
 * @see packages/core/spec/request.md §3
 */
export function verifyRequest(
  request: IncomingRequest,
  key: PublicKey,
  { now, suite }: { readonly now: number; readonly suite: SignatureSuite },
): SignedRequest {
  const parsed = parseRequestSignature(request.headers)
  if (keyIdOf(key) !== parsed.kid) throw new VerifyError('UNKNOWN_KEY', `signed under ${parsed.kid}, which is another key`)
  if (key.use !== 'auth' || key.alg !== 'ed25519')
    throw new VerifyError('WRONG_KEY_USE', `expected an ed25519 auth key, found ${key.alg} ${key.use}`)
  if (contentDigest(request.body, suite) !== parsed.contentDigest)
    throw new VerifyError('WRONG_DIGEST', 'the body is not the one that was signed')
  const base = signatureBase(request, parsed.contentDigest, parsed.parameters)
  if (!verifyEd25519(rawKey(key), base, parsed.signature, suite))
    throw new VerifyError('BAD_SIGNATURE', 'the signature is not of this request')
  checkTimes(parsed.created, parsed.created + REQUEST_SECONDS, now)
  return { kid: parsed.kid, nonce: parsed.nonce, created: parsed.created }
}
