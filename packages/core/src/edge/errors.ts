/** Why an edge cannot do what it was told. Not the codes of refused calls (`call/codes.ts`), nor of failed verification (`VerifyError`). */
export type EdgeErrorCode =
  | 'JOIN_STRING_INVALID'
  | 'WRONG_ORGANISATION' // this edge is pinned to another organisation
  | 'KEYS_INVALID'
  | 'PIN_INVALID'
  | 'STATE_CORRUPT' // what is on disk does not read or does not verify
  | 'LOG_ROLLED_BACK' // shorter than, or other than, what was acted on before
  | 'LOG_FORKED' // two signed statements stand for one seq
  | 'NO_LOG' // nothing of the log has arrived yet
  | 'ENROLMENT_REFUSED'
  | 'ENROLMENT_EXPIRED'
  | 'RELAY_REFUSED'
  | 'RELAY_MISBEHAVES'

/** `code` is stable and for programs; `message` says what was expected and found, never a secret. */
export class EdgeError extends Error {
  override name = 'EdgeError'
  readonly code: EdgeErrorCode
  constructor(code: EdgeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
