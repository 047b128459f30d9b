/** One term of a filter: `state:offline,degraded`, `-tag:lab`, `paris`, `-paris`. All terms must hold. */
export interface FilterTerm {
  /** Absent: a word, looked for in names. */
  readonly key?: string
  /** One of them is enough. */
  readonly values: readonly string[]
  readonly negated: boolean
}
export type FilterProblem = { readonly term: string; readonly why: 'unknownKey' | 'noValue' | 'tooLong' }
export interface Filter {
  readonly terms: readonly FilterTerm[]
  readonly problems: readonly FilterProblem[]
}

export const MAX_FILTER_CHARS = 500

/**
 * Reads `key:value,value -key:value word -word`, terms apart by white space; a value in double quotes may hold spaces. What is not understood
 * is named, never ignored. The server reads the same grammar (control/src/filter.ts).
 */
export function parseFilter(text: string, keys: readonly string[]): Filter {
  if (text.length > MAX_FILTER_CHARS) return { terms: [], problems: [{ term: text.slice(0, 20), why: 'tooLong' }] }
  const terms: FilterTerm[] = []
  const problems: FilterProblem[] = []
  for (const [whole, minus = '', rest = ''] of text.matchAll(/(-?)((?:"[^"]*"?|[^\s"])+)/g)) {
    const negated = minus === '-'
    const colon = rest.indexOf(':')
    if (colon <= 0 || rest.startsWith('"')) {
      const word = unquoted(rest)
      if (word) terms.push({ values: [word], negated })
      continue
    }
    const key = rest.slice(0, colon)
    const values = rest
      .slice(colon + 1)
      .split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/)
      .map(unquoted)
      .filter((value) => value !== '')
    if (!keys.includes(key)) problems.push({ term: whole, why: 'unknownKey' })
    else if (values.length === 0) problems.push({ term: whole, why: 'noValue' })
    else terms.push({ key, values, negated })
  }
  return { terms, problems }
}

const unquoted = (value: string): string => value.replaceAll('"', '').trim()
const quoted = (value: string): string => (/[\s,"]/.test(value) ? `"${value.replaceAll('"', '')}"` : value)

/** The text of terms; `parseFilter` reads it back. */
export const filterText = (terms: readonly FilterTerm[]): string =>
  terms.map(({ key, values, negated }) => `${negated ? '-' : ''}${key ? `${key}:` : ''}${values.map(quoted).join(',')}`).join(' ')

/** A filter with one more condition on a value: *filter for* or *filter out*, in place of what it said about the key before in the same sense. */
export function withTerm(text: string, keys: readonly string[], term: FilterTerm): string {
  const kept = parseFilter(text, keys).terms.filter(({ key, negated }) => key !== term.key || negated !== term.negated)
  return filterText([...kept, term])
}
