import type { Settings } from '../config.ts'
import type { CliError } from '../errors.ts'
import type { ExitName } from '../exit-codes.ts'
import { EXIT, exitOf } from '../exit-codes.ts'
import { escapeLines, safeJson } from './escape.ts'
import { JSON_VERSION } from './report.ts'
import type { Style } from './style.ts'

/** An error as people and programs see it. */
export interface Problem {
  readonly code: string
  readonly message: string
  readonly why?: string
  readonly fix?: string
  readonly requestId?: string
  readonly exit: ExitName
  /** A defect of ours rather than something the person can act on. */
  readonly isDefect: boolean
}

/** The one translation of whatever was thrown. Does not import the classes: several packages have one, and they are told apart by name. */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof Error)) return defect(String(error))
  const { name, message } = error
  const { code, fix, why, exit, requestId } = error as Partial<CliError & { requestId: string }>
  if (typeof code !== 'string' || !NAMES.has(name)) return defect(message)
  return {
    code,
    message,
    ...(why ? { why } : causeOf(error)),
    ...fixOf(code, fix),
    ...(requestId ? { requestId } : {}),
    exit: exit ?? exitFor(code, error),
    isDefect: false,
  }
}

/** Exit code 8 is for what was verified here: a server that says so of what we sent is only a server that refuses. */
function exitFor(code: string, error: Error): ExitName {
  const exit = exitOf(code)
  return exit === 'verification' && 'status' in error && error.status !== undefined ? 'failed' : exit
}

const NAMES = new Set(['CliError', 'VerifyError', 'OperationError', 'EdgeError', 'GatewayError', 'ConnectorError'])
const defect = (message: string): Problem => ({ code: 'INTERNAL', message, exit: 'failed', isDefect: true })
const causeOf = ({ cause }: Error) => (cause instanceof Error && NAMES.has(cause.name) ? { why: cause.message } : {})

/** Where the one who found it cannot know what a person at this command would do. */
const FIXES: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'postern login',
  UNREACHABLE: 'see that the control plane runs (postern up) and that the address is right; postern doctor checks both',
  TIMED_OUT: 'try again; postern doctor checks the way to the control plane',
  LOG_ROLLED_BACK: 'do not continue: ask another administrator for the head of the log, and keep the state directory as evidence',
  LOG_FORKED: 'do not continue: show both signed statements (evidence-*.json in the state directory) to the other administrators',
  STATE_CORRUPT: 'keep the state directory as evidence, then move it away and start from the pinned organisation again',
  ENROLMENT_EXPIRED: 'ask for a new code and enrol again',
  BAD_CODE: 'ask for a new one: postern code new',
}
function fixOf(code: string, fix: string | undefined): { fix?: string } {
  if (fix) return { fix }
  return Object.hasOwn(FIXES, code) ? { fix: FIXES[code]! } : {}
}

/** `error:` `why:` `fix:` `ref:` for people, on stderr. */
export function renderProblem(problem: Problem, error: unknown, settings: Settings, style: Style): string {
  const { code, message, why, fix, requestId } = problem
  const part = (label: string, text: string | undefined) => (text ? [`  ${style.paint('dim', `${label}:`)} ${escapeLines(text)}`] : [])
  const parts = [
    `${style.paint('bad', 'error:')} ${escapeLines(message)}`,
    ...part('why', why),
    ...part('fix', fix ?? (problem.isDefect ? 'run it again with --debug and report what it prints' : undefined)),
    ...part('ref', [code, requestId].filter(Boolean).join(' · ')),
    ...(settings.debug && error instanceof Error ? [escapeLines(error.stack ?? '')] : []),
  ]
  return `${style.plain(parts.join('\n'))}\n`
}

/** The same for programs, on stdout, where they expect a document. */
export function renderProblemJson({ code, message, why, fix, requestId, exit }: Problem): string {
  const error = { code, message, why: why ?? null, fix: fix ?? null, request_id: requestId ?? null, exit: EXIT[exit] }
  return `${safeJson({ schema: 'postern.error', v: JSON_VERSION, error })}\n`
}
