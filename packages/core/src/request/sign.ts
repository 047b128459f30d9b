// packages/core/spec/request.md §2
import { encodeBase64 } from '../bytes/base64.ts'
import { encodeBase64url } from '../bytes/base64url.ts'
import { parseUrl } from '../bytes/platform.ts'
import type { KeyId } from '../key/public-key.ts'
import type { SignatureSuite } from '../key/suite.ts'
import { contentDigest, signatureBase, signatureParameters } from './profile.ts'

/** The request as it will be sent. `url` is absolute; no body is the same as an empty one. */
export interface OutgoingRequest {
  readonly method: string
  readonly url: string
  readonly body?: Uint8Array | undefined
}

/** An `auth` key. `created` is Unix seconds, `nonce` 16 random bytes, new for every request. */
export interface RequestSigner {
  readonly kid: KeyId
  readonly seed: Uint8Array
  readonly created: number
  readonly nonce: Uint8Array
}

export type SignatureHeaders = { readonly 'content-digest': string; readonly 'signature-input': string; readonly signature: string }

/**
 * The three headers that sign a request. Does NOT cover other headers.
 * @throws {TypeError} for a relative URL or a nonce of another size
 */
export function signRequest(request: OutgoingRequest, signer: RequestSigner, suite: SignatureSuite): SignatureHeaders {
  const url = parseUrl(request.url)
  if (!url) throw new TypeError('url: expected an absolute URL')
  if (signer.nonce.length !== 16) throw new TypeError('nonce: expected 16 bytes')
  const target = { method: request.method, authority: url.host, path: url.pathname, query: url.search }
  const digest = contentDigest(request.body ?? new Uint8Array(0), suite)
  const parameters = signatureParameters({ created: signer.created, nonce: encodeBase64url(signer.nonce), kid: signer.kid })
  const signature = suite.signEd25519(signer.seed, signatureBase(target, digest, parameters))
  return { 'content-digest': digest, 'signature-input': `postern=${parameters}`, signature: `postern=:${encodeBase64(signature)}:` }
}
