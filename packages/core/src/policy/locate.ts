/** Both from 1; columns count UTF-16 units, as editors do. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** Why a text is not JSON, and where. Only this file throws it, and only `locate` sees it. */
class Mistake {
  readonly offset: number
  readonly message: string
  constructor(offset: number, message: string) {
    this.offset = offset
    this.message = message
  }
}

/** Nobody reads a longer one, and a long name above many members would cost memory for each. */
const MAX_PATH = 1000

export interface Located {
  /** Path, in the form in which shapes report it (`rules[0].who[1]`) → offset of the member's name or the item. */
  readonly offsets: ReadonlyMap<string, number>
  /** The first mistake in the grammar, or the second of two members with one name. */
  readonly mistake?: { readonly offset: number; readonly message: string }
}

const SPACE = /[ \t\n\r]*/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON refuses them in strings
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const OTHER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

/**
 * Finds where each part of a JSON text stands. It decides nothing: `parseStrictJson` says whether the text is acceptable, this
 * only helps a person to find the place. Reads to `maxDepth`, and one mistake ends it.
 */
export function locate(text: string, maxDepth: number): Located {
  const offsets = new Map<string, number>()
  let at = 0

  const take = (grammar: RegExp): string | undefined => {
    grammar.lastIndex = at
    const found = grammar.exec(text)?.[0]
    if (found !== undefined) at += found.length
    return found
  }
  const record = (path: string, offset: number) => {
    if (path.length <= MAX_PATH && !offsets.has(path)) offsets.set(path, offset)
  }
  const skipSpace = () => void take(SPACE)
  const fail = (message: string): never => {
    throw new Mistake(at, at >= text.length ? 'the text ends too early' : message)
  }
  const next = (character: string): boolean => {
    skipSpace()
    if (text[at] !== character) return false
    at++
    return true
  }

  function readValue(path: string, depth: number): void {
    skipSpace()
    record(path, at)
    if (text[at] === '{' || text[at] === '[') {
      if (depth >= maxDepth) fail(`nested deeper than ${maxDepth}`)
      return text[at] === '{' ? readMembers(path, depth + 1) : readItems(path, depth + 1)
    }
    if (take(STRING) === undefined && take(OTHER) === undefined) fail('expected a value')
  }

  function readItems(path: string, depth: number): void {
    at++
    if (next(']')) return
    for (let i = 0; ; i++) {
      readValue(`${path}[${i}]`, depth)
      if (next(']')) return
      if (!next(',')) fail('expected , or ]')
    }
  }

  function readMembers(path: string, depth: number): void {
    at++
    if (next('}')) return
    const names = new Set<string>()
    for (;;) {
      skipSpace()
      const start = at
      const name = readName(names)
      const inside = path ? `${path}.${name}` : name
      record(inside, start)
      if (!next(':')) fail('expected :')
      readValue(inside, depth)
      if (next('}')) return
      if (!next(',')) fail('expected , or }')
    }
  }

  function readName(names: Set<string>): string {
    const start = at
    const written = take(STRING)
    if (written === undefined) return fail('expected a name in double quotes')
    const name = JSON.parse(written) as string
    if (names.has(name)) throw new Mistake(start, `the name ${written} stands twice in one object`)
    names.add(name)
    return name
  }

  try {
    readValue('', 0)
    skipSpace()
    if (at < text.length) fail('expected the end of the text')
    return { offsets }
  } catch (mistake) {
    if (mistake instanceof Mistake) return { offsets, mistake }
    throw mistake
  }
}

/** The offset at which each line begins. */
export function lineStarts(text: string): readonly number[] {
  const starts = [0]
  for (let i = text.indexOf('\n'); i !== -1; i = text.indexOf('\n', i + 1)) starts.push(i + 1)
  return starts
}

/** Line and column of an offset, given the starts of all lines. */
export function positionAt(starts: readonly number[], offset: number): Position {
  let low = 0
  let high = starts.length
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (starts[middle]! <= offset) low = middle
    else high = middle
  }
  return { line: low + 1, column: offset - starts[low]! + 1 }
}

/** The longest known path with which a shape's message begins, and its offset. */
export function placeOf(message: string, offsets: ReadonlyMap<string, number>): { path: string; offset: number } {
  for (let end = Math.min(message.length - 1, MAX_PATH); end > 0; end--) {
    const path = ':.['.includes(message[end]!) ? message.slice(0, end) : ''
    const offset = path === '' ? undefined : offsets.get(path)
    if (offset !== undefined) return { path, offset }
  }
  return { path: '', offset: offsets.get('') ?? 0 }
}
