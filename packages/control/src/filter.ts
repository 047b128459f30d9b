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

/**
 * What is not understood is refused, never ignored. The console reads the same grammar while somebody types (app/_ui/filter.ts).
 * @param keys The keys that this list knows.
 * @throws {ControlError} BAD_FILTER, with `at`: where the term begins
 */
export function parseFilter<Key extends string>(text: string, keys: readonly Key[]): readonly Term<Key>[] {
  if (text.length > MAX_LENGTH) throw badFilter(`a filter may have ${MAX_LENGTH} characters`, MAX_LENGTH)
  const found = [...text.matchAll(/(-?)((?:"[^"]*"?|[^\s"])+)/g)]
  if (found.length > MAX_TERMS) throw badFilter(`a filter may have ${MAX_TERMS} terms`, found[MAX_TERMS]!.index)
  return found.flatMap(({ 1: minus, 2: rest = '', index }) => readTerm(rest, minus === '-', keys, index))
}

function readTerm<Key extends string>(rest: string, not: boolean, keys: readonly Key[], at: number): readonly Term<Key>[] {
  const colon = rest.indexOf(':')
  if (colon <= 0 || rest.startsWith('"')) {
    const word = unquoted(rest)
    return word === '' ? [] : [{ not, values: [word] }]
  }
  const key = keys.find((known) => known === rest.slice(0, colon))
  if (key === undefined) {
    throw badFilter(`no such key: ${rest.slice(0, colon)}`, at, `one of ${keys.join(' ')}; a text with a colon goes in quotes`)
  }
  const values = rest
    .slice(colon + 1)
    .split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/)
    .map(unquoted)
    .filter((value) => value !== '')
  if (values.length === 0) throw badFilter(`${key}: has no value`, at)
  return [{ not, key, values }]
}

const unquoted = (value: string): string => value.replaceAll('"', '').trim()

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
