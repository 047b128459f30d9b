import type { Identity, RevocationSet, State } from '@postern/core'
import { isRevoked, revocationsDigest, standingOf } from '@postern/core'
import type { Actor, Control } from '../context.ts'
import { VERSION } from '../status/service.ts'
import { dateOf, secondsOf } from '../time.ts'
import { isPresent } from './attendance.ts'

/** In the order of urgency, which is how a list begins. */
export const STATES = ['degraded', 'offline', 'expired', 'pending', 'suspended', 'online', 'revoked'] as const
export type MemberState = (typeof STATES)[number]
/** Why a gateway is degraded, or what else a state needs said. */
export type Reason = 'behind' | 'policy' | 'revocations' | 'clock' | 'silent' | 'owner'

/** A gateway or an agent, with what the log, the acks, the edges themselves and the people of this console say about it. */
export interface Member {
  readonly atsign: string
  readonly kind: 'gateway' | 'agent'
  readonly state: MemberState
  readonly reasons: readonly Reason[]
  /** Signed: policies see them. */
  readonly tags: readonly string[]
  /** Of this console: no policy sees them. */
  readonly labels: readonly string[]
  readonly owner?: string
  readonly version?: string
  readonly outdated: boolean
  readonly host?: string
  /** Unix seconds. */
  readonly seen?: number
  readonly exp?: number
  /** When a suspension ends by itself. */
  readonly until?: number
  /** Gateways: the number of the policy that their acks say they apply. */
  readonly policy?: number
  /** Id of the live enrolment, or of the request when it is pending. */
  readonly enrolment: string
  /** Gateways: their servers. Agents: those their recent grants named. */
  readonly servers: readonly string[]
  /** Agents: whose recent grants they hold. */
  readonly gateways: readonly string[]
  /** Its clock minus ours, in seconds, as it said. */
  readonly skew?: number
}

export interface Roster {
  readonly members: readonly Member[]
  /** How many policies were ever set: the number of the present one. */
  readonly policy: number
}

/** How old a roster may be: rows also come by events, and typing a filter must not read the database for every key. */
const FRESH_MS = 1000
/** What an edge has just been sent it may take a moment to take up. */
const GRACE_SECONDS = 10
const SKEW_SECONDS = 3
const GRANTS_SECONDS = 3600

interface Cached {
  readonly at: number
  readonly roster: Promise<Roster>
}
const cache = new WeakMap<Control, Map<string, Cached>>()

/** Everybody whom this actor sees in the fleet. Pending requests are shown to administrators, and to the owner they name. */
export async function readRoster(control: Control, actor: Actor): Promise<Roster> {
  const roster = await cachedRoster(control, actor.org)
  if (actor.role === 'admin') return roster
  return { ...roster, members: roster.members.filter(({ state, owner }) => state !== 'pending' || owner === actor.atsign) }
}

function cachedRoster(control: Control, org: string): Promise<Roster> {
  const rosters = cache.get(control) ?? new Map<string, Cached>()
  cache.set(control, rosters)
  const key = `${org} ${control.ledger.head()?.seq} ${control.ledger.revocationCount()}`
  const known = rosters.get(key)
  if (known && performance.now() - known.at < FRESH_MS) return known.roster
  rosters.clear()
  const roster = loadRoster(control, org)
  rosters.set(key, { at: performance.now(), roster })
  roster.catch(() => rosters.delete(key))
  return roster
}

/** After something of this process changed what a roster shows. */
export const forgetRoster = (control: Control): void => void cache.delete(control)

interface AckRow {
  gateway: string
  seq: number
  revocation_count: number
  revocation_digest: string
}

