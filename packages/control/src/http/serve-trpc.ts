import { parseStrictJson } from '@postern/core'
import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import { authenticate } from '../auth/authenticate.ts'
import { principalOfCookie, requireOwnPage } from '../auth/browser-session.ts'
import type { Control } from '../context.ts'
import { refusalOf } from '../errors.ts'
import { appRouter } from '../router.ts'
import { readBody } from './body.ts'
import { logRefusal, newRequestId, refusalResponse, withHeaders } from './serve.ts'

const ENDPOINT = '/api/trpc'
const LIMITS = { maxBytes: 1024 * 1024, maxDepth: 64 }

/**
 * tRPC behind the same door as REST: bounded body, strict JSON, the signature over exactly the bytes received. Without a signature the
 * cookie of a browser counts here, for requests of our own pages.
 */
export async function serveTrpc(open: () => Promise<Control>, request: Request): Promise<Response> {
  const requestId = newRequestId()
  let control: Control | undefined
  try {
    control = await open()
    const body = await readBody(request, LIMITS.maxBytes)
    if (body.length > 0) parseStrictJson(body, LIMITS)
    const url = new URL(request.url)
    const from = { method: request.method, path: url.pathname, query: url.search, headers: request.headers, body }
    const signed = await authenticate(control, { ...from, code: () => undefined })
    const browser = signed.principal.role === 'anyone' ? await principalOfCookie(control, request.headers) : undefined
    if (browser) requireOwnPage(control, request)
    const { principal, until } = browser ?? signed
    const { method, headers, signal } = request
    const req = new Request(request.url, { method, headers, signal, ...(body.length > 0 ? { body } : {}) })
    const context = { control, principal, requestId, until }
    const answer = await fetchRequestHandler({ endpoint: ENDPOINT, req, router: appRouter, createContext: () => context })
    const response = withHeaders(new Response(answer.body, answer), requestId)
    const cookie = await browser?.rotate?.()
    if (cookie) response.headers.append('set-cookie', cookie)
    return response
  } catch (error) {
    const refusal = refusalOf(error)
    logRefusal(refusal, error, requestId, control, 'tRPC')
    return refusalResponse(refusal, requestId)
  }
}
