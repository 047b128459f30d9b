// One strict profile of RFC 9421 for every signed HTTP request: these components, these parameters, this order. packages/core/spec/request.md
import { decodeBase64, encodeBase64 } from '../bytes/base64.ts'
import { decodeBase64url } from '../bytes/base64url.ts'
import { utf8 } from '../bytes/bytes.ts'
import { VerifyError } from '../errors.ts'
import type { KeyId } from '../key/public-key.ts'
import type { SignatureSuite } from '../key/suite.ts'

/** `expires` is this long after `created`. */
export const REQUEST_SECONDS = 60
/** How long a server must remember a nonce, from when it first saw it: the request's life and the clock tolerance on both sides. */
export const REQUEST_NONCE_SECONDS = 300

/**
 * What is signed of a request, as it travels: `authority` is the host, in lower case and with a port only if it is not the scheme's own;
 * `path` begins with a slash; `query` is empty, or begins with a question mark.
 */
export interface RequestTarget {
  readonly method: string
  readonly authority: string
  readonly path: string
  readonly query: string
}

/** `created` is Unix seconds, `nonce` 16 random bytes in base64url. */
export interface RequestParameters {
  readonly created: number
  readonly nonce: string
  readonly kid: KeyId
}

const COMPONENTS = ['@method', '@authority', '@path', '@query', 'content-digest'] as const
const COMPONENT_LIST = `(${COMPONENTS.map((name) => `"${name}"`).join(' ')})`

/** The value of `@signature-params`, and of the header behind its label. */
export function signatureParameters({ created, nonce, kid }: RequestParameters): string {
  const expires = created + REQUEST_SECONDS
  return `${COMPONENT_LIST};created=${created};expires=${expires};nonce="${nonce}";keyid="${kid}";alg="ed25519";tag="postern-v1"`
}

/** RFC 9530, of the body as it travels; a request without a body has that of no bytes. */
export const contentDigest = (body: Uint8Array, suite: Pick<SignatureSuite, 'sha256'>): string =>
  `sha-256=:${encodeBase64(suite.sha256(body))}:`

const VISIBLE = /^[\x21-\x7e]+$/

/**
 * The bytes that are signed (RFC 9421 §2.5).
 * @throws {VerifyError} MALFORMED when a part could not have been a request's, e.g. holds a line end
 */
export function signatureBase(target: RequestTarget, digest: string, parameters: string): Uint8Array {
  if (!/^[A-Z]+$/.test(target.method)) throw new VerifyError('MALFORMED', 'method: expected capital letters')
  if (!target.path.startsWith('/')) throw new VerifyError('MALFORMED', 'path: expected to begin with a slash')
  const query = target.query === '' ? '?' : target.query
  if (!query.startsWith('?')) throw new VerifyError('MALFORMED', 'query: expected to be empty or to begin with a question mark')
  const values = [target.method, target.authority, target.path, query, digest]
  if (!values.every((value) => VISIBLE.test(value))) throw new VerifyError('MALFORMED', 'the request has a character that no request has')
  const lines = COMPONENTS.map((name, i) => `"${name}": ${values[i]}\n`)
  return utf8(`${lines.join('')}"@signature-params": ${parameters}`)
}

const SIGNATURE_INPUT =
  /^postern=(?<parameters>\([^)]*\);created=(?<created>[0-9]{1,12});expires=[0-9]{1,12};nonce="(?<nonce>[\w-]{22})";keyid="(?<kid>[\w-]{43})";.*)$/
const SIGNATURE = /^postern=:(?<signature>[A-Za-z0-9+/]{86}==):$/

/** Header names in lower case. A header that came twice is an array, or joined by a comma: both are refused. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** What the headers say, unverified. */
export interface ParsedSignature extends RequestParameters {
  readonly contentDigest: string
  /** As it stands in the header; the same as `signatureParameters` of the rest. */
  readonly parameters: string
  readonly signature: Uint8Array
}

/**
 * Reads the three headers in their one form. Does NOT verify anything: it is for finding the key.
 * @throws {VerifyError} UNSIGNED when one is missing, MALFORMED
 * @see packages/core/spec/request.md §3
 */
export function parseRequestSignature(headers: RequestHeaders): ParsedSignature {
  const input = SIGNATURE_INPUT.exec(only(headers, 'signature-input'))?.groups
  const signature = SIGNATURE.exec(only(headers, 'signature'))?.groups?.signature
  const digest = only(headers, 'content-digest')
  if (!input || !signature) throw new VerifyError('MALFORMED', 'signature-input or signature is not of the one form')
  const parsed = { created: Number(input.created), nonce: input.nonce!, kid: input.kid as KeyId }
  if (signatureParameters(parsed) !== input.parameters) throw new VerifyError('MALFORMED', 'signature-input is not of the one form')
  decodeBase64url(parsed.nonce)
  decodeBase64url(parsed.kid)
  return { ...parsed, parameters: input.parameters, contentDigest: digest, signature: decodeBase64(signature) }
}

function only(headers: RequestHeaders, name: string): string {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined
  if (value === undefined) throw new VerifyError('UNSIGNED', `the request has no ${name} header`)
  if (typeof value !== 'string') throw new VerifyError('MALFORMED', `the request has ${value.length} ${name} headers`)
  return value
}
