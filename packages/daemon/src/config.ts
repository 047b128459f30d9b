import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { z } from 'zod'
import { OperationError } from './errors.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads one process's configuration: every problem is reported in one error, the result is frozen all the way down.
 * A strict schema (`z.strictObject`) also refuses options that do not exist, which is what catches typing errors.
 * @param nameOf How a person writes an option, for the message: by default its path, with `fromEnvironment` its variable.
 * @throws {OperationError} `CONFIG_INVALID`
 */
export function readConfig<T>(schema: z.ZodType<T>, source: unknown, nameOf = (path: string) => path): T {
  const result = schema.safeParse(source)
  if (result.success) return freeze(result.data)
  const problems = result.error.issues.flatMap((issue) => {
    const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path]
    const message = issue.code === 'unrecognized_keys' ? 'is not an option' : issue.message
    return paths.map((path) => `${nameOf(path.join('.')) || 'configuration'}: ${message}`)
  })
  throw new OperationError('CONFIG_INVALID', `the configuration is not usable:\n  ${problems.join('\n  ')}`)
}

/** `maxQueueBytes` ↔ `PREFIX_MAX_QUEUE_BYTES`. */
export const variableOf = (prefix: string) => (option: string) => prefix + option.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase()

/**
 * The options that stand in environment variables with this prefix, under their camel-case names. `…_FILE` reads the option from
 * a file (one trailing newline is dropped), so that a secret need not stand in the environment. Empty variables count as absent.
 */
export function fromEnvironment(prefix: string, environment: Environment = process.env): Record<string, string> {
  const options: Record<string, string> = {}
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith(prefix) || !value) continue
    const isFile = variable.endsWith('_FILE')
    const name = variable.slice(prefix.length, isFile ? -'_FILE'.length : undefined)
    const option = name.toLowerCase().replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase())
    options[option] = isFile ? readOptionFile(variable, value) : value
  }
  return options
}

function readOptionFile(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    throw new OperationError('CONFIG_INVALID', `${variable}: cannot read ${path}`, { cause })
  }
}

/** The XDG base directories, with `/postern` appended where the standard leaves naming to us. Relative values are ignored, as it demands. */
export interface Places {
  readonly state: string
  readonly config: string
  /** Where sockets go; absent on systems without a per-user runtime directory. */
  readonly runtime: string | undefined
}

export function places(environment: Environment = process.env): Places {
  const absolute = (value: string | undefined) => (value?.startsWith('/') ? value : undefined)
  const home = absolute(environment.HOME) ?? homedir()
  const runtime = absolute(environment.XDG_RUNTIME_DIR)
  return {
    state: join(absolute(environment.XDG_STATE_HOME) ?? join(home, '.local', 'state'), 'postern'),
    config: join(absolute(environment.XDG_CONFIG_HOME) ?? join(home, '.config'), 'postern'),
    runtime: runtime && join(runtime, 'postern'),
  }
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype
  if (!isPlain) return value // a Secret, a URL: not ours to freeze
  for (const inner of Object.values(value)) freeze(inner)
  return Object.freeze(value)
}
