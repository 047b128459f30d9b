import { RISK_CLASSES } from '../statement/names.ts'
import { CONDITION_NAMES, conditions } from './conditions.ts'
import type { FieldHelp } from './fields.ts'
import { POLICY_FIELDS } from './fields.ts'
import type { PolicyFacts } from './matrix.ts'

export interface Completion {
  /** Offsets between which `options` are put in. */
  readonly from: number
  readonly to: number
  readonly options: readonly CompletionOption[]
}
export interface CompletionOption {
  /** What is typed: the name or value without quotes. */
  readonly label: string
  /** JSON text that is put in. */
  readonly insert: string
  /** Beside the label. */
  readonly detail?: string
  readonly help?: string
}

/** What completion knows besides the document: names from the authority log. */
export type KnownNames = PolicyFacts & { readonly people: readonly string[] }

/**
 * What could be written at an offset of a policy text, however unfinished the text is. Fields and their help come from the tables that
 * the parser's shapes are checked against, conditions from their own table, names from the log and the text itself.
 */
export function completePolicy(text: string, offset: number, known: KnownNames): Completion | undefined {
  const place = placeAt(text, offset)
  if (place === undefined) return undefined
  const { from, to, at, path } = place
  const options = at === 'name' ? namesIn(place, text) : valuesAt(path, text, known)
  return options.length === 0 ? undefined : { from, to, options }
}

function namesIn({ path, names, to }: Place, text: string): readonly CompletionOption[] {
  const ending = /^\s*:/.test(text.slice(to)) ? undefined : ': '
  const option = (label: string, insert: string, help: string): CompletionOption => ({
    ...{ label, help },
    insert: ending === undefined ? JSON.stringify(label) : `${JSON.stringify(label)}${ending}${insert}`,
  })
  const isFree = (name: string) => !names.includes(name)
  if (/^rules\[\]\.when\..*/.test(path)) {
    return CONDITION_NAMES.filter(isFree).map((name) => option(name, JSON.stringify(conditions[name].example), conditions[name].label))
  }
  const fields = Object.entries(POLICY_FIELDS[path] ?? {}).filter(([name]) => isFree(name))
  return fields.map(([name, { insert, help }]) => option(name, insert, help))
}

function valuesAt(path: string, text: string, known: KnownNames): readonly CompletionOption[] {
  const field = fieldAt(path)
  if (field?.values)
    return field.values.map((label) => ({ label, insert: label === 'true' || label === 'false' ? label : JSON.stringify(label) }))
  if (field?.names) return namesOf(field.names, text, known, path.startsWith('tests'))
  return /^groups\..*\[\]$/.test(path) ? plain([...known.people, ...known.agents.map(({ atsign }) => atsign)]) : []
}

function fieldAt(path: string): FieldHelp | undefined {
  const match = /^(?:(.*)\.)?([a-z_]+)(\[\])?$/.exec(path)
  const fields = match ? POLICY_FIELDS[match[1] ?? ''] : undefined
  return fields && Object.hasOwn(fields, match![2]!) ? fields[match![2]!] : undefined
}

const plain = (labels: readonly string[], detail?: string): readonly CompletionOption[] =>
  [...new Set(labels)].map((label) => ({ label, insert: JSON.stringify(label), ...(detail === undefined ? {} : { detail }) }))

