import { ControlError } from './errors.ts'

// The filter language of lists, as the console types it and the URL holds it:
//
//   state:offline,degraded  -tag:lab  seen:>1h  "two words"  probe
//
// Terms are joined by AND, values of one key by OR, a minus is NOT. A word without a key looks at the names of the list.

export interface Term<Key extends string = string> {
  readonly not: boolean
  /** Absent: a word. */
  readonly key?: Key
  /** As typed, without quotes. One for a word. */
  readonly values: readonly string[]
}

const MAX_LENGTH = 1000
const MAX_TERMS = 32
const TERM = /(-?)(?:([a-z_]+):)?((?:"[^"]*"|[^\s",:]+)(?:,(?:"[^"]*"|[^\s",:]+))*)(?=\s|$)/y
const VALUE = /"[^"]*"|[^",]+/g

/**
 * @param keys The keys that this list knows.
 * @throws {ControlError} BAD_FILTER, with `at`: where in the text reading stopped
 */
export function parseFilter<Key extends string>(text: string, keys: readonly Key[]): readonly Term<Key>[] {
  if (text.length > MAX_LENGTH) throw badFilter(`a filter may have ${MAX_LENGTH} characters`, MAX_LENGTH)
  const terms: Term<Key>[] = []
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    TERM.lastIndex = at
    const match = TERM.exec(text)
    if (!match) throw badFilter('expected key:value, a word, or -one of them', at)
    const [whole, minus, key, values] = match
    if (key !== undefined && !(keys as readonly string[]).includes(key)) {
      throw badFilter(`no such key: ${key}`, at, `one of ${keys.join(' ')}; a text with a colon goes in quotes`)
    }
    const read = [...values!.matchAll(VALUE)].map(([value]) => value.replaceAll('"', '')).filter((value) => value !== '')
    if (read.length > 0) terms.push({ not: minus === '-', ...(key === undefined ? {} : { key: key as Key }), values: read })
    if (terms.length > MAX_TERMS) throw badFilter(`a filter may have ${MAX_TERMS} terms`, at)
    at += whole!.length
  }
  return terms
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && /\s/.test(text[at]!)) at += 1
  return at
}

const badFilter = (message: string, at: number, fix?: string) =>
  new ControlError('BAD_FILTER', message, { details: { at }, ...(fix ? { fix } : {}) })

/** How each key finds its values in a row; `''` is for words. A value matches as a whole, a word as a part. */
export type Finders<Row, Key extends string> = { readonly [key in Key]: (row: Row, value: string) => boolean }

/** A test for rows in memory, which ignores case. */
export function matcher<Row, Key extends string>(
  terms: readonly Term<Key>[],
  finders: Finders<Row, Key>,
  word: (row: Row, value: string) => boolean,
): (row: Row) => boolean {
  const lower = terms.map(({ values, ...term }) => ({ ...term, values: values.map((value) => value.toLowerCase()) }))
  return (row) =>
    lower.every(({ not, key, values }) => values.some((value) => (key === undefined ? word(row, value) : finders[key](row, value))) !== not)
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** `>2h`, `<5m`: an age. @returns undefined when it is none */
export function readAge(value: string): { readonly olderThan: boolean; readonly seconds: number } | undefined {
  const match = /^([<>])(\d{1,6})([smhd])$/.exec(value)
  return match ? { olderThan: match[1] === '>', seconds: Number(match[2]) * UNITS[match[3]!]! } : undefined
}
