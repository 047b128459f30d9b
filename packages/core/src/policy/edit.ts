import type { JsonObject, JsonValue } from '../bytes/json.ts'
import { isJsonObject } from '../bytes/json.ts'
import { locate } from './locate.ts'
import { POLICY_LIMITS } from './parse.ts'

/**
 * The text with one more item at the end of `rules` or `tests`; everything else stays as the person wrote it.
 * @returns undefined when the text is not JSON, or has no such list to add to (a missing `tests` is made)
 */
export function appendItem(text: string, list: 'rules' | 'tests', item: JsonObject): string | undefined {
  const { offsets, mistake } = locate(text, POLICY_LIMITS.maxDepth)
  if (mistake) return undefined
  const written = writeItem(item)
  const at = offsets.get(list)
  if (at === undefined) return list === 'tests' ? appendMember(text, `"tests": [\n    ${written}\n  ]`) : undefined
  const open = text.indexOf(':', at + list.length + 2) + 1
  const start = open + text.slice(open).search(/\S/)
  if (text[start] !== '[') return undefined
  const end = closingOf(text, start)
  const inside = text.slice(start + 1, end).trimEnd()
  return `${text.slice(0, start + 1)}${inside}${inside.trim() === '' ? '' : ','}\n    ${written}\n  ${text.slice(end)}`
}

function appendMember(text: string, member: string): string | undefined {
  const start = text.search(/\S/)
  if (text[start] !== '{') return undefined
  const end = closingOf(text, start)
  const inside = text.slice(start + 1, end).trimEnd()
  return `${text.slice(0, start + 1)}${inside}${inside.trim() === '' ? '' : ','}\n  ${member}\n${text.slice(end)}`
}

/** Where the bracket that opens at `start` is closed. The text is JSON. */
function closingOf(text: string, start: number): number {
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]]/g
  token.lastIndex = start
  for (let depth = 0, match = token.exec(text); match; match = token.exec(text)) {
    if ('{['.includes(match[0])) depth++
    if ('}]'.includes(match[0])) depth--
    if (depth === 0) return match.index
  }
  return text.length
}

/** As people write them: the members of an item on a few lines, what is in them on one. */
function writeItem(item: JsonObject): string {
  const members = Object.entries(item).map(([name, value]) => `${JSON.stringify(name)}: ${writeValue(value)}`)
  return `{ ${members.join(', ')} }`
}
function writeValue(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map((item) => writeValue(item as JsonValue)).join(', ')}]`
  if (!isJsonObject(value)) return JSON.stringify(value)
  const members = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${writeValue(item)}`)
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}

export interface CalledTool {
  readonly agent: string
  readonly server: string
  readonly tool: string
}

/**
 * The text with a rule for one agent and one tool, and a test of it. It has no conditions: whoever asks has not seen the arguments.
 * @param date For the title: `27 Nov 2026`.
 */
export function addRuleFor(text: string, { agent, server, tool }: CalledTool, date: string): { text: string; id: string } | undefined {
  const id = freeName(text, `${agent.slice(1)}-${tool}`.replace(/[^A-Za-z0-9_.-]/g, '-').slice(0, 58))
  const name = freeName(text, `${agent} may call ${server}.${tool}`.slice(0, 190))
  const rule = { id, title: `From a call of ${date}`, who: [agent], servers: [server], tools: [tool], effect: 'allow' }
  const withRule = appendItem(text, 'rules', rule)
  const withTest = withRule && appendItem(withRule, 'tests', { name, who: agent, server, tool, args: {}, expect: 'allow', rule: id })
  return withTest === undefined ? undefined : { text: withTest, id }
}

function freeName(text: string, wanted: string): string {
  for (let n = 1; ; n++) {
    const name = n === 1 ? wanted : `${wanted}-${n}`
    if (!text.includes(JSON.stringify(name))) return name
  }
}
