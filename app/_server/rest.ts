import 'server-only'
import type { Method } from '@postern/control'
import { operations, serve, servePreflight } from '@postern/control'
import { control } from './control.ts'

type Handler = (request: Request, context: { params: Promise<Record<string, string>> }) => Promise<Response>

/** The handlers of every operation with this path, and of what browsers ask before: what an API route file exports. */
export function rest(path: `/api/${string}`): Record<Method | 'OPTIONS', Handler> {
  const handlers = operations
    .filter((operation) => operation.path === path)
    .map((operation): [Method, Handler] => [
      operation.method,
      async (request, { params }) => serve(control, operation, request, await params),
    ])
  const preflight: Handler = (request) =>
    servePreflight(
      control,
      handlers.map(([method]) => method),
      request,
    )
  return Object.fromEntries([...handlers, ['OPTIONS', preflight]]) as Record<Method | 'OPTIONS', Handler>
}
