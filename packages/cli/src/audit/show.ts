import type { Receipt } from '@postern/core'
import { syncAuthority } from '../authority/authority.ts'
import type { Context } from '../context.ts'
import { atSignOf, integerOf, toolOf } from '../inputs.ts'
import type { CellLike } from '../output/cell.ts'
import { cell, shortId, state as stateCell, when } from '../output/cell.ts'
import type { Report } from '../output/report.ts'
import type { SignedIn } from '../profile/person.ts'
import type { Options } from '../run.ts'
import { now } from '../surroundings.ts'
import { headlineOf, walkLog } from './log-walk.ts'
import type { ListedReceipt, ReadReceipt } from './receipt-page.ts'
import { gapsOnPage, readReceipts } from './receipt-page.ts'
import { sinceOf } from './since.ts'

const limitOf = ({ limit }: Options) => integerOf(limit, '--limit', 1, 500)

/** Statements of the log, newest first: what each says, and whose signatures counted. */
export async function showStatements(context: Context, { dir, profile, client }: SignedIn, options: Options): Promise<Report> {
  const { entries: log, warnings } = await syncAuthority(dir, profile.org, client)
  for (const warning of warnings) context.warn(warning)
  const since = sinceOf(options.since, now()) ?? 0
  const before = options.cursor === undefined ? Number.POSITIVE_INFINITY : integerOf(options.cursor, '--cursor', 0, 999_999_999)
  const found = walkLog(profile.org, log)
    .entries.filter(({ seq, at }) => seq < before && at >= since)
    .reverse()
  const entries = found.slice(0, limitOf(options))
  return {
    schema: 'audit.show.statements',
    data: entries.map(({ signedBy, ...entry }) => ({ ...entry, headline: headlineOf({ signedBy, ...entry }), signed_by: signedBy })),
    next: found.length > entries.length ? String(entries.at(-1)!.seq) : undefined,
    ids: entries.map(({ hash }) => hash),
    table: {
      columns: ['statement', 'when', 'kind', 'signed by', 'says'],
      rows: entries.map((entry) => [entry.seq, when(entry.at), entry.op, entry.signedBy, headlineOf(entry)]),
      empty: 'no statement in that time',
    },
  }
}

interface Page {
  readonly receipts: readonly ListedReceipt[]
  readonly next: number | null
}

/** Receipts of calls, newest first. Shown is what the gateway signed; a receipt that does not verify ends the command with exit code 8. */
export async function showReceipts(context: Context, { dir, profile, client }: SignedIn, options: Options): Promise<Report> {
  const { state, warnings } = await syncAuthority(dir, profile.org, client)
  for (const warning of warnings) context.warn(warning)
  const filters = filtersOf(options, state.servers.keys())
  const { receipts: listed, next } = await client.call<Page>(`/api/v1/receipts?${queryOf(filters, options)}`)
  const page = readReceipts(listed, state)
  const isAdmin = state.identities.get(profile.atsign as never)?.admin === true
  if (isAdmin && filters.size === 0) for (const gap of gapsOnPage(page)) context.warn(`${gap} here; postern audit verify looks everywhere`)
  const bad = page.filter(({ problem }) => problem)
  return {
    schema: 'audit.show.receipts',
    data: page.map(dataOf),
    next: next === null ? undefined : String(next),
    ids: page.map(({ hash }) => hash),
    table: {
      columns: ['when', 'agent', 'tool', 'decision', 'code', 'outcome', 'took', 'rule', 'gateway', 'receipt', 'signature'],
      rows: page.map(rowOf),
      empty: 'no call in that time; --since 7d looks further back',
    },
    hints: next === null ? [] : [`→ the next page: --cursor ${next}`],
    exit: bad.length > 0 ? 'verification' : 'done',
  }
}

function filtersOf({ agent, tool, gateway, decision, code }: Options, servers: Iterable<string>): ReadonlyMap<string, string> {
  const parts = tool?.includes('.') ? toolOf(tool, servers) : { tool }
  const given = { agent: agent && atSignOf(agent), gateway: gateway && atSignOf(gateway), decision, code, ...parts }
  return new Map(Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== undefined))
}

function queryOf(filters: ReadonlyMap<string, string>, options: Options): URLSearchParams {
  const query = new URLSearchParams([...filters])
  const since = sinceOf(options.since, now())
  query.set('limit', String(limitOf(options)))
  if (since !== undefined) query.set('from', String(since))
  if (options.cursor !== undefined) query.set('cursor', String(options.cursor))
  return query
}

const dataOf = ({ id, hash, receipt, isLive, problem }: ReadReceipt) => ({
  ...{ id, hash, verified: problem === undefined, problem: problem ?? null, key_live: isLive ?? null },
  ...(receipt ?? {}),
})

const PROBLEM_COLUMNS = 9

function rowOf({ hash, receipt, isLive, problem }: ReadReceipt): readonly CellLike[] {
  if (!receipt) return [...Array<CellLike>(PROBLEM_COLUMNS).fill(undefined), shortId(hash), cell(`unverified ${problem}`, `✕ ${problem}`)]
  const { t0, agent, decision, code, status, ms, rule, iss, rseq } = receipt
  return [
    ...[when(t0), agent, toolText(receipt), stateCell(decision), code, status, ms === undefined ? undefined : cell(String(ms), `${ms} ms`)],
    ...[rule, iss, rseq, isLive ? stateCell('verified') : cell('verified, key ended')],
  ]
}

const toolText = ({ server, tool }: Receipt) => `${server}.${tool ?? '?'}`
