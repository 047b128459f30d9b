import { parseRequestSignature, REQUEST_NONCE_SECONDS, VerifyError, verifyRequest } from '@postern/core'
import type { Control, Principal } from '../context.ts'
import { ControlError } from '../errors.ts'
import { codeHolder } from './code-holder.ts'
import type { Found } from './find-actor.ts'
import { findActor } from './find-actor.ts'

/** What a request shows of its sender. `body` is the exact bytes that were received. */
export interface Presented {
  readonly method: string
  readonly path: string
  /** With its question mark, or empty. */
  readonly query: string
  readonly headers: Headers
  readonly body: Uint8Array
  /** Asked only when nothing is signed. */
  code(): string | undefined
  /** Ids by which somebody without a key may read. */
  readonly enrolment?: string | undefined
  readonly request?: string | undefined
  readonly approval?: string | undefined
  readonly invite?: string | undefined
}
export interface Authenticated {
  readonly principal: Principal
  /** Unix seconds: a person's session ends then. */
  readonly until?: number
}

/**
 * Says who asks. A signed request must verify completely (RFC 9421 profile, content digest over the exact bytes, one of our own
 * hosts, a live key, a fresh nonce) or it is refused; there is no falling back to `anyone`.
 * Does NOT say what the sender may do: see `requirePermission`.
 * @throws {ControlError} UNAUTHENTICATED with core's code as `reason`, WRONG_AUTHORITY, REPLAYED, BAD_CODE
 */
export async function authenticate(control: Control, presented: Presented): Promise<Authenticated> {
  if (isSigned(presented.headers)) return signedBy(control, presented)
  const { enrolment, request, approval, invite } = presented
  const code = presented.code()
  const shown = { code, enrolment, request, approval, invite }
  if (Object.values(shown).some((value) => value !== undefined)) return { principal: await codeHolder(control, shown) }
  return { principal: { role: 'anyone' } }
}

export const isSigned = (headers: Headers): boolean => headers.has('signature') || headers.has('signature-input')

async function signedBy(control: Control, presented: Presented): Promise<Authenticated> {
  const authority = presented.headers.get('host') ?? ''
  if (!control.hosts.has(authority)) {
    throw new ControlError('WRONG_AUTHORITY', `this control plane is not reached as ${authority || 'nothing'}`, {
      fix: `use ${control.config.publicUrl[0]}, or set POSTERN_PUBLIC_URL`,
    })
  }
  try {
    const found = await verifySignature(control, presented, authority)
    return { principal: found.actor, ...(found.until === undefined ? {} : { until: found.until }) }
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    throw unauthenticated(error.message, error.code, error)
  }
}

const SIGNED_HEADERS = ['content-digest', 'signature-input', 'signature']

async function verifySignature(control: Control, presented: Presented, authority: string): Promise<Found> {
  const { method, path, query, body } = presented
  const headers = Object.fromEntries(SIGNED_HEADERS.map((name) => [name, presented.headers.get(name) ?? undefined]))
  const { kid } = parseRequestSignature(headers)
  const found = await findActor(control, kid)
  if (!found) throw unauthenticated(`key ${kid} is not enrolled, or has ended`, 'UNKNOWN_KEY')
  const now = control.now()
  const { nonce, created } = verifyRequest({ method, authority, path, query, body, headers }, found.key, { now, suite: control.suite })
  const isFresh = await control.nonces.claim(kid, nonce, Math.max(created, now) + REQUEST_NONCE_SECONDS)
  if (!isFresh) throw new ControlError('REPLAYED', 'a request with this nonce was received before')
  return found
}

const unauthenticated = (message: string, reason: string, cause?: unknown) =>
  new ControlError('UNAUTHENTICATED', message, { details: { reason }, cause, ...(FIXES[reason] ? { fix: FIXES[reason] } : {}) })

const FIXES: Readonly<Record<string, string>> = {
  EXPIRED: 'check the clock of this machine',
  NOT_YET_VALID: 'check the clock of this machine',
  UNKNOWN_KEY: 'people: postern login; edges: enrol again',
}
