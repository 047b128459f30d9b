import { decodeBase64url, decodeUtf8, encodeBase64url, isRevoked, utf8 } from '@postern/core'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { actorOf } from '../context.ts'
import type { Sql } from '../db/sql.ts'
import { joinSql, noSql, sql } from '../db/sql.ts'
import { ControlError } from '../errors.ts'
import type { Term } from '../filter.ts'
import { parseFilter } from '../filter.ts'
import { dateOf, secondsOf } from '../time.ts'

export type GrantKey = 'agent' | 'gateway' | 'server' | 'tool' | 'rule'
export const GRANT_KEYS: readonly GrantKey[] = ['agent', 'gateway', 'server', 'tool', 'rule']

/** `ended`: its gateway stopped naming it before its time, as after a new policy or a restart. */
export type GrantState = 'active' | 'revoked' | 'expired' | 'ended'

export interface GrantsInput {
  readonly q?: string | undefined
  readonly past?: boolean | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

/**
 * Grants as their gateways report them: those that can still be used, the soonest to end first, or those of the last day, the latest first.
 * A gateway reports within seconds; one that cannot be reached is as of `reported_ms`.
 */
export async function listGrantsOut(context: Context, { q = '', past = false, cursor, limit = 200 }: GrantsInput) {
  const { db, now } = context.control
  const at = dateOf(now())
  const isOver = sql`(expires_at <= ${at} OR ended_at IS NOT NULL)`
  const base = conditionsOf(context, q)
  const where = [...base, past ? isOver : sql`NOT ${isOver}`]
  if (cursor !== undefined) {
    const [end, hash] = readCursor(cursor)
    where.push(past ? sql`(expires_at, hash) < (${dateOf(end)}, ${hash})` : sql`(expires_at, hash) > (${dateOf(end)}, ${hash})`)
  }
  const order = past ? sql`expires_at DESC, hash DESC` : sql`expires_at, hash`
  const [rows, counts] = await Promise.all([
    db.prisma.$queryRaw<Row[]>`SELECT * FROM reported_grants WHERE ${joinSql(where, ' AND ')} ORDER BY ${order} LIMIT ${limit}`,
    db.prisma.$queryRaw<{ active: number; past: number }[]>`
      SELECT count(*) FILTER (WHERE NOT ${isOver})::int AS active, count(*) FILTER (WHERE ${isOver})::int AS past
      FROM reported_grants WHERE ${joinSql(base, ' AND ')}`,
  ])
  const last = rows.at(-1)
  return {
    grants: rows.map((row) => shown(context, row)),
    next: last && rows.length === limit ? encodeBase64url(utf8(JSON.stringify([secondsOf(last.expires_at), last.hash]))) : null,
    ...{ active: counts[0]?.active ?? 0, past: counts[0]?.past ?? 0, now: now() },
  }
}

interface Row {
  hash: string
  agent: string
  gateway: string
  tools: { server: string; tool: string; rule?: string }[]
  issued_at: Date
  expires_at: Date
  max_calls: bigint | null
  used_calls: bigint
  reported_at: Date
  ended_at: Date | null
}

function shown({ control }: Context, row: Row) {
  return {
    ...{ hash: row.hash, agent: row.agent, gateway: row.gateway, tools: row.tools, state: stateOf(row, control) },
    ...{ issued: secondsOf(row.issued_at), expires: secondsOf(row.expires_at), used: Number(row.used_calls) },
    ...(row.max_calls === null ? {} : { max: Number(row.max_calls) }),
    reported_ms: row.reported_at.getTime(),
  }
}

/** A revocation counts as soon as it is held here; what gateways make of it, their acks say. */
function stateOf({ hash, agent, expires_at, ended_at }: Row, { ledger, now }: Context['control']): GrantState {
  const { state, revocations } = ledger
  if (state && isRevoked(revocations, state, { grant: hash, atsign: agent as never }, now())) return 'revoked'
  if (ended_at) return 'ended'
  return expires_at <= dateOf(now()) ? 'expired' : 'active'
}

function conditionsOf(context: Context, q: string): Sql[] {
  const { org, atsign, role } = actorOf(context)
  const { ledger } = context.control
  const own = [...(ledger.state?.identities.values() ?? [])].filter(({ owner }) => owner === atsign).map((agent) => agent.atsign as string)
  return [
    sql`org = ${org}`,
    ...(role === 'admin' ? [] : [sql`agent = ANY(${own})`]),
    ...parseFilter(q, GRANT_KEYS).map(({ not, key, values }) => (not ? sql`NOT (${termOf(key, values)})` : termOf(key, values))),
  ]
}

function termOf(key: Term<GrantKey>['key'], values: readonly string[]): Sql {
  if (key === 'agent' || key === 'gateway') {
    const names = values.map((value) => `@${value.replace(/^@/, '').toLowerCase()}`)
    return key === 'agent' ? sql`agent = ANY(${names})` : sql`gateway = ANY(${names})`
  }
  if (key === undefined) {
    const like = `%${values[0]!.replace(/[\\%_]/g, '\\$&')}%`
    return sql`(agent ILIKE ${like} OR EXISTS (SELECT 1 FROM jsonb_array_elements(tools) t WHERE t->>'server' || '.' || (t->>'tool') ILIKE ${like}))`
  }
  const full = key === 'tool' ? sql`OR t->>'server' || '.' || (t->>'tool') = ANY(${values})` : noSql
  return sql`EXISTS (SELECT 1 FROM jsonb_array_elements(tools) t WHERE t->>${key} = ANY(${values}) ${full})`
}

function readCursor(cursor: string): [number, string] {
  try {
    return z.tuple([z.int(), z.string()]).parse(JSON.parse(decodeUtf8(decodeBase64url(cursor))))
  } catch (cause) {
    throw new ControlError('BAD_FILTER', 'this is no cursor of this list', { cause })
  }
}
