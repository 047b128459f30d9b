import { parse, stringify } from 'smol-toml'
import type { Place } from './edit-json.ts'

// Codex keeps servers in tables. One is added behind everything else and taken out again as whole lines; nothing before or behind moves.

const withoutMark = (text: string): string => text.replace(/^\ufeff/, '')

/** @returns entries by name. @throws {TomlError} */
export function readTomlEntries(text: string, key: string): Readonly<Record<string, unknown>> {
  const found = (parseToml(text) as Record<string, unknown>)[key]
  return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : {}
}

export const parseToml = (text: string): object => parse(withoutMark(text), { integersAsBigInt: 'asNeeded' })

/** Whoever calls compares what the result says with what it should say. */
export function addTomlEntry(text: string, { key, name }: Place, entry: object): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const table = stringify({ [key]: { [name]: entry } })
  const lines = table.trimEnd().split('\n')
  const own = lines.slice(lines.findIndex((line) => line !== `[${key}]` && line !== '')) // smol-toml may write the empty table around it
  const before = withoutMark(text) === '' ? '' : /\n$/.test(text) ? eol : eol + eol
  return text + before + own.join(eol) + eol
}

/**
 * @returns undefined when there is no such entry
 * @throws {TypeError} when it is not written as tables of its own
 */
export function removeTomlEntry(text: string, { key, name }: Place): string | undefined {
  if (!Object.hasOwn(readTomlEntries(text, key), name)) return undefined
  const lines = text.split(/(?<=\n)/)
  const headers = headersIn(lines)
  const isOurs = (path: readonly string[]) => path[0] === key && path[1] === name
  const kept = new Set(lines.keys())
  let found = false
  for (const [i, { line, path }] of headers.entries()) {
    if (!isOurs(path)) continue
    found = true
    const next = headers[i + 1]?.line ?? lines.length
    let end = next
    while (end > line + 1 && /^\s*(#.*)?\s*$/.test(lines[end - 1]!)) end -= 1 // what stands before the next table belongs to that
    for (let at = line; at < end; at += 1) kept.delete(at)
    if (line > 0 && /^\s*$/.test(lines[line - 1]!)) kept.delete(line - 1)
  }
  if (!found) throw new TypeError(`${key}.${name} is not a table of its own`)
  return lines.filter((_, at) => kept.has(at)).join('')
}

interface Header {
  readonly line: number
  readonly path: readonly string[]
}

/** Lines that open a table: not those inside texts or lists of several lines. */
function headersIn(lines: readonly string[]): readonly Header[] {
  const headers: Header[] = []
  let open = '' // what a text of several lines ends with
  let depth = 0 // of brackets in a value
  for (const [line, text] of lines.entries()) {
    const header = open === '' && depth === 0 ? /^\ufeff?\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?\r?\n?$/.exec(text) : null
    if (header) {
      headers.push({ line, path: pathOf(header[1]!) })
      continue
    }
    ;({ open, depth } = scan(text, open, depth))
  }
  return headers
}

/** Follows one line through texts, brackets and comments. */
function scan(text: string, open: string, depth: number): { open: string; depth: number } {
  let rest = text
  while (rest !== '') {
    if (open !== '') {
      const end = open === '"""' ? /^(?:\\[\s\S]|[^\\])*?"""(?!")/.exec(rest) : /^[\s\S]*?'''(?!')/.exec(rest)
      if (!end) return { open, depth }
      rest = rest.slice(end[0].length)
      open = ''
      continue
    }
    const [token] = /^(?:"""|'''|"(?:\\.|[^"\\])*"|'[^']*'|#.*|[^"'#[\]{}]+|[[\]{}"'])/s.exec(rest) ?? [rest]
    rest = rest.slice(token.length)
    if (token === '"""' || token === "'''") open = token
    else if (token === '[' || token === '{') depth += 1
    else if (token === ']' || token === '}') depth -= 1
  }
  return { open, depth }
}

/** `mcp_servers."my server"` → its parts. */
const pathOf = (text: string): readonly string[] =>
  [...text.matchAll(/"((?:\\.|[^"\\])*)"|'([^']*)'|([\w-]+)/g)].map(([, basic, literal, bare]) =>
    basic === undefined ? (literal ?? bare!) : (JSON.parse(`"${basic}"`) as string),
  )
