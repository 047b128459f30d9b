import { canonicalText } from '../bytes/canonical.ts'
import type { JsonObject, JsonValue } from '../bytes/json.ts'
import { isJsonObject } from '../bytes/json.ts'
import type { ToolDefinition } from './tools-list.ts'

/** One place where two definitions differ: a JSON pointer, and what stands there; undefined = nothing. */
export interface Difference {
  readonly path: string
  readonly before: JsonValue | undefined
  readonly after: JsonValue | undefined
}

const MAX_DIFFERENCES = 500

/** Where a definition differs from another, in the order of names; at most 500 places. Texts are as they are: whoever shows them marks what is invisible. */
export function differences(before: JsonValue, after: JsonValue): readonly Difference[] {
  const found: Difference[] = []
  compare(before, after, '', found)
  return found
}

function compare(before: JsonValue | undefined, after: JsonValue | undefined, path: string, found: Difference[]): void {
  if (found.length >= MAX_DIFFERENCES || isSame(before, after)) return
  const isBoth = isJsonObject(before) && isJsonObject(after)
  if (!isBoth) return void found.push({ path, before, after })
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  for (const name of names)
    compare(memberOf(before, name), memberOf(after, name), `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, found)
}

const memberOf = (value: JsonObject, name: string): JsonValue | undefined => (Object.hasOwn(value, name) ? value[name] : undefined)
const isSame = (a: JsonValue | undefined, b: JsonValue | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && canonicalText(a) === canonicalText(b))

/**
 * Why a changed definition needs a person; empty when the change is provably harmless: the new schemas accept and promise no more than the old
 * ones, no text changes but in white space, and whatever else changed (annotations, icons) reaches nobody, since clients go on being shown the
 * *pinned* definition and no decision looks at a server's hints. Sound, not complete: what is not understood here needs a person. Whether
 * harmless changes are taken over without one is the policy's to say, never this function's.
 * @see packages/core/spec/mcp.md §8
 */
export function objections(before: ToolDefinition, after: ToolDefinition): readonly string[] {
  const found: string[] = []
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  for (const name of [...names].sort()) {
    const [old, now] = [memberOf(before, name), memberOf(after, name)]
    if (isSame(old, now)) continue
    const isHarmless = Object.hasOwn(MEMBERS, name) && MEMBERS[name]!(old, now)
    if (!isHarmless) found.push(old === undefined ? `${name} is new` : now === undefined ? `${name} is gone` : `${name} has changed`)
  }
  return found
}

type Compare = (before: JsonValue | undefined, after: JsonValue | undefined) => boolean

/** Members of a definition whose change can be harmless. Any other member's is not: `_meta` may carry anything. */
const MEMBERS: Readonly<Record<string, Compare>> = {
  title: isSameText,
  description: isSameText,
  inputSchema: isNarrowed,
  outputSchema: isNarrowed,
  annotations: () => true,
  icons: () => true,
}

/** White space apart: it says nothing, and servers reflow their texts. */
function isSameText(before: JsonValue | undefined, after: JsonValue | undefined): boolean {
  return typeof before === 'string' && typeof after === 'string' && collapsed(before) === collapsed(after)
}
/** Only what everybody sees as space: other space characters could hide a message. */
const collapsed = (text: string): string => text.replace(/[ \t\r\n]+/g, ' ').trim()

/** Whether every value that `after` accepts is accepted by `before`, and `after` says nothing in words that `before` does not say in the same place. */
function isNarrowed(before: JsonValue | undefined, after: JsonValue | undefined): boolean {
  if (isSame(before, after)) return true
  if (!isJsonObject(before) || !isJsonObject(after)) return false
  const known = new Set(isJsonObject(before.properties) ? Object.keys(before.properties) : [])
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].every((name) => {
    const [old, now] = [memberOf(before, name), memberOf(after, name)]
    if (isSame(old, now)) return true
    if (Object.hasOwn(KEYWORDS, name)) return KEYWORDS[name]!(old, now)
    return old === undefined && ASSERTIONS.has(name) && saysNothing(now!, known)
  })
}

/** A keyword that only ever rejects more: added, it narrows. */
const ASSERTIONS = new Set([
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'dependentRequired',
  'dependentSchemas',
  'propertyNames',
  'contains',
  'unevaluatedProperties',
  'unevaluatedItems',
  'items',
  'prefixItems',
])

/** No text but names of types and of properties that were there. */
function saysNothing(value: JsonValue, known: ReadonlySet<string>): boolean {
  if (typeof value === 'string') return TYPES.has(value) || known.has(value)
  if (Array.isArray(value)) return value.every((item) => saysNothing(item, known))
  if (!isJsonObject(value)) return true
  return Object.entries(value).every(([name, item]) => (SCHEMA_WORDS.has(name) || known.has(name)) && saysNothing(item, known))
}
const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'array', 'object', 'null'])
const SCHEMA_WORDS = new Set([
  ...ASSERTIONS,
  'type',
  'required',
  'properties',
  'additionalProperties',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'const',
  'enum',
])

const atLeast: Compare = (old, now) => typeof now === 'number' && (old === undefined || (typeof old === 'number' && now >= old))
const atMost: Compare = (old, now) => typeof now === 'number' && (old === undefined || (typeof old === 'number' && now <= old))
const onlyAdded: Compare = (old, now) => old === undefined && now !== undefined

/** Keyword → whether its change narrows. Called only when it has changed. */
const KEYWORDS: Readonly<Record<string, Compare>> = {
  title: isSameText,
  description: isSameText,
  type: (old, now) =>
    old === undefined
      ? now !== undefined
      : now !== undefined &&
        typesOf(now).every((type) => typesOf(old).includes(type) || (type === 'integer' && typesOf(old).includes('number'))),
  enum: (old, now) => Array.isArray(old) && Array.isArray(now) && now.every((item) => old.some((known) => isSame(known, item))),
  required: (old, now) => Array.isArray(now) && (old === undefined || (Array.isArray(old) && old.every((name) => now.includes(name)))),
  properties: arePropertiesNarrowed,
  additionalProperties: (old, now) => now === false || (isJsonObject(old) && isNarrowed(old, now)),
  items: (old, now) => (old === undefined ? now !== undefined && saysNothing(now, new Set()) : isNarrowed(old, now)),
  minimum: atLeast,
  exclusiveMinimum: atLeast,
  minLength: atLeast,
  minItems: atLeast,
  minProperties: atLeast,
  maximum: atMost,
  exclusiveMaximum: atMost,
  maxLength: atMost,
  maxItems: atMost,
  maxProperties: atMost,
  multipleOf: (old, now) => typeof now === 'number' && (old === undefined || (typeof old === 'number' && now % old === 0)),
  uniqueItems: (_, now) => now === true,
  format: (old, now) => onlyAdded(old, now) && typeof now === 'string' && FORMATS.has(now),
}
const FORMATS = new Set([
  'date-time',
  'date',
  'time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uri-reference',
  'uuid',
  'regex',
  'json-pointer',
])
const typesOf = (type: JsonValue): readonly JsonValue[] => (Array.isArray(type) ? type : [type])

/** A property that nobody had to give may go; none may come. What a new `required` names was there before, or nothing fits any more. */
function arePropertiesNarrowed(before: JsonValue | undefined, after: JsonValue | undefined): boolean {
  const old = before ?? {}
  const now = after ?? {}
  if (!isJsonObject(old) || !isJsonObject(now)) return false
  return Object.keys(now).every((name) => Object.hasOwn(old, name) && isNarrowed(old[name], now[name]))
}