async function loadRoster(control: Control, org: string): Promise<Roster> {
  const { db, ledger, streams } = control
  const { state } = ledger
  if (!state) return { members: [], policy: 0 }
  const identities = [...state.identities.values()].filter(({ kind }) => kind !== 'person')
  const gateways = identities.filter(({ kind }) => kind === 'gateway').map(({ atsign }) => atsign)
  const [presence, acks, labels, servers, grants, pending, policies] = await Promise.all([
    allPresence(control, org),
    latestAcks(control, org, gateways),
    db.prisma.label.findMany({ where: { org }, select: { atsign: true, label: true }, orderBy: { label: 'asc' } }),
    db.prisma.toolReport.findMany({ where: { org }, select: { gateway: true, server: true } }),
    recentGrants(control, org),
    db.prisma.enrolment.findMany({
      where: { org, status: 'pending', kind: { in: ['gateway', 'agent'] }, expiresAt: { gt: dateOf(control.now()) } },
      select: { id: true, kind: true, atsign: true, owner: true, tags: true },
      take: 500,
    }),
    db.prisma.statement.findMany({ where: { org, op: 'policy.set' }, select: { seq: true }, orderBy: { seq: 'asc' } }),
  ])
  const facts: Facts = {
    ...{ control, state, revocations: ledger.revocations, policies: policies.map(({ seq }) => seq) },
    digest: revocationsDigest(ledger.revocations.held.keys(), control.suite).digest,
    lastRevokedAt: Math.max(0, ...[...ledger.revocations.held.values()].map(({ revocation }) => revocation.at)),
    attached: new Set(streams.attached(org)),
    presence: new Map(presence.map((row) => [row.atsign, row])),
    acks: new Map(acks.map((row) => [row.gateway, row])),
    labels: grouped(
      labels,
      ({ atsign }) => atsign,
      ({ label }) => label,
    ),
    servers: grouped(
      servers,
      ({ gateway }) => gateway,
      ({ server }) => server,
    ),
    grantServers: grouped(
      grants,
      ({ agent }) => agent,
      ({ server }) => server,
    ),
    grantGateways: grouped(
      grants,
      ({ agent }) => agent,
      ({ gateway }) => gateway,
    ),
  }
  const enrolled = identities.map((identity) => memberOf(identity, facts))
  const names = new Set(enrolled.map(({ atsign }) => atsign))
  const waiting = pending.filter(({ atsign }) => !names.has(atsign)).map((row) => pendingOf(row, facts))
  return { members: [...enrolled, ...waiting], policy: policies.length }
}

interface Facts {
  readonly control: Control
  readonly state: State
  readonly revocations: RevocationSet
  /** Digest of all revocations, and when the newest was made. */
  readonly digest: string
  readonly lastRevokedAt: number
  readonly policies: readonly number[]
  readonly attached: ReadonlySet<string>
  readonly presence: ReadonlyMap<string, Seen>
  readonly acks: ReadonlyMap<string, AckRow>
  readonly labels: Lists
  readonly servers: Lists
  readonly grantServers: Lists
  readonly grantGateways: Lists
}
type Lists = ReadonlyMap<string, readonly string[]>
type Seen = { version: string; host: string | null; clockSkew: number | null; seenAt: Date; leftAt: Date | null }

function grouped<T>(rows: readonly T[], keyOf: (row: T) => string, readValue: (row: T) => string): Lists {
  const groups = new Map<string, string[]>()
  for (const row of rows) {
    const list = groups.get(keyOf(row)) ?? []
    if (!list.includes(readValue(row))) list.push(readValue(row))
    groups.set(keyOf(row), list)
  }
  return groups
}

/** Per gateway one look into the index; `distinct` would read them all. */
export async function latestAcks({ db }: Pick<Control, 'db'>, org: string, gateways: readonly string[]): Promise<AckRow[]> {
  if (gateways.length === 0) return []
  const { rows } = await db.pool.query<AckRow>(
    `SELECT g.gateway, a.seq, a.revocation_count, a.revocation_digest FROM unnest($2::text[]) AS g(gateway)
     CROSS JOIN LATERAL (SELECT seq, revocation_count, revocation_digest FROM acks WHERE org = $1 AND gateway = g.gateway
       ORDER BY id DESC LIMIT 1) a`,
    [org, gateways],
  )
  return rows
}

/** By hand: ten thousand rows are read for every look at the fleet. */
async function allPresence({ db }: Control, org: string) {
  const { rows } = await db.pool.query<Seen & { atsign: string }>(
    'SELECT atsign, version, host, clock_skew AS "clockSkew", seen_at AS "seenAt", left_at AS "leftAt" FROM presence WHERE org = $1',
    [org],
  )
  return rows
}

async function recentGrants({ db, now }: Control, org: string) {
  const { rows } = await db.pool.query<{ agent: string; gateway: string; server: string }>(
    `SELECT DISTINCT agent, gateway, tool->>'server' AS server FROM reported_grants, jsonb_array_elements(tools) AS tool
     WHERE org = $1 AND expires_at > $2 LIMIT 10000`,
    [org, dateOf(now() - GRANTS_SECONDS)],
  )
  return rows
}

