import { decodeBase64url, decodeUtf8, isRefusalCode, parseStrictJson, refusals, VerifyError, verifyReceipt } from '@postern/core'
import { keyResolver } from '../auth/resolve-key.ts'
import type { Context } from '../context.ts'
import { actorOf } from '../context.ts'
import type { Receipt } from '../db/generated/client.ts'
import type { Sql } from '../db/sql.ts'
import { joinSql, sql } from '../db/sql.ts'
import { ControlError } from '../errors.ts'
import type { Term } from '../filter.ts'
import { parseFilter } from '../filter.ts'
import { dateOf, secondsOf } from '../time.ts'
import { MAX_RANGE_SECONDS } from './schema.ts'

export const CALL_KEYS = ['agent', 'gateway', 'server', 'tool', 'decision', 'code', 'rule', 'status', 'grant', 'ms'] as const
export type CallKey = (typeof CALL_KEYS)[number]

export interface Range {
  /** Unix seconds; default an hour before `to`. */
  readonly from?: number | undefined
  readonly to?: number | undefined
}
export interface CallSearch extends Range {
  readonly q?: string | undefined
  /** Only what came in before this id: the next page. */
  readonly cursor?: number | undefined
  /** Only what came in after this id: what is new. */
  readonly after?: number | undefined
  readonly limit?: number | undefined
}

/**
 * Receipts that match, newest first. With `after`, at most `limit` of the newest and how many there are in all: whoever shows fewer says so.
 * @throws {ControlError} BAD_FILTER
 */
export async function searchCalls(context: Context, { q = '', cursor, after, limit = 100, ...range }: CallSearch) {
  const { db } = context.control
  const where = [...conditionsOf(context, q, range)]
  if (cursor !== undefined) where.push(sql`id < ${cursor}`)
  if (after !== undefined) where.push(sql`id > ${after}`)
  const all = joinSql(where, ' AND ')
  const rows = await db.prisma.$queryRaw<Row[]>`SELECT * FROM receipts WHERE ${all} ORDER BY id DESC LIMIT ${limit}`
  const isFull = rows.length === limit
  const fresh =
    after !== undefined && isFull
      ? await db.prisma.$queryRaw<
          { n: number }[]
        >`SELECT count(*)::int AS n FROM (SELECT 1 FROM receipts WHERE ${all} LIMIT ${MAX_COUNTED}) AS counted`
      : undefined
  return {
    calls: rows.map(shown),
    next: isFull ? Number(rows.at(-1)!.id) : null,
    fresh: fresh?.[0]?.n ?? rows.length,
  }
}
const MAX_COUNTED = 10_000

type Row = {
  id: bigint
  gateway: string
  agent: string
  server: string
  tool: string | null
  decision: string
  code: string
  rule: string | null
  status: string
  grant_hash: string | null
  started_at: Date
  received_at: Date
  took_ms: bigint | null
}
/** How people read a decision: what was asked about is neither allowed nor denied by the policy alone. */
export type Shown = 'allow' | 'deny' | 'ask'
const decisionOf = ({ decision, code }: { decision: string; code: string }): Shown =>
  code.startsWith('APPROVAL_') ? 'ask' : (decision as 'allow' | 'deny')

const shown = (row: Row) => ({
  ...{ id: Number(row.id), gateway: row.gateway, agent: row.agent, server: row.server, code: row.code, status: row.status },
  ...{ decision: decisionOf(row), at: secondsOf(row.started_at), received_ms: row.received_at.getTime() },
  ...(row.tool === null ? {} : { tool: row.tool }),
  ...(row.rule === null ? {} : { rule: row.rule }),
  ...(row.grant_hash === null ? {} : { grant: row.grant_hash }),
  ...(row.took_ms === null ? {} : { ms: Number(row.took_ms) }),
})

/** Always within a range of dates, and always one organisation's; people who are not administrators see their own agents' calls. */
function conditionsOf(context: Context, q: string, range: Range): Sql[] {
  const { org, atsign, role } = actorOf(context)
  const { now, ledger } = context.control
  const { from, to } = rangeOf(range, now())
  const own = [...(ledger.state?.identities.values() ?? [])].filter(({ owner }) => owner === atsign).map((agent) => agent.atsign as string)
  return [
    sql`org = ${org} AND started_at >= ${dateOf(from)} AND started_at < ${dateOf(to)}`,
    ...(role === 'admin' ? [] : [sql`agent = ANY(${own})`]),
    ...parseFilter(q, CALL_KEYS).map(conditionOf),
  ]
}

