/** Why the connector as a process cannot start. Not the codes of refused requests: those are core's. */
export type ConnectorErrorCode =
  | 'NOT_SET_UP' // no keys or no organisation on this machine for that agent
  | 'GRANT_FILE_INVALID'
  | 'TOKEN_FILE_INVALID'

/** The one error class of this package. `code` is stable and for programs; `message` says what was expected and found, never a secret. */
export class ConnectorError extends Error {
  override name = 'ConnectorError'
  readonly code: ConnectorErrorCode
  readonly fix: string | undefined
  constructor(code: ConnectorErrorCode, message: string, options: ErrorOptions & { readonly fix?: string } = {}) {
    super(message, options)
    this.code = code
    this.fix = options.fix
  }
}
