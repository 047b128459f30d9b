import type { AtSign, JsonObject } from '@postern/core'
import { isAtSign, isJsonObject, parseStrictJson } from '@postern/core'
import { usageError } from './errors.ts'

// What people type as arguments and flags. A mistake here is wrong usage (exit code 2), never a failed verification.

/** A list given as `a,b,c`, or several times. */
export const listOf = (text: string | undefined): readonly string[] =>
  [...new Set((text ?? '').split(',').flatMap((item) => item.trim() || []))].sort()

/** @throws {CliError} USAGE */
export function integerOf(text: string, what: string, min: number, max: number): number {
  const value = Number(text)
  if (!/^\d{1,9}$/.test(text) || value < min || value > max) throw usageError(`${what} is a number from ${min} to ${max}, not ${text}`)
  return value
}

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const

/** `30m`, `12h`, `3d`, in seconds. @throws {CliError} USAGE */
export function durationOf(text: string, what: string, max: number): number {
  const [, amount = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const seconds = Number(amount) * (UNITS[unit as keyof typeof UNITS] ?? 0)
  if (seconds > 0 && seconds <= max) return seconds
  throw usageError(`${what} is a time such as 30m, 12h or 3d, at most ${Math.floor(max / 3600)}h, not ${text}`)
}

/** @throws {CliError} USAGE */
export function atSignOf(text: string): AtSign {
  if (isAtSign(text)) return text
  throw usageError(
    `${text || 'nothing'} is no atSign`,
    'an atSign is @ and 1–55 of a-z 0-9 _ -, beginning with a letter or digit: @ana-claude',
  )
}

/**
 * `fs.read_text_file`: server and tool. Both may hold dots; the longest server that is known wins.
 * @throws {CliError} USAGE
 */
export function toolOf(text: string, servers: Iterable<string> = []): { server: string; tool: string } {
  const known = [...servers].filter((server) => text.startsWith(`${server}.`)).sort((a, b) => b.length - a.length)[0]
  const at = known?.length ?? text.indexOf('.')
  if (at > 0 && at < text.length - 1) return { server: text.slice(0, at), tool: text.slice(at + 1) }
  throw usageError(`${text} names no tool`, 'a tool is <server>.<tool>, e.g. fs.read_text_file')
}

/** Arguments of a tool, as JSON. @throws {CliError} USAGE */
export function argumentsOf(text: string): JsonObject {
  try {
    const value = parseStrictJson(text, { maxBytes: 1 << 20, maxDepth: 64 })
    if (isJsonObject(value)) return value
  } catch (cause) {
    throw usageError(`the arguments are not JSON: ${(cause as Error).message}`)
  }
  throw usageError('the arguments are a JSON object')
}