function rangeOf({ from, to }: Range, now: number): { from: number; to: number } {
  const end = to ?? now + 60
  const start = from ?? end - 3600
  if (start >= end) throw new ControlError('BAD_FILTER', 'the range ends before it begins')
  if (end - start > MAX_RANGE_SECONDS) throw new ControlError('BAD_FILTER', `a range may have ${MAX_RANGE_SECONDS / 86_400} days`)
  return { from: start, to: end }
}

const ALL_OF: { readonly [key in Exclude<CallKey, 'decision' | 'ms'>]: Sql } = {
  agent: sql`agent`,
  gateway: sql`gateway`,
  server: sql`server`,
  tool: sql`coalesce(tool, '')`,
  code: sql`code`,
  rule: sql`coalesce(rule, '')`,
  status: sql`status`,
  grant: sql`coalesce(grant_hash, '')`,
}

function conditionOf({ not, key, values }: Term<CallKey>): Sql {
  const condition = termOf(key, values)
  return not ? sql`NOT (${condition})` : condition
}

function termOf(key: CallKey | undefined, values: readonly string[]): Sql {
  if (key === undefined) {
    const like = `%${values[0]!.replace(/[\\%_]/g, '\\$&')}%`
    return sql`(agent ILIKE ${like} OR server || '.' || coalesce(tool, '') ILIKE ${like})`
  }
  if (key === 'decision') return sql`(${joinSql(values.map(decisionTerm), ' OR ')})`
  if (key === 'ms') return sql`(${joinSql(values.map(tookTerm), ' OR ')})`
  const isName = key === 'agent' || key === 'gateway'
  const exact = values.map((value) => (isName ? `@${value.replace(/^@/, '').toLowerCase()}` : key === 'code' ? value.toUpperCase() : value))
  if (key === 'tool') return sql`(${ALL_OF.tool} = ANY(${exact}) OR server || '.' || coalesce(tool, '') = ANY(${exact}))`
  return sql`${ALL_OF[key]} = ANY(${exact})`
}

function decisionTerm(value: string): Sql {
  const isAsk = sql`code LIKE 'APPROVAL\\_%'`
  if (value === 'ask') return isAsk
  if (value === 'allow' || value === 'deny') return sql`(decision = ${value} AND NOT ${isAsk})`
  throw new ControlError('BAD_FILTER', `decision:${value} is none`, { fix: 'decision:allow, decision:deny or decision:ask' })
}

function tookTerm(value: string): Sql {
  const match = /^([<>])(\d{1,9})$/.exec(value)
  if (!match) throw new ControlError('BAD_FILTER', `ms:${value} is no duration`, { fix: 'ms:>200 or ms:<5' })
  return match[1] === '>' ? sql`took_ms > ${Number(match[2])}` : sql`took_ms < ${Number(match[2])}`
}

const MAX_BUCKETS = 60
/** More rows than this are not read for one picture; the answer says so. */
const MAX_SAMPLE = 100_000

/** Counts per bucket of time, and how long calls took, over the newest `MAX_SAMPLE` receipts that match. */
export async function callStats(
  context: Context,
  { q = '', buckets = 30, ...range }: Range & { q?: string | undefined; buckets?: number | undefined },
) {
  const { db, now } = context.control
  const { from, to } = rangeOf(range, now())
  const n = Math.min(buckets, MAX_BUCKETS)
  const width = Math.max(1, Math.ceil((to - from) / n))
  const where = joinSql(conditionsOf(context, q, range), ' AND ')
  const sample = sql`SELECT started_at, decision, code, took_ms FROM receipts WHERE ${where} ORDER BY id DESC LIMIT ${MAX_SAMPLE}`
  const counts = await db.prisma.$queryRaw<{ bucket: number; shown: Shown; n: number }[]>`
    SELECT least(floor((extract(epoch FROM started_at) - ${from}) / ${width})::int, ${n - 1}) AS bucket,
      CASE WHEN code LIKE 'APPROVAL\\_%' THEN 'ask' ELSE decision END AS shown, count(*)::int AS n
    FROM (${sample}) AS s GROUP BY 1, 2`
  const took = await db.prisma.$queryRaw<{ p50: number | null; p99: number | null }[]>`
    SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY took_ms)::int AS p50, percentile_disc(0.99) WITHIN GROUP (ORDER BY took_ms)::int AS p99
    FROM (${sample}) AS s WHERE took_ms IS NOT NULL`
  const series = { allow: zeros(n), deny: zeros(n), ask: zeros(n) }
  for (const { bucket, shown: kind, n: calls } of counts) series[kind][Math.max(0, bucket)]! += calls
  const total = counts.reduce((sum, row) => sum + row.n, 0)
  return { from, to, width, ...series, total, sampled: total >= MAX_SAMPLE, p50: took[0]?.p50 ?? null, p99: took[0]?.p99 ?? null }
}

