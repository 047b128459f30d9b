import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { encodeCanonical } from '../bytes/canonical.ts'
import type { JsonValue } from '../bytes/json.ts'
import type { Shape } from '../bytes/shape.ts'
import { bytesOf, digest, integer, object, oneOf, parseObject, pattern, refuse, tagged } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import { admitPublicKey, publicKeyShape } from '../key/admission.ts'
import type { AtSign } from '../key/atsign.ts'
import { atSignShape } from '../key/atsign.ts'
import type { PublicKey } from '../key/public-key.ts'
import { checkUse } from '../statement/key-use.ts'
import { IDENTITY_KINDS, serverName } from '../statement/names.ts'
import { originShape } from '../statement/sites.ts'

/** Where the authority log is, and whose it must be. `control` is an origin. */
interface At {
  readonly v: 1
  readonly control: string
  readonly org: string
}
/** Bytes that wait under an id. `back` is a path of `control`. */
interface Waiting extends At {
  readonly id: string
  readonly sha256: string
  readonly back?: string
}
export type StatementSignerRequest = Waiting & { readonly kind: 'statement' }
export type RevocationSignerRequest = Waiting & { readonly kind: 'revocation' }
export type LoginSignerRequest = {
  readonly v: 1
  readonly kind: 'login'
  readonly console: string
  readonly org: string
  readonly nonce: string
  readonly atsign?: AtSign
  /** A terminal's: an `auth` key, and the port of this machine at which it waits; without a port, the result is shown as text to copy. */
  readonly session_key?: PublicKey
  readonly port?: number
}
export type ApprovalSignerRequest = At & { readonly kind: 'approval'; readonly id: string; readonly back?: string }
export type EnrolmentSignerRequest = At & { readonly kind: 'enrolment'; readonly code: string }
export type JoinSignerRequest = At & {
  readonly kind: 'join'
  readonly code: string
  readonly for: (typeof IDENTITY_KINDS)[number]
  readonly name?: AtSign
  readonly server?: string
  readonly client?: string
}
export type InviteSignerRequest = At & { readonly kind: 'invite'; readonly id: string }

/** What the signing page is asked for. It carries no bytes to be signed: only where they are, and what they must be. */
export type SignerRequest =
  | StatementSignerRequest
  | RevocationSignerRequest
  | LoginSignerRequest
  | ApprovalSignerRequest
  | EnrolmentSignerRequest
  | JoinSignerRequest
  | InviteSignerRequest
export type SignerRequestKind = SignerRequest['kind']

export const MAX_SIGNER_REQUEST_CHARS = 4_096

const token = (what: string) => pattern(/^[A-Za-z0-9_-]{4,64}$/, what)
const id = token('an id')
const code = token('a code')
const back = pattern(/^\/[A-Za-z0-9/_@.?=&-]{0,200}$/, 'a path of the console')
const at = { v: oneOf(1), control: originShape, org: digest } as const
const waiting = { ...at, id, sha256: digest } as const

const sessionKey: Shape<PublicKey> = (value, path) => {
  const key = publicKeyShape(value, path)
  checkUse(key, 'auth')
  admitPublicKey(key)
  return key
}
const login = object(
  { v: oneOf(1), kind: oneOf('login'), console: originShape, org: digest, nonce: bytesOf(16) },
  { atsign: atSignShape, session_key: sessionKey, port: integer(1_024, 65_535) },
)

const SHAPES: { readonly [kind in SignerRequestKind]: Shape<SignerRequest & { kind: kind }> } = {
  statement: object({ ...waiting, kind: oneOf('statement') }, { back }),
  revocation: object({ ...waiting, kind: oneOf('revocation') }, { back }),
  login(value, path) {
    const request = login(value, path)
    if (request.port !== undefined && request.session_key === undefined) refuse(path, 'a port belongs to a session key')
    return request
  },
  approval: object({ ...at, kind: oneOf('approval'), id }, { back }),
  enrolment: object({ ...at, kind: oneOf('enrolment'), code }),
  join: object(
    { ...at, kind: oneOf('join'), code, for: oneOf(...IDENTITY_KINDS) },
    { name: atSignShape, server: serverName, client: pattern(/^[a-z][a-z0-9-]{0,31}$/, 'the name of a client') },
  ),
  invite: object({ ...at, kind: oneOf('invite'), id }),
}
const shape = tagged('kind', SHAPES)

/**
 * Reads what stands behind `#`: size, base64url, canonical JSON, the closed fields of its kind. Does NOT look at what it names.
 * @throws {VerifyError} TOO_LARGE, MALFORMED, UNKNOWN_FIELD, BAD_ATSIGN, WRONG_KEY_USE, BAD_KEY, and those of `parseSigned`
 * @see packages/core/spec/signer-request.md §2
 */
export function parseSignerRequest(fragment: string): SignerRequest {
  if (fragment.length > MAX_SIGNER_REQUEST_CHARS) throw new VerifyError('TOO_LARGE', `more than ${MAX_SIGNER_REQUEST_CHARS} characters`)
  return parseObject(decodeBase64url(fragment), shape, { maxBytes: MAX_SIGNER_REQUEST_CHARS, maxDepth: 3 }) as SignerRequest
}

/** The fragment of a request, after the checks of `parseSignerRequest`. */
export function encodeSignerRequest(request: SignerRequest): string {
  const fragment = encodeBase64url(encodeCanonical(request as unknown as JsonValue))
  parseSignerRequest(fragment)
  return fragment
}

/** The address to open. `origin` is one of the signer's, e.g. `http://localhost:3001`. */
export const signerRequestUrl = (origin: string, request: SignerRequest): string => `${origin}/#${encodeSignerRequest(request)}`
