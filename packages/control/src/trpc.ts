// All of tRPC, in reading order: how errors leave, the only constructor of procedures, the router.
import type { TRPC_ERROR_CODE_KEY } from '@trpc/server'
import { initTRPC, TRPCError } from '@trpc/server'
import { z } from 'zod'
import type { Permission } from './access.ts'
import { requirePermission } from './access.ts'
import type { Context } from './context.ts'
import type { Refusal } from './errors.ts'
import { refusalOf } from './errors.ts'
import { PING_MS } from './stream/streams.ts'

const CODES: Readonly<Record<number, TRPC_ERROR_CODE_KEY>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  410: 'NOT_FOUND',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  429: 'TOO_MANY_REQUESTS',
  503: 'SERVICE_UNAVAILABLE',
  504: 'GATEWAY_TIMEOUT',
}

/** Carries a refusal of ours through tRPC, which knows only codes of its own. */
class RefusalCause extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal, cause: unknown) {
    super(refusal.message, { cause })
    this.refusal = refusal
  }
}

const t = initTRPC
  .context<Context>()
  .meta<{ permission: Permission }>()
  .create({
    sse: { ping: { enabled: true, intervalMs: PING_MS } },
    errorFormatter({ shape, error, ctx }) {
      const refusal = error.cause instanceof RefusalCause ? error.cause.refusal : undefined
      const { code, fix, details } = refusal ?? { code: error.code, details: {} }
      const { stack: _, ...data } = shape.data
      return { ...shape, data: { ...data, reason: code, ...(fix ? { fix } : {}), ...details, requestId: ctx?.requestId } }
    },
  })

const permitted = (permission: Permission) =>
  t.middleware(async ({ ctx, next }) => {
    try {
      requirePermission(ctx.principal.role, permission)
    } catch (error) {
      throw translate(error)
    }
    const result = await next()
    if (!result.ok) throw translate(result.error.cause ?? result.error, result.error)
    return result
  })

function translate(error: unknown, outer?: TRPCError): TRPCError {
  if (error instanceof RefusalCause && outer) return outer
  const refusal = error instanceof z.core.$ZodError ? refusalOfInput(error) : refusalOf(error)
  const code = CODES[refusal.status] ?? 'INTERNAL_SERVER_ERROR'
  return new TRPCError({ code, message: refusal.message, cause: new RefusalCause(refusal, error) })
}

function refusalOfInput({ issues: [issue] }: z.core.$ZodError): Refusal {
  const code = issue?.code === 'unrecognized_keys' ? 'UNKNOWN_FIELD' : 'MALFORMED'
  return { status: 400, code, message: `${issue?.path.join('.') || 'input'}: ${issue?.message}`, details: {} }
}

/** The only constructor: no permission, no procedure. Organisation and actor come from `ctx`, never from input. */
export const procedure = (permission: Permission) => t.procedure.meta({ permission }).use(permitted(permission))
export const { router, createCallerFactory } = t
