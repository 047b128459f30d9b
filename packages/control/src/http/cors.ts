import type { Control } from '../context.ts'

/** What the signing page may send: no signature of a session key, and no cookie. */
const HEADERS = 'content-type, postern-code'
const SHOWN = 'date, x-request-id, retry-after'

/** Where people of this organisation sign: what the log says, and what this installation serves besides (before genesis: only that). */
export const signerOriginsOf = ({ config, ledger }: Control): readonly string[] => [
  ...new Set([...config.signerOrigins, ...(ledger.state?.site.origins ?? [])]),
]

/**
 * Lets the signing page, and no other origin, read an answer of the REST API. Without credentials: no cookie of this origin is sent
 * along, and none would count. Says nothing about the permission, which is decided without looking at the origin.
 */
export function withCors(response: Response, request: Request, control: Control | undefined): Response {
  response.headers.append('vary', 'Origin')
  const origin = request.headers.get('origin')
  if (!control || !origin || !signerOriginsOf(control).includes(origin)) return response
  response.headers.set('access-control-allow-origin', origin)
  response.headers.set('access-control-expose-headers', SHOWN)
  response.headers.set('cross-origin-resource-policy', 'cross-origin')
  return response
}

/** What the signing page is told before it sends something that is no simple request. Nobody else is told anything. */
export function withPreflight(response: Response, request: Request, control: Control | undefined, methods: readonly string[]): Response {
  withCors(response, request, control).headers.set('allow', ['OPTIONS', ...methods].join(', '))
  if (!response.headers.has('access-control-allow-origin')) return response
  response.headers.set('access-control-allow-methods', methods.join(', '))
  response.headers.set('access-control-allow-headers', HEADERS)
  response.headers.set('access-control-max-age', '600')
  return response
}
