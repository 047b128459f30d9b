import { VerifyError } from '@postern/core'
import { OperationError } from '@postern/daemon'

/** Every reason of the control plane's own, and the HTTP status it travels with. What core refuses keeps core's code. */
const STATUS = {
  UNAUTHENTICATED: 401,
  WRONG_AUTHORITY: 401, // signed for another host
  REPLAYED: 401, // this nonce, or this login, was used before
  WRONG_BROWSER: 401, // a login for another browser than the one that brings it
  BAD_SECRET: 401, // genesis secret: wrong, expired or already used
  BAD_CODE: 401, // enrolment code: wrong, expired, void or already used
  BAD_FILTER: 400, // a filter that cannot be read; the answer says where
  NOT_PERMITTED: 403,
  WRONG_ORIGIN: 403, // not sent by a page of this console
  NOT_FOUND: 404,
  CONFLICT: 409, // this place in the log is taken; the answer carries the head
  ALREADY_FOUNDED: 409,
  ALREADY_DECIDED: 409,
  SELECTION_CHANGED: 409, // all that match a filter are not as many as the person saw
  UNKNOWN_REVOCATION: 409, // the statement names revocations that are not here
  CHECKS_FAILED: 409, // tests of a policy draft do not come out as written
  POLICY_MISSING: 409, // policy.set without its bytes
  LOG_INVALID: 409, // what is stored does not verify: nothing can be appended to it
  RECEIPT_CONFLICT: 409, // another receipt with this gateway, epoch and number
  GONE: 410,
  TOO_LARGE: 413,
  BAD_CONTENT_TYPE: 415,
  TOO_MANY: 429,
  INTERNAL: 500,
  DATABASE_UNAVAILABLE: 503,
  DATABASE_IN_USE: 503,
  CONFIG_INVALID: 503,
  GATEWAY_UNREACHABLE: 504,
} as const
export type ControlCode = keyof typeof STATUS

/** Input is not acceptable or the request cannot be served. The message is for people and never holds a secret. */
export class ControlError extends Error {
  override name = 'ControlError'
  readonly code: ControlCode
  readonly fix: string | undefined
  /** Fields that stand beside code and message in the answer. */
  readonly details: Readonly<Record<string, unknown>>
  constructor(code: ControlCode, message: string, options: { fix?: string; cause?: unknown; details?: Record<string, unknown> } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.fix = options.fix
    this.details = options.details ?? {}
  }
}

/** What leaves this process about an error: nothing of an unexpected one but that it happened. */
export interface Refusal {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly fix?: string
  readonly details: Readonly<Record<string, unknown>>
}

/** The one translation, used by REST and tRPC. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof ControlError) {
    const { code, message, fix, details } = error
    return { status: STATUS[code], code, message, details, ...(fix ? { fix } : {}) }
  }
  if (error instanceof VerifyError)
    return { status: error.code === 'TOO_LARGE' ? 413 : 400, code: error.code, message: error.message, details: {} }
  if (error instanceof OperationError && Object.hasOwn(STATUS, error.code)) {
    const { code, message, fix } = error
    return { status: STATUS[code as ControlCode], code, message, details: {}, ...(fix ? { fix } : {}) }
  }
  if (isDatabaseDown(error)) {
    return { status: 503, code: 'DATABASE_UNAVAILABLE', message: 'the database does not answer; it is tried again by itself', details: {} }
  }
  return { status: 500, code: 'INTERNAL', message: 'unexpected error; the request id finds it in the log', details: {} }
}

/** Errors of Node's sockets, of PostgreSQL (class 08, 53, 57P) and of Prisma that mean: no working connection. */
const DOWN =
  /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|P10(00|01|02|08|11|17)|P20(24|28)|08\d\d\d|53\d\d\d|57P\d\d|ESOCKETTIMEDOUT)$/
const DOWN_MESSAGE =
  /connection terminated|connection timeout|timeout exceeded when trying to connect|query read timeout|client has encountered a connection error|not queryable|DatabaseNotReachable|ConnectionClosed|no answer from the database|server has closed the connection/i

/** Looks through causes, because the driver, the adapter and Prisma each wrap the one below. */
export function isDatabaseDown(error: unknown, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > 5) return false
  const { code, originalCode, message, cause, kind } = error as Record<string, unknown>
  if ([code, originalCode].some((c) => typeof c === 'string' && DOWN.test(c))) return true
  if ([message, kind].some((text) => typeof text === 'string' && DOWN_MESSAGE.test(text))) return true
  if (error instanceof AggregateError) return error.errors.some((inner) => isDatabaseDown(inner, depth + 1))
  return isDatabaseDown(cause, depth + 1)
}