function namesOf(kind: NonNullable<FieldHelp['names']>, text: string, known: KnownNames, isTest: boolean): readonly CompletionOption[] {
  const agents = known.agents.map(({ atsign, tags }) => ({ label: atsign, insert: JSON.stringify(atsign), detail: tags.join(' ') }))
  const tags = [...new Set(known.agents.flatMap((agent) => agent.tags))].sort()
  const groups = plain(
    groupsIn(text).map((name) => `group:${name}`),
    'group',
  )
  const servers = plain([...new Set(known.tools.map(({ server }) => server))])
  const tools = known.tools.map(({ server, tool, risk }) => ({ label: tool, insert: JSON.stringify(tool), detail: `${server} · ${risk}` }))
  const any: CompletionOption = { label: '*', insert: '"*"' }
  switch (kind) {
    case 'who':
      return [any, ...plain(tags.map((tag) => `tag:${tag}`)), ...groups, ...agents]
    case 'approver':
      return [...groups, ...plain(known.people)]
    case 'agent':
      return agents
    case 'person':
      return plain(known.people)
    case 'server':
      return isTest ? servers : [any, ...servers]
    case 'tool':
      return isTest ? tools : [any, ...plain(RISK_CLASSES.map((risk) => `risk:${risk}`)), ...tools]
    case 'tag':
      return plain(tags)
    case 'rule':
      return plain(rulesIn(text))
  }
}
const groupsIn = (text: string): readonly string[] => {
  const start = text.search(/"groups"\s*:\s*\{/)
  const body = start === -1 ? '' : text.slice(start, text.indexOf('}', start))
  return [...body.matchAll(/"([a-z0-9][a-z0-9_-]{0,62})"\s*:\s*\[/g)].map((match) => match[1]!)
}
const rulesIn = (text: string): readonly string[] =>
  [...text.matchAll(/"id"\s*:\s*"([A-Za-z0-9][A-Za-z0-9_.-]{0,63})"/g)].map((match) => match[1]!)

/** Where an offset is: in the name or the value of what `path` says, or of an object's member that is still to be named. */
interface Place {
  readonly path: string
  readonly at: 'name' | 'value'
  readonly from: number
  readonly to: number
  /** Names that the object has already, around the offset. */
  readonly names: readonly string[]
}

type Frame = { readonly path: string; readonly isList: boolean; name: string | undefined; names: string[] }

/** Reads as far as the offset, and then to the end of the object around it, without asking for JSON that is whole. */
function placeAt(text: string, offset: number): Place | undefined {
  const stack: Frame[] = []
  const here = (): Frame | undefined => stack.at(-1)
  const valuePath = (): string => {
    const frame = here()
    if (!frame) return ''
    return frame.isList ? `${frame.path}[]` : under(frame.path, frame.name ?? '')
  }
  let found: Place | undefined
  let depthFound = 0
  const find = (from: number, to: number) => {
    const frame = here()
    const isName = frame !== undefined && !frame.isList && frame.name === undefined
    found = {
      path: isName ? frame.path : valuePath(),
      at: isName ? 'name' : 'value',
      from,
      to,
      names: frame?.isList === false ? frame.names : [],
    }
    depthFound = stack.length
  }
  const token = /"(?:[^"\\\n]|\\.)*"?|[A-Za-z0-9+.*@:_-]+|[{}[\]:,]/y
  for (let at = 0; at < text.length; ) {
    if (found === undefined && offset <= at) find(offset, offset)
    if (isGap(text, at)) {
      at++
      continue
    }
    token.lastIndex = at
    const word = token.exec(text)?.[0] ?? text[at]!
    const end = at + word.length
    const isWord = !'{}[]:,'.includes(word)
    if (found === undefined && isWord && offset <= end) find(at, end)
    if (found !== undefined && stack.length < depthFound) break
    read(word, at, offset)
    at = end
  }
  if (found === undefined) find(offset, offset)
  return found

  function read(word: string, at: number, offset: number): void {
    const frame = here()
    if (word === '{' || word === '[') stack.push({ path: valuePath(), isList: word === '[', name: undefined, names: [] })
    else if (word === '}' || word === ']') stack.pop()
    else if (word === ',' && frame) frame.name = undefined
    else if (word.startsWith('"') && frame?.isList === false && frame.name === undefined) {
      frame.name = word.replace(/^"|"$/g, '')
      if (!(at < offset && offset <= at + word.length)) frame.names.push(frame.name)
    }
  }
}
const isGap = (text: string, at: number): boolean => ' \t\r\n'.includes(text[at]!)
const under = (path: string, name: string): string => (path ? `${path}.${name}` : name)
