import type { JsonObject, JsonValue } from '@postern/core'
import { isJsonObject } from '@postern/core'

/** A schema larger than this is not compiled: it comes from a server that nobody has to trust. */
export const SCHEMA_LIMITS = { maxBytes: 262_144, maxDepth: 48, maxSubschemas: 4_096 } as const

/** What checking against a schema may cost: `plain` is done in place, `heavy` in a thread with a time limit. */
export type Weight = 'plain' | 'heavy'

/** Every `$ref` followed, a schema stands for so many subschemas. Above this a small value could keep us busy. */
const MAX_EXPANDED = 10_000

/** Keywords whose cost is not bounded by schema and value alone, or whose target is only known while checking. */
const HEAVY = new Set(['uniqueItems', 'contains', '$dynamicRef', '$dynamicAnchor', '$recursiveRef', '$recursiveAnchor', '$anchor', '$id'])

/**
 * Looks at a schema without evaluating it: bounded size, depth and number of subschemas, no reference that leaves it.
 * Every object in it counts as a subschema, also those under `const`, `enum` and `default`: too many is said too early, never too late.
 * @returns why it cannot be used, or what checking may cost
 */
export function weigh(schema: JsonObject): { readonly weight: Weight } | { readonly unusable: string } {
  const bytes = Buffer.byteLength(JSON.stringify(schema))
  if (bytes > SCHEMA_LIMITS.maxBytes) return { unusable: `the schema has ${bytes} bytes, more than ${SCHEMA_LIMITS.maxBytes}` }
  const seen = { subschemas: 0, isHeavy: false, remote: undefined as string | undefined, tooDeep: false }
  look(schema, 0, seen)
  if (seen.tooDeep) return { unusable: `the schema is deeper than ${SCHEMA_LIMITS.maxDepth} levels` }
  if (seen.subschemas > SCHEMA_LIMITS.maxSubschemas) return { unusable: `the schema has more than ${SCHEMA_LIMITS.maxSubschemas} parts` }
  if (seen.remote !== undefined) return { unusable: `the schema refers to ${seen.remote.slice(0, 200)}, which is never fetched` }
  return { weight: seen.isHeavy || expandedSize(schema) > MAX_EXPANDED ? 'heavy' : 'plain' }
}

interface Seen {
  subschemas: number
  isHeavy: boolean
  remote: string | undefined
  tooDeep: boolean
}

function look(value: JsonValue, depth: number, seen: Seen): void {
  if (depth > SCHEMA_LIMITS.maxDepth || seen.subschemas > SCHEMA_LIMITS.maxSubschemas) {
    seen.tooDeep ||= depth > SCHEMA_LIMITS.maxDepth
    return
  }
  if (Array.isArray(value)) for (const item of value) look(item, depth + 1, seen)
  if (!isJsonObject(value)) return
  seen.subschemas += 1
  for (const [name, item] of Object.entries(value)) {
    if (HEAVY.has(name)) seen.isHeavy = true
    if ((name === '$ref' || name === '$dynamicRef') && typeof item === 'string' && !item.startsWith('#')) seen.remote ??= item
    look(item, depth + 1, seen)
  }
}

/** How many subschemas one evaluation may visit for one value, with `$ref` followed; infinite for a recursive schema. */
function expandedSize(root: JsonObject): number {
  const known = new Map<JsonValue, number>()
  const open = new Set<JsonValue>()
  const size = (value: JsonValue): number => {
    if (typeof value !== 'object' || value === null) return 0
    const before = known.get(value)
    if (before !== undefined) return before
    if (open.has(value)) return Number.POSITIVE_INFINITY
    open.add(value)
    let total = Array.isArray(value) ? 0 : 1
    for (const item of Object.values(value)) total += size(item)
    if (isJsonObject(value) && typeof value.$ref === 'string') total += size(resolve(root, value.$ref) ?? null)
    open.delete(value)
    known.set(value, total)
    return total
  }
  return size(root)
}

/** What a local JSON pointer (RFC 6901 in a fragment) leads to. */
function resolve(root: JsonObject, ref: string): JsonValue | undefined {
  let at: JsonValue | undefined = root
  for (const step of ref.slice(1).split('/').slice(1)) {
    const name = unescaped(step)
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = (at as Record<string, JsonValue>)[name]
  }
  return at
}

function unescaped(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return step
  }
}
