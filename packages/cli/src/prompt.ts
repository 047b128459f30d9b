import { createInterface } from 'node:readline/promises'
import { CliError, usageError } from './errors.ts'
import { escapeText } from './output/escape.ts'

/** Asks on stderr, so that stdout stays the result. */
async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return (await lines.question(escapeText(question))).trim()
  } catch (cause) {
    throw new CliError('INTERRUPTED', 'nothing was signed', { exit: 'interrupted', cause })
  } finally {
    lines.close()
  }
}

export interface ConfirmOptions {
  /** Given already, by a flag. */
  readonly given: boolean
  /** Whether a question can be asked. */
  readonly input: boolean
  /** The flag that gives it. */
  readonly flag: string
}

/**
 * Asks for a plain yes. Anything else is a no.
 * @throws {CliError} CONFIRM when nobody can be asked, DECLINED
 */
export async function confirm(question: string, { given, input, flag }: ConfirmOptions): Promise<void> {
  if (given) return
  if (!input) throw new CliError('CONFIRM', 'this needs a confirmation, and there is nobody to ask', { fix: `add ${flag}`, exit: 'usage' })
  if (!/^y(es)?$/i.test(await ask(`${question} [y/N] `))) throw new CliError('DECLINED', 'nothing was signed', { exit: 'refused' })
}

/** Asks for a value that a flag can give. @throws {CliError} USAGE when nobody can be asked */
export async function askFor(what: string, input: boolean, flag: string): Promise<string> {
  if (!input) throw usageError(`${what} is missing`, `add ${flag}`)
  const answer = await ask(`${what}: `)
  if (answer === '') throw usageError(`${what} is missing`, `add ${flag}`)
  return answer
}
