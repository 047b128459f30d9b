import type { NextRequest } from 'next/server'
import { NextResponse } from 'next/server'

/** Pages only: API routes set their own headers, static files need none. */
export const config = { matcher: '/((?!api/|_next/static/).*)' }

/** A Content-Security-Policy with a nonce per answer; Next puts the nonce on the scripts it writes, the kit on its styles. */
export function proxy(request: NextRequest): NextResponse {
  const nonce = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64')
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' 'strict-dynamic'`,
    ...[`style-src 'self' 'nonce-${nonce}'`, "img-src 'self'", "font-src 'self'", "connect-src 'self'", "manifest-src 'self'"],
    ...["base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"],
  ].join('; ')
  const headers = new Headers(request.headers)
  headers.set('content-security-policy', policy) // where Next looks for the nonce
  headers.set('x-nonce', nonce) // where ours do
  const response = NextResponse.next({ request: { headers } })
  response.headers.set('content-security-policy', policy)
  response.headers.set('cross-origin-opener-policy', 'same-origin')
  response.headers.set('referrer-policy', 'no-referrer')
  response.headers.set('x-content-type-options', 'nosniff')
  return response
}
