import type { Overview } from '@postern/control'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import type { Child } from './child.ts'

const EVERY_MS = 50
const TIMEOUT_MS = 60_000
/** Of the control plane's own reasons, those that waiting does not cure. */
const HOPELESS = new Set(['DATABASE_IN_USE', 'CONFIG_INVALID'])

interface Trouble {
  readonly code?: string
  readonly message?: string
}

/**
 * Waits until `url` answers 200.
 * @throws {CliError} CHILD_ENDED, NOT_READY, or the control plane's own code when it says that it cannot start
 */
export async function untilHealthy(context: Context, child: Child, url: string): Promise<void> {
  const began = performance.now()
  let ended: number | undefined
  void child.ended.then((code) => {
    ended = code
  })
  for (let told = false; ; ) {
    if (ended !== undefined) throw endedError(child, ended)
    const trouble = await ask(url)
    if (trouble === 'healthy') return
    if (trouble?.code && HOPELESS.has(trouble.code)) throw hopeless(trouble)
    if (trouble?.code && !told) {
      told = true
      context.say(`! ${child.name} runs but cannot serve yet: ${trouble.message ?? trouble.code}`)
    }
    if (!trouble?.code && performance.now() - began > TIMEOUT_MS) {
      throw new CliError('NOT_READY', `${child.name} did not answer within ${TIMEOUT_MS / 1000} s`, {
        why: child.tail().join('\n'),
        exit: 'failed',
      })
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
  }
}

/** @returns undefined while nobody answers */
async function ask(url: string): Promise<'healthy' | Trouble | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) })
    if (answer.ok) return 'healthy'
    return (await answer.json()) as Trouble
  } catch {
    return undefined
  }
}

export const endedError = (child: Child, code: number): CliError =>
  new CliError('CHILD_ENDED', `the ${child.name} process ended with exit code ${code}`, {
    why: child.tail().slice(-12).join('\n') || 'it said nothing',
    fix: 'postern up -v shows everything it says',
    exit: 'failed',
  })

const hopeless = ({ code = '', message = code }: Trouble) =>
  new CliError(code, message, {
    fix:
      code === 'DATABASE_IN_USE'
        ? 'stop that process, or use another directory: postern up --data <directory>'
        : 'correct the environment variable that it names',
    exit: 'failed',
  })

/** What the control plane says about itself; a hint for people. @returns undefined when it does not say */
export async function readOverview(url: string): Promise<Overview | undefined> {
  try {
    const answer = await fetch(`${url}/api/trpc/status.overview`, { signal: AbortSignal.timeout(10_000) })
    return ((await answer.json()) as { result?: { data?: Overview } }).result?.data
  } catch {
    return undefined
  }
}
