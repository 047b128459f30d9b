import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

// Everything the CLI takes from its environment. Light on purpose: it is loaded before anything else, also for `--help`.

export type Environment = Readonly<Record<string, string | undefined>>

/** The environment of this process; commands get it from here. */
export const environment: Environment = process.env

/** `$XDG_CACHE_HOME/postern/`: nothing in it is needed. */
export function cacheDirectory(source: Environment = environment): string {
  const absolute = (value: string | undefined) => (value && isAbsolute(value) ? value : undefined)
  return join(absolute(source.XDG_CACHE_HOME) ?? join(absolute(source.HOME) ?? homedir(), '.cache'), 'postern')
}

/** How one run shows its result and asks. Made of the global flags and the environment. */
export interface Settings {
  /** The version of the JSON document asked for; undefined: no JSON. */
  readonly json: number | undefined
  readonly fields: readonly string[] | undefined
  readonly quiet: boolean
  readonly verbose: boolean
  readonly debug: boolean
  readonly color: boolean
  /** Words instead of glyphs. */
  readonly ascii: boolean
  /** Whether questions may be asked. */
  readonly input: boolean
  /** Reversible confirmations are given. */
  readonly yes: boolean
  /** Named confirmations of what cannot be taken back, e.g. `revoke-is-final`. */
  readonly accept: readonly string[]
  readonly profile: string | undefined
  /** Human output: aligned, relative times, short ids. Otherwise tab-separated and exact. */
  readonly human: boolean
  readonly columns: number
  readonly environment: Environment
}

/** Global flags as commander hands them over. */
export interface GlobalFlags {
  readonly json?: boolean
  readonly fields?: string
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly debug?: boolean
  readonly color?: string
  readonly input?: boolean
  readonly yes?: boolean
  readonly accept?: readonly string[]
  readonly profile?: string
}

/** Which of the three standard streams are terminals, and how wide the output is. */
export interface Terminal {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly columns: number | undefined
}

export function readSettings(flags: GlobalFlags, jsonVersion: number, terminal: Terminal, source: Environment = environment): Settings {
  const isDumb = source.TERM === 'dumb'
  const wantsColor = terminal.stdout && !isDumb && !source.NO_COLOR
  return {
    json: flags.json ? jsonVersion : undefined,
    fields: flags.fields?.split(',').map((field) => field.trim()),
    quiet: flags.quiet ?? false,
    verbose: flags.verbose ?? false,
    debug: flags.debug ?? false,
    color: flags.color === 'always' || (flags.color !== 'never' && wantsColor),
    ascii: source.POSTERN_ASCII === '1',
    input: terminal.stdin && terminal.stderr && flags.input !== false,
    yes: flags.yes ?? false,
    accept: flags.accept ?? [],
    profile: flags.profile,
    human: terminal.stdout,
    columns: terminal.columns ?? 100,
    environment: source,
  }
}
