import { decodeBase64url, decodeUtf8, encodeBase64url, utf8 } from '@postern/core'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { actorOf } from '../context.ts'
import { ControlError } from '../errors.ts'
import { atsign } from '../fields.ts'
import type { Finders, Term } from '../filter.ts'
import { matcher, parseFilter, readAge } from '../filter.ts'
import type { Member, Roster } from './roster.ts'
import { readRoster, STATES } from './roster.ts'

export const FLEET_KEYS = ['name', 'kind', 'state', 'tag', 'label', 'owner', 'server', 'version', 'policy', 'seen', 'gateway'] as const
export type FleetKey = (typeof FLEET_KEYS)[number]
const SORTS = ['name', 'kind', 'state', 'version', 'policy', 'seen', 'tags', 'owner'] as const
type SortKey = (typeof SORTS)[number]

export const sortText = z.string().regex(/^-?(name|kind|state|version|policy|seen|tags|owner)$/)
export const filterText = z.string().max(1000)
/** Many rows at once: by name, or all that match a filter, resolved here. `expected`: how many the person saw. */
export const selection = z.union([
  z.strictObject({ names: z.array(atsign).min(1).max(10_000) }),
  z.strictObject({ filter: filterText, except: z.array(atsign).max(1000).optional(), expected: z.int().min(1) }),
])
export type Selection = z.output<typeof selection>

