import { encodeBase64url } from '@postern/core'
import { isPermitted, requirePermission } from '../access.ts'
import type { Presented } from '../auth/authenticate.ts'
import { authenticate, isSigned } from '../auth/authenticate.ts'
import type { Control } from '../context.ts'
import type { Refusal } from '../errors.ts'
import { refusalOf } from '../errors.ts'
import { readBody } from './body.ts'
import { withCors, withPreflight } from './cors.ts'
import { readInput } from './input.ts'
import type { Operation } from './operation.ts'

/**
 * One request from the first byte to the last: bounded body, signature over exactly those bytes, permission, strict input,
 * handler, answer. Whatever is thrown becomes one typed refusal with a request id.
 * @param open Gives the control plane, opening the database if need be; it may fail and is asked anew by the next request.
 */
export async function serve(
  open: () => Promise<Control>,
  operation: Operation,
  request: Request,
  params: Record<string, string> = {},
): Promise<Response> {
  const requestId = newRequestId()
  let control: Control | undefined
  try {
    control = await open()
    refuseUnread(operation, request)
    const body = await readBody(request, operation.maxBytes ?? 65_536)
    const { principal, until } = await senderOf(control, operation, request, params, body)
    requirePermission(principal.role, operation.permission)
    const input = readInput(operation, request, params, body)
    const answer = await operation.handle({ control, principal, requestId, ...(until === undefined ? {} : { until }) }, input)
    return withCors(withHeaders(answer instanceof Response ? answer : Response.json(answer), requestId), request, control)
  } catch (error) {
    return withCors(refuse(error, requestId, control, operation), request, control)
  }
}

/** Answers OPTIONS, which browsers ask before they let a page of another origin send JSON. */
export async function servePreflight(open: () => Promise<Control>, methods: readonly string[], request: Request): Promise<Response> {
  const control = await open().catch(() => undefined) // the request itself will say what is wrong
  return withPreflight(withHeaders(new Response(null, { status: 204 }), newRequestId()), request, control, methods)
}

/** A stranger where none is served: refused before a byte of the body is read. */
function refuseUnread({ permission }: Operation, { headers }: Request) {
  if (!isSigned(headers) && !isPermitted('code-holder', permission)) requirePermission('anyone', permission)
}

/** The code in a body is read before the permission is decided, because it is what decides it. */
function senderOf(control: Control, operation: Operation, request: Request, params: Record<string, string>, body: Uint8Array<ArrayBuffer>) {
  const url = new URL(request.url)
  const presented: Presented = {
    method: request.method,
    path: url.pathname,
    query: url.search,
    headers: request.headers,
    body,
    code: () => {
      if (operation.codeIn !== 'body') return request.headers.get('postern-code') ?? undefined
      return (readInput(operation, request, params, body).body as { code?: string }).code
    },
    enrolment: url.searchParams.get('enrolment') ?? undefined,
    request: url.searchParams.get('request') ?? undefined,
    approval: url.searchParams.get('approval') ?? undefined,
    invite: url.searchParams.get('invite') ?? undefined,
  }
  return authenticate(control, presented)
}

function refuse(error: unknown, requestId: string, control: Control | undefined, operation: Operation): Response {
  const refusal = refusalOf(error)
  logRefusal(refusal, error, requestId, control, `${operation.method} ${operation.path}`)
  if (!operation.unavailable || refusal.status < 500) return refusalResponse(refusal, requestId)
  return withHeaders(Response.json(operation.unavailable(refusal), { status: 503, headers: RETRY }), requestId)
}

/** Codes and ids only; an unexpected error with its stack, because it is a defect. */
export function logRefusal({ status, code }: Refusal, error: unknown, requestId: string, control: Control | undefined, route: string) {
  if (status === 500) control?.log.error({ requestId, route, err: error }, 'request failed')
  else if (status >= 500) control?.log.warn({ requestId, route, code }, 'request not served')
  else control?.log.debug({ requestId, route, code }, 'request refused')
}

const RETRY = { 'retry-after': '1' }

export function refusalResponse({ status, code, message, fix, details }: Refusal, requestId: string): Response {
  const body = { error: { code, message, ...(fix ? { fix } : {}), ...details, request_id: requestId } }
  return withHeaders(Response.json(body, { status, ...(status === 503 ? { headers: RETRY } : {}) }), requestId)
}

const PROCESS = encodeBase64url(crypto.getRandomValues(new Uint8Array(6)))
let count = 0
/** Finds a request in the log. Names things, guards nothing: need not be hard to guess. */
export const newRequestId = (): string => `${PROCESS}-${(++count).toString(36)}`

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
}

export function withHeaders(response: Response, requestId: string): Response {
  response.headers.set('x-request-id', requestId)
  if (!response.headers.has('cache-control')) response.headers.set('cache-control', 'no-store')
  for (const [name, value] of Object.entries(HEADERS)) response.headers.set(name, value)
  return response
}
