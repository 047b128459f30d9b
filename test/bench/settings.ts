// What the command line says, and what every part gets.
import { parseArgs } from 'node:util'

/** What each part is given. */
export interface Bench {
  readonly isQuick: boolean
  /** One line of progress, on stderr. */
  readonly say: (line: string) => void
}

export interface Settings {
  readonly isJson: boolean
  readonly isCompare: boolean
  readonly isWriteBaseline: boolean
  readonly isQuick: boolean
  readonly isHelp: boolean
  /** Names of parts; empty: all. */
  readonly only: readonly string[]
}

export const usage = `npm run bench -- [--only <part>]… [--quick] [--json] [--compare] [--write-baseline]

  --only            one part, or several: decision, calls, grants, relay, revocation, cli
  --quick           fewer rounds: an impression, not a measurement
  --json            one document on stdout
  --compare         the change of each ratio against test/bench/baseline.json
  --write-baseline  writes the ratios there`

/** @throws {TypeError} for what is no option of ours */
export function readSettings(args: readonly string[], parts: readonly string[]): Settings {
  const flag = { type: 'boolean', default: false } as const
  const options = { json: flag, compare: flag, 'write-baseline': flag, quick: flag, help: flag } as const
  const { values } = parseArgs({ args: [...args], options: { ...options, only: { type: 'string', multiple: true, default: [] } } })
  const only = values.only.flatMap((names) => names.split(','))
  const unknown = only.find((name) => !parts.includes(name))
  if (unknown !== undefined) throw new TypeError(`there is no part "${unknown}"; there are ${parts.join(', ')}`)
  return {
    ...{ isJson: values.json, isCompare: values.compare, isWriteBaseline: values['write-baseline'] },
    ...{ isQuick: values.quick, isHelp: values.help, only },
  }
}
