import type { GlobalFlags, Settings } from './config.ts'
import { readSettings } from './config.ts'
import { escapeText } from './output/escape.ts'
import type { Style } from './output/style.ts'
import { createStyle } from './output/style.ts'
import { confirm } from './prompt.ts'

/** What every command gets: how to speak, and how to ask. */
export interface Context {
  readonly settings: Settings
  readonly style: Style
  /** One line of progress on stderr, escaped; `✓ …`, `◌ …`, `! …`. Not shown with `--quiet`. */
  say(line: string): void
  /** As `say`, and whatever the flags: what somebody is about to sign is never hidden. */
  show(line: string): void
  /** As `say`, with `--verbose` only. */
  detail(line: string): void
  /** A warning: on stderr now, and in the JSON document. */
  warn(line: string): void
  readonly warnings: readonly string[]
  /** Asks, unless `--yes`. For what can be undone or repeated. */
  confirm(question: string): Promise<void>
  /** Asks, unless `--accept=<name>`: `--yes` is not enough for what cannot be taken back. */
  confirmFinal(name: string, question: string): Promise<void>
}

const TONES = { '✓': 'good', '✕': 'bad', '!': 'warn', '◌': 'warn' } as const

export function createContext(flags: GlobalFlags, jsonVersion: number): Context {
  const { stdin, stdout, stderr } = process
  const terminal = { stdin: stdin.isTTY, stdout: stdout.isTTY, stderr: stderr.isTTY, columns: stdout.columns }
  const settings = readSettings(flags, jsonVersion, terminal)
  const style = createStyle({ ...settings, color: settings.color && stderr.isTTY })
  const warnings: string[] = []
  const print = (line: string) => {
    const safe = escapeText(line)
    const glyph = safe[0] as keyof typeof TONES
    const toned = Object.hasOwn(TONES, glyph) && safe[1] === ' ' ? style.paint(TONES[glyph], glyph) + safe.slice(1) : safe
    stderr.write(`${style.plain(toned)}\n`)
  }
  return {
    settings,
    style,
    warnings,
    say: (line) => {
      if (!settings.quiet) print(line)
    },
    show: print,
    detail: (line) => {
      if (settings.verbose) print(line)
    },
    warn: (line) => {
      warnings.push(line)
      print(`! ${line}`)
    },
    confirm: (question) => confirm(question, { given: settings.yes, input: settings.input, flag: '--yes' }),
    confirmFinal: (name, question) =>
      confirm(question, { given: settings.accept.includes(name), input: settings.input, flag: `--accept=${name}` }),
  }
}
