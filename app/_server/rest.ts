import 'server-only'
import type { Method } from '@postern/control'
import { operations, serve } from '@postern/control'
import { control } from './control.ts'

type Handler = (request: Request, context: { params: Promise<Record<string, string>> }) => Promise<Response>

/** The handlers of every operation with this path: what an API route file exports. */
export function rest(path: `/api/${string}`): Record<Method, Handler> {
  const handlers = operations
    .filter((operation) => operation.path === path)
    .map((operation): [Method, Handler] => [
      operation.method,
      async (request, { params }) => serve(control, operation, request, await params),
    ])
  return Object.fromEntries(handlers) as Record<Method, Handler>
}
