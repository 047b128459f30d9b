import { usageError } from '../errors.ts'

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const

/** `90m`, `24h`, `7d`, a date or time of RFC 3339, or Unix seconds. @throws {CliError} USAGE */
export function sinceOf(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined
  const [, amount, unit] = /^(\d{1,6})([smhdw])$/.exec(text) ?? []
  if (amount && unit) return now - Number(amount) * UNITS[unit as keyof typeof UNITS]
  if (/^\d{9,11}$/.test(text)) return Number(text)
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) throw usageError(`${text} is no time`, '--since takes 90m, 24h, 7d, 2026-11-20 or 2026-11-20T08:00:00Z')
  return Math.floor(ms / 1000)
}