const NONE: readonly string[] = []

function memberOf(identity: Identity, facts: Facts): Member {
  const { atsign, kind, tags, owner, exp, enrolment } = identity
  const seen = facts.presence.get(atsign)
  const isHere = isPresent(seen, facts.attached.has(atsign), facts.control.now())
  const pinned = kind === 'gateway' ? pinnedServers(facts.state, atsign) : NONE
  return {
    ...{ atsign, kind: kind as 'gateway' | 'agent', tags, labels: facts.labels.get(atsign) ?? NONE, enrolment },
    ...stateOf(identity, facts, isHere, seen),
    ...(owner ? { owner } : {}),
    ...(exp === undefined ? {} : { exp }),
    ...(seen ? { version: seen.version, seen: secondsOf(seen.seenAt) } : {}),
    ...(seen?.host ? { host: seen.host } : {}),
    ...(seen?.clockSkew ? { skew: seen.clockSkew } : {}),
    outdated: seen !== undefined && seen.version !== VERSION,
    ...(kind === 'gateway' ? policyOf(atsign, facts) : {}),
    servers:
      kind === 'gateway'
        ? [...new Set([...pinned, ...(facts.servers.get(atsign) ?? NONE)])].sort()
        : (facts.grantServers.get(atsign) ?? NONE),
    gateways: kind === 'gateway' ? [atsign] : (facts.grantGateways.get(atsign) ?? NONE),
  }
}

const pinnedServers = (state: State, gateway: string) =>
  [...state.servers.values()].filter((pin) => pin.gateway === gateway).map(({ server }) => server)

/** The newest policy at or below what it has acknowledged. */
function policyOf(gateway: string, { acks, policies }: Facts): { policy?: number } {
  const ack = acks.get(gateway)
  const count = ack ? policies.filter((seq) => seq <= ack.seq).length : 0
  return count > 0 ? { policy: count } : {}
}

function stateOf(identity: Identity, facts: Facts, isHere: boolean, seen: Seen | undefined): Pick<Member, 'state' | 'reasons' | 'until'> {
  const standing = standingOf(facts.state, facts.revocations, identity.atsign, facts.control.now())
  if (!standing.ok) {
    if (standing.reason !== 'REVOKED') return { state: 'expired', reasons: standing.reason === 'OWNER_GONE' ? ['owner'] : [] }
    const { until } = standing.revocation
    const isForEver = until === undefined || isRevoked(facts.revocations, facts.state, { atsign: identity.atsign }, Number.MAX_SAFE_INTEGER)
    return isForEver ? { state: 'revoked', reasons: [] } : { state: 'suspended', reasons: [], until }
  }
  if (!isHere) return { state: 'offline', reasons: [] }
  const reasons = identity.kind === 'gateway' ? troublesOf(identity, facts, seen) : []
  return { state: reasons.length > 0 ? 'degraded' : 'online', reasons }
}

/** What is wrong with a gateway that is here: measured by its acks, and by the clock it reports. */
function troublesOf({ atsign, enrolledSeq }: Identity, facts: Facts, seen: Seen | undefined): Reason[] {
  const { state, control, acks, digest, lastRevokedAt } = facts
  const isPast = (at: number) => at + GRACE_SECONDS < control.now()
  const reasons: Reason[] = []
  const ack = acks.get(atsign)
  if (!ack) {
    if (isPast(state.at) || enrolledSeq < state.seq) reasons.push('silent')
  } else {
    if (ack.seq < state.seq && isPast(state.at)) reasons.push('behind')
    if (state.policy && ack.seq < state.policy.seq && isPast(state.at)) reasons.push('policy')
    if (ack.revocation_digest !== digest && isPast(lastRevokedAt)) reasons.push('revocations')
  }
  if (seen?.clockSkew && Math.abs(seen.clockSkew) >= SKEW_SECONDS) reasons.push('clock')
  return reasons
}

type PendingRow = { id: string; kind: string; atsign: string; owner: string | null; tags: string[] }
const pendingOf = ({ id, kind, atsign, owner, tags }: PendingRow, { labels }: Facts): Member => ({
  ...{ atsign, kind: kind as 'gateway' | 'agent', state: 'pending', reasons: [], tags, labels: labels.get(atsign) ?? NONE, enrolment: id },
  ...(owner ? { owner } : {}),
  ...{ outdated: false, servers: NONE, gateways: NONE },
})
