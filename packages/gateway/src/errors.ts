import type { OperationDetails } from '@postern/daemon'
import { OperationError } from '@postern/daemon'

/** Why the gateway as a process cannot go on, or cannot do what it was told. Not the codes of refused calls: those are core's. */
export type GatewayErrorCode =
  | 'NOT_ENROLLED' // nothing of this gateway is on this machine
  | 'WRONG_ORGANISATION'
  | 'STATE_CORRUPT' // a file of the state directory cannot be read
  | 'JOURNAL_CORRUPT' // another key, or a record that is gone
  | 'JOURNAL_FAILED' // the disk refuses; nothing runs

/** The one error class of this package. `code` is stable and for programs; `message` says what was expected and found, never a secret. */
export class GatewayError extends OperationError {
  override name = 'GatewayError'
  declare readonly code: GatewayErrorCode

  constructor(code: GatewayErrorCode, message: string, details?: OperationDetails) {
    super(code, message, details)
  }
}
