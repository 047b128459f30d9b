// Where things stand in a JSON file that people edit: with comments, trailing commas and a byte order mark, as VS Code and others take it.

export interface JsonMember {
  readonly name: string
  readonly start: number
  readonly value: JsonNode
  /** Behind the comma that follows; undefined: none does. */
  readonly commaEnd: number | undefined
}
/** A value and its place: `text.slice(start, end)`. */
export interface JsonNode {
  readonly start: number
  readonly end: number
  /** Of an object; undefined for everything else. */
  readonly members?: readonly JsonMember[]
  /** As `JSON.parse` gives it; of two members with one name, the last. */
  readonly value: unknown
}

/** It is not JSON, even with what editors allow. `at` is an offset. */
export class JsonSyntaxError extends Error {
  override name = 'JsonSyntaxError'
}

const MAX_DEPTH = 200

/** @throws {JsonSyntaxError} */
export function parseJsonNodes(text: string): JsonNode {
  const reader = new Reader(text)
  const root = reader.value(0)
  reader.skip()
  if (reader.at < text.length) reader.fail('something follows the document')
  return root
}

class Reader {
  at: number
  readonly #text: string

  constructor(text: string) {
    this.#text = text
    this.at = text.startsWith('\ufeff') ? 1 : 0
  }

  fail(what: string): never {
    const lines = this.#text.slice(0, this.at).split('\n')
    throw new JsonSyntaxError(`line ${lines.length}, column ${lines.at(-1)!.length + 1}: ${what}`)
  }

  /** White space and comments. */
  skip(): void {
    const pattern = /(?:[ \t\r\n]+|\/\/[^\r\n]*|\/\*[\s\S]*?\*\/)*/y
    pattern.lastIndex = this.at
    this.at += pattern.exec(this.#text)![0].length
  }

  value(depth: number): JsonNode {
    if (depth > MAX_DEPTH) this.fail('nested too deep')
    this.skip()
    const start = this.at
    const first = this.#text[start]
    if (first === '{') return this.#object(start, depth)
    if (first === '[') return this.#array(start, depth)
    const value = first === '"' ? this.#string() : this.#word()
    return { start, end: this.at, value }
  }

  #object(start: number, depth: number): JsonNode {
    const members: JsonMember[] = []
    const value: Record<string, unknown> = Object.create(null)
    this.at += 1
    for (;;) {
      this.skip()
      if (this.#take('}')) return { start, end: this.at, members, value }
      if (members.length > 0 && members.at(-1)!.commaEnd === undefined) this.fail('a comma is missing')
      const from = this.at
      if (this.#text[this.at] !== '"') this.fail('expected a name in quotes')
      const name = this.#string()
      this.skip()
      if (!this.#take(':')) this.fail('expected a colon')
      const node = this.value(depth + 1)
      const { at } = this
      this.skip()
      const hasComma = this.#take(',')
      members.push({ name, start: from, value: node, commaEnd: hasComma ? this.at : undefined })
      if (!hasComma) this.at = at
      value[name] = node.value
    }
  }

  #array(start: number, depth: number): JsonNode {
    const value: unknown[] = []
    this.at += 1
    for (let isSeparated = true; ; ) {
      this.skip()
      if (this.#take(']')) return { start, end: this.at, value }
      if (!isSeparated) this.fail('a comma is missing')
      value.push(this.value(depth + 1).value)
      this.skip()
      isSeparated = this.#take(',')
    }
  }

  #string(): string {
    const pattern = /"(?:[^"\\\r\n]|\\.)*"/y
    pattern.lastIndex = this.at
    return this.#parsed(pattern.exec(this.#text)?.[0], 'a text does not end') as string
  }

  #word(): unknown {
    const pattern = /[-+.\w]+/y
    pattern.lastIndex = this.at
    return this.#parsed(pattern.exec(this.#text)?.[0], this.at < this.#text.length ? 'expected a value' : 'the document ends too early')
  }

  #parsed(found: string | undefined, what: string): unknown {
    if (found === undefined) this.fail(what)
    try {
      const value: unknown = JSON.parse(found)
      this.at += found.length
      return value
    } catch {
      this.fail(`${found.slice(0, 20)} is no value`)
    }
  }

  #take(character: string): boolean {
    if (this.#text[this.at] !== character) return false
    this.at += 1
    return true
  }
}