const zeros = (n: number): number[] => Array.from({ length: n }, () => 0)

/** One receipt: what its gateway signed, verified again here; its grant, if a gateway reported it; what its code means. @throws {ControlError} NOT_FOUND */
export async function readCall(context: Context, id: number) {
  const { org, atsign, role } = actorOf(context)
  const { db, ledger } = context.control
  const row = await db.prisma.receipt.findFirst({ where: { id: BigInt(id), org } })
  const owner = row && ledger.state?.identities.get(row.agent as never)?.owner
  if (!row || (role !== 'admin' && owner !== atsign)) throw new ControlError('NOT_FOUND', 'no such receipt')
  const [grant, policy, others] = await Promise.all([
    row.grantHash ? db.prisma.reportedGrant.findFirst({ where: { org, gateway: row.gateway, hash: row.grantHash } }) : null,
    row.policy ? policyNumber(context, row.policy) : undefined,
    row.grantHash ? db.prisma.receipt.count({ where: { org, grantHash: row.grantHash } }) : 0,
  ])
  const known = isRefusalCode(row.code) ? refusals[row.code] : undefined
  return {
    ...{
      id,
      gateway: row.gateway,
      agent: row.agent,
      server: row.server,
      tool: row.tool,
      code: row.code,
      status: row.status,
      rule: row.rule,
    },
    ...{ decision: decisionOf(row), at: secondsOf(row.startedAt), ended: secondsOf(row.endedAt), received_ms: row.receivedAt.getTime() },
    ms: row.tookMs === null ? null : Number(row.tookMs),
    ...{ grant_hash: row.grantHash, call_hash: row.callHash, policy: row.policy, policy_version: policy ?? null },
    meaning: known ? { title: known.title, fix: known.fix } : null,
    grant: grant
      ? { expires: secondsOf(grant.expiresAt), max: grant.maxCalls === null ? null : Number(grant.maxCalls), used: Number(grant.usedCalls) }
      : null,
    grant_calls: others,
    receipt: { jws: row.jws, hash: row.hash, epoch: row.epoch, rseq: Number(row.rseq), ...proofOf(context, row) },
  }
}

async function policyNumber({ control }: Context, sha256: string): Promise<number | undefined> {
  const { state } = control.ledger
  if (state?.policy?.sha256 !== sha256) return undefined
  return control.db.prisma.statement.count({ where: { org: state.org, op: 'policy.set' } })
}

/** What the signature says, now: the key of a gateway that has left still verifies what it signed, as long as the log knows it. */
function proofOf({ control }: Context, { jws, org }: Receipt): { verified: boolean; why?: string; payload: string } {
  const payload = JSON.stringify(
    parseStrictJson(decodeUtf8(decodeBase64url(jws.split('.')[1]!)), { maxBytes: 16_384, maxDepth: 8 }),
    null,
    2,
  )
  try {
    verifyReceipt(jws, keyResolver(control.ledger), { org, now: control.now(), suite: control.suite })
    return { verified: true, payload }
  } catch (error) {
    if (error instanceof VerifyError) return { verified: false, why: error.code, payload }
    throw error
  }
}

const SUGGESTED = ['agent', 'gateway', 'server', 'tool', 'code', 'rule'] as const
const SUGGEST_FROM = 20_000

/** Values that each key had in the newest calls of the last day, for suggestions; the most frequent first. */
export async function callFacets(context: Context): Promise<Record<CallKey, string[]>> {
  const { prisma } = context.control.db
  const where = joinSql(conditionsOf(context, '', { from: context.control.now() - 86_400 }), ' AND ')
  const rows = await prisma.$queryRaw<{ key: string; value: string }[]>`
    SELECT key, value FROM (
      SELECT key, value, row_number() OVER (PARTITION BY key ORDER BY count(*) DESC, value) AS place
      FROM (SELECT agent, gateway, server, tool, code, rule FROM receipts WHERE ${where} ORDER BY id DESC LIMIT ${SUGGEST_FROM}) AS r,
        LATERAL (VALUES ('agent', agent), ('gateway', gateway), ('server', server), ('tool', tool), ('code', code), ('rule', rule)) AS v(key, value)
      WHERE value IS NOT NULL GROUP BY 1, 2) AS ranked
    WHERE place <= 50 ORDER BY key, place`
  const found = Object.fromEntries(SUGGESTED.map((key) => [key, rows.filter((row) => row.key === key).map(({ value }) => value)]))
  const fixed = { decision: ['allow', 'deny', 'ask'], status: ['ok', 'error', 'not_run', 'unknown'], grant: [], ms: ['>200', '>1000'] }
  return { ...found, ...fixed } as unknown as Record<CallKey, string[]>
}
