import type { JsonValue } from '../bytes/json.ts'
import { isJsonObject } from '../bytes/json.ts'
import type { Shape } from '../bytes/shape.ts'
import { refuse, text } from '../bytes/shape.ts'

/** Deeper than any argument that a person writes a condition for; bounds the walk over hostile arguments. */
const MAX_SEGMENTS = 16
const INDEX = /^(?:0|[1-9]\d{0,8})$/
const POINTER = /^(?:\/(?:[^~/]|~[01])*)+$/

/**
 * How conditions name an argument: a top-level name, or a JSON pointer (RFC 6901) when it begins with a slash, so that a
 * top-level name which itself begins with one is written as a pointer too.
 * @see packages/core/spec/policy.md §4
 */
export const argumentName: Shape<string> = (value, path) => {
  const name = text(256, 1)(value, path)
  if (!name.startsWith('/')) return name
  if (!POINTER.test(name)) return refuse(path, 'expected a JSON pointer, in which ~ is written ~0 and / is written ~1')
  return segmentsOf(name).length > MAX_SEGMENTS ? refuse(path, `more than ${MAX_SEGMENTS} steps deep`) : name
}

/** The member names and indices an argument name goes through. Does NOT check it: see `argumentName`. */
export const segmentsOf = (name: string): readonly string[] =>
  name.startsWith('/')
    ? name
        .slice(1)
        .split('/')
        .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
    : [name]

/** What stands there, or `undefined` when nothing does. Only own members and canonical indices count. */
export function argumentAt(args: JsonValue, segments: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = args
  for (const segment of segments) value = member(value, segment)
  return value
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (Array.isArray(value)) return INDEX.test(name) ? (value[Number(name)] as JsonValue | undefined) : undefined
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

/** The names of one set of conditions as a tree. A named value is covered with all that is in it. */
export interface NamedArguments {
  readonly named: boolean
  readonly members: ReadonlyMap<string, NamedArguments>
}
type Node = { named: boolean; members: Map<string, Node> }

export function namedArguments(names: readonly (readonly string[])[]): NamedArguments {
  const root: Node = { named: false, members: new Map() }
  for (const segments of names) {
    let node = root
    for (const segment of segments) {
      const next: Node = node.members.get(segment) ?? { named: false, members: new Map() }
      node.members.set(segment, next)
      node = next
    }
    node.named = true
  }
  return root
}

/**
 * The first argument that no condition names, as a name of the form of `argumentName`; `undefined` when all are covered. With
 * `allowed` set only those count that a careless reader (one that ignores letter case) would take for a named one.
 */
export function findUnnamed(tree: NamedArguments, value: JsonValue, allowed: boolean, path = ''): string | undefined {
  if (tree.named || value === null || typeof value !== 'object') return undefined
  for (const [name, item] of Object.entries(value as Record<string, JsonValue>)) {
    const here = `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    const node = tree.members.get(name)
    if (node === undefined) {
      if (!allowed || looksNamed(tree, name)) return path === '' && !name.startsWith('/') ? name : here
      continue
    }
    const inside = findUnnamed(node, item, allowed, here)
    if (inside !== undefined) return inside
  }
  return undefined
}

/** Go's JSON reader, for one, takes `Amount` and `ſ` for `amount` and `s` (CVE-2026-27896). */
const fold = (name: string): string => name.toUpperCase().toLowerCase()

function looksNamed(tree: NamedArguments, name: string): boolean {
  const folded = fold(name)
  for (const known of tree.members.keys()) if (fold(known) === folded) return true
  return false
}

/** Whether an argument that only a narrower set of conditions names would pass as unnamed where unnamed ones are allowed. */
export function passesUnnamed(tree: NamedArguments, segments: readonly string[]): boolean {
  let node = tree
  for (const segment of segments) {
    const next = node.members.get(segment)
    if (next === undefined) return !looksNamed(node, segment)
    if (next.named) return true
    node = next
  }
  return false // a container of something named, whose other members would no longer be looked at
}
