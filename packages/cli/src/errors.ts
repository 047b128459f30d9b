import type { ExitName } from './exit-codes.ts'

/** Reasons of the CLI's own. Codes of core, daemon, gateway and control plane pass through with theirs. */
export type CliCode =
  | 'USAGE'
  | 'NOT_FOUND'
  | 'SIGN_IN' // no session, or it has ended
  | 'NO_PROFILE' // this machine belongs to nobody yet
  | 'CONFIRM' // a question could not be asked
  | 'DECLINED' // the person said no
  | 'INTERRUPTED' // Ctrl-C at a question
  | 'KEY_UNUSABLE' // the signing key cannot sign
  | 'WORDS_DIFFER' // the comparison words are other ones
  | 'LOG_ROLLED_BACK'
  | 'LOG_FORKED'
  | 'LOG_REFUSED' // a statement of the log does not verify
  | 'LOG_HALTED'
  | 'WRONG_ORGANISATION'
  | 'VERIFICATION_FAILED' // something handed to us is not what it claims
  | 'CONFLICT'
  | 'STILL_PENDING'
  | 'NOT_EFFECTIVE' // signed and sent, but not every gateway has said that it applied it
  | 'CHECKS_FAILED'
  | 'DENIED' // a tool call or grant was refused
  | 'PORT_TAKEN'
  | 'CHILD_ENDED' // a process started by `up` ended
  | 'NOT_READY' // a process started by `up` did not come up
  | 'CLIENT_FILE_INVALID' // the configuration file of an MCP client cannot be edited safely
  | 'UNSUPPORTED'

export interface ErrorDetails extends ErrorOptions {
  /** What was expected and what was found. */
  readonly why?: string
  /** A command to run, or what to change. */
  readonly fix?: string
  readonly exit: ExitName
}

/** What a command ends with when it cannot do what it was told. `code` is for programs, the rest for people. */
export class CliError extends Error {
  override name = 'CliError'
  readonly code: CliCode | (string & {})
  readonly why: string | undefined
  readonly fix: string | undefined
  readonly exit: ExitName

  constructor(code: CliCode | (string & {}), message: string, { why, fix, exit, ...options }: ErrorDetails) {
    super(message, options)
    this.code = code
    this.why = why
    this.fix = fix
    this.exit = exit
  }
}

/** What was typed is not what the command takes. */
export const usageError = (message: string, fix?: string): CliError =>
  new CliError('USAGE', message, { exit: 'usage', ...(fix ? { fix } : {}) })
export const notFound = (message: string, fix?: string): CliError =>
  new CliError('NOT_FOUND', message, { exit: 'notFound', ...(fix ? { fix } : {}) })
