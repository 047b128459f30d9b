/** Why the gateway as a process cannot go on, or cannot do what it was told. Not the codes of refused calls: those are core's. */
export type GatewayErrorCode =
  | 'CONFIG_INVALID'
  | 'NOT_ENROLLED'
  | 'ALREADY_ENROLLED'
  | 'ENROLMENT_REFUSED'
  | 'ENROLMENT_EXPIRED'
  | 'WRONG_ORGANISATION'
  | 'KEYS_INVALID'
  | 'STATE_CORRUPT'
  | 'JOURNAL_CORRUPT'
  | 'JOURNAL_FAILED'
  | 'LOG_ROLLED_BACK'
  | 'LOG_FORKED'
  | 'SERVER_UNKNOWN'
  | 'SERVER_FAILED'
  | 'SERVER_BUSY'
  | 'CONTROL_REFUSED'

/** The one error class of this package. `code` is stable and for programs; `message` says what was expected and found, never a secret. */
export class GatewayError extends Error {
  override name = 'GatewayError'
  readonly code: GatewayErrorCode
  constructor(code: GatewayErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
