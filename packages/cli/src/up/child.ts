import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { createInterface } from 'node:readline'
import type { Context } from '../context.ts'

/** Loaded into every child: it ends when file descriptor 3 closes, that is, when we are gone, however we went. */
const WITH_PARENT = new URL('../../bootstrap/with-parent.mjs', import.meta.url).href
const KILL_AFTER_MS = 6_000
const KEPT_LINES = 30

export interface ChildOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Told of every line of its log. */
  readonly onEntry?: (entry: Entry) => void
}

/** A line of the log of a process of ours: its message is constant, the rest are facts. */
export type Entry = Readonly<Record<string, unknown>> & { readonly level: string; readonly msg: string }

/** A process that `up` started. */
export interface Child {
  readonly name: string
  readonly pid: number
  /** Resolves when it has ended, with its exit code (128 + number for a signal). */
  readonly ended: Promise<number>
  /** What it wrote last. */
  tail(): readonly string[]
  stop(): Promise<void>
}

/**
 * Starts `node <args>` in a session of its own, so that Ctrl-C reaches us alone and we end it in order.
 */
export function startChild(context: Context, name: string, args: readonly string[], { cwd, env, onEntry }: ChildOptions): Child {
  const child = spawn(process.execPath, ['--import', WITH_PARENT, ...args], {
    cwd,
    env: env as NodeJS.ProcessEnv, // Next's types want NODE_ENV in it, which a production server sets itself
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  const tail: string[] = []
  let isStopping = false
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream! }).on('line', (line) => {
      const entry = parseEntry(line)
      const { text, isImportant } = readLine(line, entry, stream === child.stderr)
      if (entry) onEntry?.(entry)
      tail.push(text)
      if (tail.length > KEPT_LINES) tail.shift()
      const say = isImportant && !isStopping ? context.say : context.detail // what fails while it stops is how it stops
      say(`${name}: ${text}`)
    })
  }
  const ended = new Promise<number>((resolve) => {
    child.on('error', (error) => {
      tail.push(error.message)
      resolve(1)
    })
    child.on('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]))
  })
  return {
    ...{ name, pid: child.pid ?? 0, ended },
    tail: () => tail,
    stop: () => {
      isStopping = true
      return stop(child, ended)
    },
  }
}

async function stop(child: ChildProcess, ended: Promise<number>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const killer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS)
  await ended
  clearTimeout(killer)
}

/** Log lines of ours count from `warn` on, and whatever else it says on stderr. */
function readLine(line: string, entry: Entry | undefined, isStderr: boolean): { readonly text: string; readonly isImportant: boolean } {
  if (!entry) return { text: line, isImportant: isStderr && line.trim() !== '' }
  const { level, msg, time: _time, name: _name, ...rest } = entry
  const facts = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : ''
  return { text: `${level} ${msg}${facts}`, isImportant: ['warn', 'error', 'fatal'].includes(level) }
}

function parseEntry(line: string): Entry | undefined {
  try {
    const entry = JSON.parse(line) as Record<string, unknown>
    return typeof entry.level === 'string' && typeof entry.msg === 'string' ? (entry as Entry) : undefined
  } catch {
    return undefined
  }
}