export interface SearchInput {
  readonly q?: string | undefined
  readonly sort?: string | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

/**
 * One page of the fleet. What is counted is what matches, apart from `total`.
 * @throws {ControlError} BAD_FILTER
 */
export async function searchFleet(context: Context, { q = '', sort = 'state', cursor, limit = 200 }: SearchInput) {
  const { control } = context
  const roster = await readRoster(control, actorOf(context))
  const matching = filterMembers(roster, q, control.now())
  const order = orderOf(sort)
  const sorted = matching.toSorted(order.compare)
  const start = cursor === undefined ? 0 : after(sorted, order, cursor)
  const members = sorted.slice(start, start + limit)
  const last = members.at(-1)
  return {
    ...{ members, total: roster.members.length, matching: matching.length, policy: roster.policy, counts: countsOf(matching) },
    next: last && start + limit < sorted.length ? encodeCursor(order.keyOf(last), last.atsign) : null,
    head: control.ledger.head(),
    now: control.now(),
  }
}

export function filterMembers(roster: Roster, q: string, now: number): readonly Member[] {
  const terms = parseFilter(q, FLEET_KEYS)
  if (terms.length === 0) return roster.members
  return roster.members.filter(
    matcher<Member, FleetKey>(terms, findersOf(roster, now, terms), (member, word) => member.atsign.includes(word)),
  )
}

function findersOf(roster: Roster, now: number, terms: readonly Term<FleetKey>[]): Finders<Member, FleetKey> {
  for (const { key, values } of terms) {
    const odd = key === 'seen' ? values.find((value) => value !== 'never' && !readAge(value)) : undefined
    if (odd !== undefined) throw new ControlError('BAD_FILTER', `seen:${odd} is no age`, { fix: 'seen:>2h, seen:<5m or seen:never' })
  }
  return {
    name: ({ atsign }, value) => atsign === value || atsign === `@${value}`,
    kind: ({ kind }, value) => kind === value,
    state: ({ state, reasons }, value) => state === value || reasons.includes(value as never),
    tag: ({ tags }, value) => tags.includes(value),
    label: ({ labels }, value) => labels.includes(value),
    owner: ({ owner }, value) => owner === value || owner === `@${value}`,
    server: ({ servers }, value) => servers.includes(value),
    version: ({ version, outdated }, value) => version?.toLowerCase() === value || (value === 'outdated' && outdated),
    policy: ({ policy }, value) => `v${policy}` === value || (value === 'stale' && policy !== undefined && policy < roster.policy),
    gateway: ({ gateways }, value) => gateways.includes(value) || gateways.includes(`@${value}`),
    seen: ({ seen }, value) => {
      const age = readAge(value)
      if (!age) return seen === undefined
      return seen !== undefined && (age.olderThan ? now - seen > age.seconds : now - seen < age.seconds)
    },
  }
}

/** One value to sort by. Rows without one come last, whichever way. */
const VALUES: Readonly<Record<SortKey, (member: Member) => string | number | undefined>> = {
  name: ({ atsign }) => atsign,
  kind: ({ kind }) => kind,
  state: ({ state, kind }) => STATES.indexOf(state) * 2 + (kind === 'gateway' ? 0 : 1),
  version: ({ version }) => version,
  policy: ({ policy }) => policy,
  seen: ({ seen }) => seen,
  tags: ({ tags }) => (tags.length > 0 ? tags.join(' ') : undefined),
  owner: ({ owner }) => owner,
}

type Value = string | number | undefined
function orderOf(sort: string) {
  const isDown = sort.startsWith('-')
  const keyOf = VALUES[(isDown ? sort.slice(1) : sort) as SortKey]
  const values = (a: Value, b: Value) => {
    if (a === b) return 0
    if (a === undefined) return 1
    if (b === undefined) return -1
    return (a < b ? -1 : 1) * (isDown ? -1 : 1)
  }
  const pairs = (a: Value, nameA: string, b: Value, nameB: string) => values(a, b) || (nameA < nameB ? -1 : nameA > nameB ? 1 : 0)
  return { keyOf, pairs, compare: (a: Member, b: Member) => pairs(keyOf(a), a.atsign, keyOf(b), b.atsign) }
}

const encodeCursor = (value: Value, name: string) => encodeBase64url(utf8(JSON.stringify([value ?? null, name])))

function after(sorted: readonly Member[], { keyOf, pairs }: ReturnType<typeof orderOf>, cursor: string): number {
  const [value, name] = readCursor(cursor)
  const at = sorted.findIndex((member) => pairs(keyOf(member), member.atsign, value, name) > 0)
  return at === -1 ? sorted.length : at
}

function readCursor(cursor: string): [Value, string] {
  try {
    const [value, name] = z
      .tuple([z.union([z.string(), z.number(), z.null()]), z.string()])
      .parse(JSON.parse(decodeUtf8(decodeBase64url(cursor))))
    return [value ?? undefined, name]
  } catch (cause) {
    throw new ControlError('BAD_FILTER', 'this is no cursor of this list', { cause })
  }
}

export type FleetCounts = ReturnType<typeof countsOf>
function countsOf(members: readonly Member[]) {
  const states: Record<string, number> = {}
  const kinds: Record<string, number> = {}
  let outdated = 0
  for (const { state, kind, outdated: isOld } of members) {
    states[state] = (states[state] ?? 0) + 1
    kinds[kind] = (kinds[kind] ?? 0) + 1
    if (isOld) outdated += 1
  }
  return { states, kinds, outdated }
}

/**
 * The names a selection means now.
 * @throws {ControlError} SELECTION_CHANGED when the filter matches another number than the person saw; NOT_FOUND for a name that is not there
 */
export async function resolveSelection(context: Context, chosen: Selection): Promise<readonly Member[]> {
  const { control } = context
  const roster = await readRoster(control, actorOf(context))
  if ('names' in chosen) {
    const byName = new Map(roster.members.map((member) => [member.atsign, member]))
    return [...new Set(chosen.names)].map((name) => {
      const member = byName.get(name)
      if (!member) throw new ControlError('NOT_FOUND', `${name} is not in the fleet`)
      return member
    })
  }
  const except = new Set(chosen.except)
  const found = filterMembers(roster, chosen.filter, control.now()).filter((member) => !except.has(member.atsign))
  if (found.length === chosen.expected) return found
  throw new ControlError('SELECTION_CHANGED', `the filter matches ${found.length} now, not ${chosen.expected}`, {
    fix: 'look at the list again',
    details: { matching: found.length },
  })
}

const MAX_VALUES = 50

/** Values that each key has in this fleet, for suggestions; the most frequent first. */
export async function fleetFacets(context: Context): Promise<Record<FleetKey, string[]>> {
  const { members, policy } = await readRoster(context.control, actorOf(context))
  const facets = FLEET_KEYS.map((key) => [key, mostFrequent(members.flatMap((member) => valuesOf(member, key, policy)))])
  return Object.fromEntries(facets)
}

function mostFrequent(values: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, MAX_VALUES)
    .map(([value]) => value)
}

function valuesOf(member: Member, key: FleetKey, policy: number): readonly string[] {
  const present = (value: string | undefined) => (value === undefined ? [] : [value])
  switch (key) {
    case 'name':
      return [member.atsign]
    case 'kind':
      return [member.kind]
    case 'state':
      return [member.state]
    case 'tag':
      return member.tags
    case 'label':
      return member.labels
    case 'owner':
      return present(member.owner)
    case 'server':
      return member.servers
    case 'gateway':
      return member.gateways
    case 'version':
      return [...present(member.version), ...(member.outdated ? ['outdated'] : [])]
    case 'policy':
      return member.policy === undefined ? [] : [`v${member.policy}`, ...(member.policy < policy ? ['stale'] : [])]
    case 'seen':
      return ['>1h', '>1d', '<5m', ...(member.seen === undefined ? ['never'] : [])]
  }
}
