/** Codes this package raises itself. Processes add their own, and answers of a server bring theirs (`requestJson`). */
export type DaemonCode =
  | 'CONFIG_INVALID' // an option is missing, unknown or malformed; the message lists all of them
  | 'KEY_FILE_MODE' // a file with secrets can be read by others
  | 'STATE_DIR_UNSAFE' // others may write where we keep state
  | 'STORAGE_FAILED' // the disk refused; after a failed fsync nothing more is written to that file
  | 'LOCKED' // another live process holds the directory
  | 'ALREADY_RUNNING' // another live process answers on the health socket
  | 'PORT_TAKEN'
  | 'UNREACHABLE' // no connection, or it broke
  | 'TIMED_OUT'
  | 'TOO_LARGE' // an answer or a message over its bound
  | 'BAD_ANSWER' // a server answered with something else than agreed
  | 'HTTP_ERROR' // a server refused without saying why in our form
  | 'NOT_CONNECTED'
  | 'BUFFER_FULL' // the other side does not read; await `drained()` before sending
  | 'CLOSED'

export interface OperationDetails extends ErrorOptions {
  /** True when the same attempt may succeed later without anybody changing anything. */
  readonly retryable?: boolean
  /** What a person can do about it, as a command where there is one. */
  readonly fix?: string
  /** HTTP status, when a server answered. */
  readonly status?: number
  /** The server's id of the request, to find it in its log. */
  readonly requestId?: string
}

/** The world failed: disk, network, configuration, another process. `code` is stable and for programs, `message` and `fix` are for people. */
export class OperationError extends Error {
  override name = 'OperationError'
  readonly code: string
  readonly retryable: boolean
  readonly fix: string | undefined
  readonly status: number | undefined
  readonly requestId: string | undefined

  constructor(code: DaemonCode | (string & {}), message: string, details: OperationDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.retryable = details.retryable ?? false
    this.fix = details.fix
    this.status = details.status
    this.requestId = details.requestId
  }
}

/** The errno of a Node system error (`ENOENT`, …), or undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}
