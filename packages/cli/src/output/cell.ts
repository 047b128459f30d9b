import type { Tone } from './style.ts'

/** One value of a table: exact for programs, readable for people. */
export interface Cell {
  /** Full and stable: RFC 3339 times, whole ids, words. */
  readonly exact: string
  readonly shown: string
  readonly tone?: Tone
}
export type CellLike = Cell | string | number | boolean | readonly string[] | undefined

/** Times in Unix seconds; people see how long ago or until when. */
export function when(seconds: number | undefined, now = Date.now() / 1000): Cell {
  if (seconds === undefined) return cell('', '–')
  return cell(new Date(seconds * 1000).toISOString().replace('.000Z', 'Z'), distance(seconds - now))
}

/** `in 12 h`, `4 s ago`. */
function distance(seconds: number): string {
  const amount = Math.abs(seconds)
  const [size, unit] = amount < 90 ? [1, 's'] : amount < 5400 ? [60, 'm'] : amount < 172_800 ? [3600, 'h'] : [86_400, 'd']
  const text = `${Math.round(amount / (size as number))} ${unit}`
  return seconds > 0 ? `in ${text}` : `${text} ago`
}

const STATES: Record<string, readonly [string, Tone]> = {
  online: ['●', 'good'],
  live: ['●', 'good'],
  ok: ['✓', 'good'],
  pinned: ['✓', 'good'],
  allow: ['✓', 'good'],
  verified: ['✓', 'good'],
  pending: ['◔', 'warn'],
  open: ['◔', 'warn'],
  degraded: ['!', 'warn'],
  warning: ['!', 'warn'],
  new: ['!', 'warn'],
  ask: ['?', 'warn'],
  offline: ['○', 'dim'],
  unreported: ['○', 'dim'],
  skipped: ['○', 'dim'],
  expired: ['◇', 'dim'],
  ownerless: ['◇', 'dim'],
  suspended: ['⊘', 'warn'],
  quarantined: ['⊘', 'warn'],
  changed: ['⊘', 'warn'],
  missing: ['✕', 'bad'],
  revoked: ['✕', 'bad'],
  deny: ['✕', 'bad'],
  failed: ['✕', 'bad'],
  unverified: ['✕', 'bad'],
}

/** A state with its glyph; a word without one stays a word. */
export function state(word: string): Cell {
  const known = Object.hasOwn(STATES, word) ? STATES[word] : undefined
  return known ? { exact: word, shown: `${known[0]} ${word}`, tone: known[1] } : cell(word)
}

export const cell = (exact: string, shown = exact): Cell => ({ exact, shown })

/** Long ids that are unique by their beginning: whole for programs. */
export const shortId = (id: string, length = 8): Cell => cell(id, id.length > length ? id.slice(0, length) : id)

/** Undefined is empty for programs and a dash for people. */
export function toCell(value: CellLike): Cell {
  if (value === undefined || value === '') return cell('', '–')
  if (typeof value === 'object' && 'exact' in value) return value
  if (typeof value === 'object') return value.length === 0 ? cell('', '–') : cell(value.join(','))
  return cell(String(value))
}
