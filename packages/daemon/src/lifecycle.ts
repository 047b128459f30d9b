import { errnoOf, OperationError } from './errors.ts'
import type { Log } from './log.ts'
import { createLog } from './log.ts'

/** What `start(config, deps)` of a process gives back. */
export interface Running {
  /** One line for people: what runs, and where. */
  readonly ready: string
  /** Settles when the process ends by itself: fulfilled = done, rejected = failed. Absent: it runs until it is stopped. */
  readonly ended?: Promise<void>
  /** Stops taking work, finishes or refuses what is open, lets go of everything. Never called twice by `runMain`. */
  close(): Promise<void>
}

/** Runs what was added in reverse order, each even if another failed; the first failure is thrown at the end. */
export class Disposers implements AsyncDisposable {
  readonly #disposers: (() => unknown)[] = []

  add(dispose: () => unknown): void {
    this.#disposers.push(dispose)
  }

  /** Adds something disposable and returns it: `const file = disposers.use(await open…())`. */
  use<T extends AsyncDisposable | Disposable>(thing: T): T {
    this.add(() => (Symbol.asyncDispose in thing ? thing[Symbol.asyncDispose]() : thing[Symbol.dispose]()))
    return thing
  }

  async dispose(): Promise<void> {
    const failures: unknown[] = []
    for (let dispose = this.#disposers.pop(); dispose; dispose = this.#disposers.pop()) {
      try {
        await dispose()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }
}

/** How long `close` may take before the process exits without it. */
const CLOSE_MS = 10_000
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const

export interface MainOptions {
  readonly log?: Log
  /** Exit code of a failed start or run. Default 1. */
  readonly exitCode?: (error: unknown) => number
}

/**
 * Runs a process: starts it, logs one line when it is ready, and exits with 130 on SIGINT, 143 on SIGTERM, 0 when it ends by itself,
 * `exitCode(error)` when it fails. `close` gets ten seconds; a second signal exits at once. Errors that nobody caught are logged and
 * end the process too, since its state is unknown after them.
 * @param start Gets the log and a signal that fires when the process shall stop, also while it is still starting.
 */
export async function runMain(
  name: string,
  start: (context: { log: Log; signal: AbortSignal }) => Promise<Running>,
  { log = createLog(name), exitCode = () => 1 }: MainOptions = {},
): Promise<void> {
  const stop = new AbortController()
  const stopped = new Promise<number>((resolve) => {
    const end = (code: number) => {
      if (stop.signal.aborted) process.exit(code)
      resolve(code)
      stop.abort()
    }
    for (const [signal, code] of Object.entries(SIGNALS)) process.on(signal, () => end(code))
    const uncaught = (error: unknown) => {
      if (errnoOf(error) !== 'EPIPE') reportFailure(log, error, 'uncaught error') // EPIPE: whoever read our output is gone
      end(exitCode(error) || 1)
    }
    process.on('uncaughtException', uncaught)
    process.on('unhandledRejection', uncaught)
  })
  process.exit(await run(log, start, stop.signal, stopped, exitCode))
}

async function run(
  log: Log,
  start: (context: { log: Log; signal: AbortSignal }) => Promise<Running>,
  signal: AbortSignal,
  stopped: Promise<number>,
  exitCode: (error: unknown) => number,
): Promise<number> {
  let running: Running | undefined
  try {
    const starting = start({ log, signal })
    const first = await Promise.race([starting, stopped])
    if (typeof first === 'number') {
      await closeInTime(log, async () => (await starting).close())
      return first
    }
    running = first
    log.info(running.ready)
    const code = await Promise.race([stopped, ...(running.ended ? [running.ended.then(() => 0)] : [])])
    log.debug('stopping')
    await closeInTime(log, () => running!.close())
    return code
  } catch (error) {
    reportFailure(log, error, running ? 'failed' : 'could not start')
    await closeInTime(log, async () => running?.close())
    return exitCode(error) || 1
  }
}

async function closeInTime(log: Log, close: () => Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, CLOSE_MS, 'late')
  })
  try {
    if ((await Promise.race([close(), late])) === 'late') log.warn('not everything closed within 10 s; exiting without it')
  } catch (error) {
    reportFailure(log, error, 'closing failed')
  }
  clearTimeout(timer)
}

/** An OperationError is for the operator: its message says enough. Anything else is a defect, and its stack matters. */
function reportFailure(log: Log, error: unknown, what: string): void {
  if (error instanceof OperationError) log.error({ code: error.code, fix: error.fix }, `${what}: ${error.message}`)
  else log.fatal({ err: error }, what)
}
