import type { JsonMember, JsonNode } from './json-nodes.ts'
import { parseJsonNodes } from './json-nodes.ts'

// Text surgery: what is not the entry stays byte for byte.

/** `{ "<key>": { "<name>": entry } }`. */
export interface Place {
  readonly key: string
  readonly name: string
}

/** How the file is written: so is what is added. */
interface Manner {
  readonly eol: string
  /** One level of indentation. */
  readonly unit: string
}

/** @returns the entry's value, or undefined. @throws {JsonSyntaxError} */
export function readJsonEntries(text: string, key: string): Readonly<Record<string, unknown>> {
  if (isBlank(text)) return {}
  const found = (parseJsonNodes(text).value as Record<string, unknown> | null)?.[key]
  return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : {}
}

const isBlank = (text: string) => /^\ufeff?\s*$/.test(text)

/**
 * Adds one entry. Whoever calls compares what the result says with what it should say.
 * @throws {JsonSyntaxError} {TypeError} where the file is not an object, or what stands at `key` is none
 */
export function addJsonEntry(text: string, { key, name }: Place, entry: object): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  if (isBlank(text)) {
    const document = JSON.stringify({ [key]: { [name]: entry } }, null, 2).replaceAll('\n', eol) + eol
    return (text.startsWith('\ufeff') ? '\ufeff' : '') + document
  }
  const root = requireObject(parseJsonNodes(text), 'the file')
  const manner = { eol, unit: unitOf(text, root) }
  const holder = root.members!.findLast((member) => member.name === key)
  if (!holder) return insert(text, root, key, { [name]: entry }, manner)
  return insert(text, requireObject(holder.value, `"${key}"`), name, entry, manner)
}

function requireObject(node: JsonNode, what: string): JsonNode {
  if (!node.members) throw new TypeError(`${what} is not an object`)
  return node
}

/** What stands between a brace and the first thing inside it, on a line of its own. */
const indentAt = (text: string, at: number): string => /[ \t]*$/.exec(text.slice(text.lastIndexOf('\n', at - 1) + 1, at))![0]
const lineIndentAt = (text: string, at: number): string => /^\ufeff?([ \t]*)/.exec(text.slice(text.lastIndexOf('\n', at - 1) + 1))![1]!

function unitOf(text: string, { start, members }: JsonNode): string {
  const [first] = members!
  if (!first || !text.slice(start, first.start).includes('\n')) return '  '
  const base = lineIndentAt(text, start)
  const inner = indentAt(text, first.start)
  return inner.startsWith(base) && inner.length > base.length ? inner.slice(base.length) : '  '
}

function insert(text: string, object: JsonNode, name: string, value: object, manner: Manner): string {
  const members = object.members!
  const last = members.at(-1)
  const inside = last ? (last.commaEnd ?? last.value.end) : object.start + 1
  const close = object.end - 1
  const at = inside + behindComments(text.slice(inside, close))
  const isOneLine = last !== undefined && !text.slice(object.start, close).includes('\n')
  const comma = last && last.commaEnd === undefined ? ',' : ''
  const closing = last?.commaEnd !== undefined ? ',' : ''
  if (isOneLine) {
    const hasSpaces = /[,:{]\s/.test(text.slice(object.start, object.end))
    const inner = hasSpaces ? spaced(value) : JSON.stringify(value)
    const added = `${hasSpaces ? ' ' : ''}${JSON.stringify(name)}:${hasSpaces ? ' ' : ''}${inner}${closing}`
    return splice(text, inside, at, comma, added)
  }
  const base = lineIndentAt(text, object.start)
  const indent = indentOf(text, object, base + manner.unit)
  const body = JSON.stringify(value, null, manner.unit).replaceAll('\n', manner.eol + indent)
  const needsEnd = !text.slice(at, close).includes('\n')
  const added = `${manner.eol}${indent}${JSON.stringify(name)}: ${body}${closing}${needsEnd ? manner.eol + base : ''}`
  return splice(text, inside, at, comma, needsEnd ? added + text.slice(at, close).replace(/^[ \t]+$/, '') : added, needsEnd ? close : at)
}

/** As the first member that begins a line. */
function indentOf(text: string, { start, members }: JsonNode, otherwise: string): string {
  let from = start
  for (const member of members!) {
    if (text.slice(from, member.start).includes('\n')) return indentAt(text, member.start)
    from = member.value.end
  }
  return otherwise
}

const spaced = (value: unknown): string =>
  JSON.stringify(value, null, 1)
    .replace(/\n\s*/g, ' ')
    .replaceAll('[ ', '[')
    .replaceAll(' ]', ']')
    .replaceAll('{ ', '{')
    .replaceAll(' }', '}')

/** Length up to the end of the last comment, if there is one. */
function behindComments(gap: string): number {
  return /^(?:\s*(?:\/\/[^\r\n]*|\/\*[\s\S]*?\*\/))*/.exec(gap)![0].length
}

const splice = (text: string, commaAt: number, at: number, comma: string, added: string, resume = at): string =>
  text.slice(0, commaAt) + comma + text.slice(commaAt, at) + added + text.slice(resume)

/**
 * Takes one entry out, with the comma and the white space that belong to it.
 * @param dropsHolder The object around it goes too when nothing else is in it: it came with the entry.
 * @returns undefined when there is no such entry
 */
export function removeJsonEntry(text: string, { key, name }: Place, dropsHolder = false): string | undefined {
  if (isBlank(text)) return undefined
  const root = parseJsonNodes(text)
  const holder = root.members?.findLast((member) => member.name === key)
  const found = holder?.value.members?.findLast((member) => member.name === name)
  if (!holder || !found) return undefined
  const isAlone = holder.value.members!.length === 1
  return isAlone && dropsHolder ? cut(text, root, holder) : cut(text, holder.value, found)
}

function cut(text: string, object: JsonNode, member: JsonMember): string {
  const members = object.members!
  const i = members.indexOf(member)
  const before = members[i - 1]
  const inside = before ? (before.commaEnd ?? before.value.end) : object.start + 1
  const from = inside + behindComments(text.slice(inside, member.start))
  const to = member.commaEnd ?? member.value.end
  const isLast = i === members.length - 1
  const keepsEnd = /\/\/[^\r\n]*$/.test(text.slice(inside, from)) && !/^[ \t]*\r?\n/.test(text.slice(to))
  const gap = keepsEnd ? '\n' : ''
  if (!isLast || !before || member.commaEnd !== undefined) {
    const rest = text.slice(to)
    const isEmpty = members.length === 1 && from === inside && /^\s*\}/.test(rest)
    return text.slice(0, from) + gap + (isEmpty ? rest.trimStart() : rest)
  }
  const comma = before.commaEnd! - 1 // there is one: another member follows
  return text.slice(0, comma) + text.slice(comma + 1, from) + gap + text.slice(to)
}
