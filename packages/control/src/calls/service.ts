import { tokenHash, verifyReceipt } from '@postern/core'
import type { z } from 'zod'
import { keyResolver } from '../auth/resolve-key.ts'
import type { Context } from '../context.ts'
import { actorOf } from '../context.ts'
import type { Prisma, Receipt } from '../db/generated/client.ts'
import { dateOf, secondsOf } from '../time.ts'
import { ingest } from './ingest.ts'
import type { listAnswer, listQuery } from './schema.ts'
import { MAX_RANGE_SECONDS } from './schema.ts'

type Row = Prisma.ReceiptCreateManyInput & { readonly index: number }

/**
 * Stores receipts of the asking gateway, each verified. One bad receipt does not keep the others out. Another receipt under a number that
 * is taken is refused with RECEIPT_CONFLICT: the gateway has told two stories, and the first one stays.
 */
export async function storeReceipts(context: Context, tokens: readonly string[]) {
  const { org, atsign } = actorOf(context)
  const { control } = context
  const now = control.now()
  const resolve = keyResolver(control.ledger)
  const { good, refused } = ingest(tokens, atsign, (token) => verifyReceipt(token, resolve, { org, now, suite: control.suite }))
  const rows: Row[] = good.map(({ index, token, value }) => ({
    ...{ index, org, gateway: atsign, epoch: value.epoch, rseq: BigInt(value.rseq), agent: value.agent, server: value.server },
    ...{ tool: value.tool ?? null, decision: value.decision, code: value.code, rule: value.rule ?? null, status: value.status },
    ...{ grantHash: value.gth ?? null, callHash: value.cth ?? null, policy: value.pol ?? null },
    ...{ startedAt: dateOf(value.t0), endedAt: dateOf(value.t1), tookMs: value.ms === undefined ? null : BigInt(value.ms) },
    ...{ jws: token, hash: tokenHash(token), receivedAt: dateOf(now) },
  }))
  const stored = await insert(context, rows)
  const conflicts = await findConflicts(context, rows)
  for (const index of conflicts) refused.push({ index, code: 'RECEIPT_CONFLICT' })
  return { stored, known: rows.length - stored - conflicts.length, refused: refused.sort((a, b) => a.index - b.index) }
}

async function insert({ control, ...rest }: Context, rows: readonly Row[]): Promise<number> {
  const { org, atsign } = actorOf({ control, ...rest })
  if (rows.length === 0) return 0
  return control.db.prisma.$transaction(async (tx) => {
    const { count } = await tx.receipt.createMany({ data: rows.map(({ index: _, ...row }) => row), skipDuplicates: true })
    if (count > 0) await control.bus.publish(tx, { org, kind: 'receipt', data: { gateway: atsign, count } }, control.now())
    return count
  })
}

/** Positions of receipts that are not what is stored under their number. */
async function findConflicts(context: Context, rows: readonly Row[]): Promise<number[]> {
  if (rows.length === 0) return []
  const { org, atsign } = actorOf(context)
  const where = { org, gateway: atsign, rseq: { in: rows.map(({ rseq }) => BigInt(rseq)) } }
  const stored = await context.control.db.prisma.receipt.findMany({ where, select: { epoch: true, rseq: true, hash: true } })
  const hashes = new Map(stored.map(({ epoch, rseq, hash }) => [`${epoch} ${rseq}`, hash]))
  return rows.filter(({ epoch, rseq, hash }) => hashes.get(`${epoch} ${rseq}`) !== hash).map(({ index }) => index)
}

/** Newest first, within a range of dates. Administrators see all; people what their own agents did. */
export async function listReceipts(context: Context, query: z.output<typeof listQuery>) {
  const { org, atsign, role } = actorOf(context)
  const { control } = context
  const to = query.to ?? control.now() + 1
  const from = Math.max(query.from ?? to - 86_400, to - MAX_RANGE_SECONDS)
  const own =
    role === 'admin' ? [] : [...control.ledger.state!.identities.values()].filter(({ owner }) => owner === atsign).map((a) => a.atsign)
  const { gateway, agent, server, tool, decision, code, cth, cursor, limit = 100 } = query
  const exact = Object.entries({ gateway, server, tool, decision, code, callHash: cth }).filter(([, value]) => value !== undefined)
  const where: Prisma.ReceiptWhereInput = {
    ...{ org, startedAt: { gte: dateOf(from), lt: dateOf(to) } },
    ...Object.fromEntries(exact),
    AND: [...(agent ? [{ agent }] : []), ...(role === 'admin' ? [] : [{ agent: { in: own } }])],
    ...(cursor === undefined ? {} : { id: { lt: BigInt(cursor) } }),
  }
  const rows = await control.db.prisma.receipt.findMany({ where, orderBy: { id: 'desc' }, take: limit })
  return { receipts: rows.map(shown), next: rows.length === limit ? Number(rows.at(-1)!.id) : null }
}

function shown(row: Receipt): z.input<typeof listAnswer>['receipts'][number] {
  const optional = { tool: row.tool, rule: row.rule, gth: row.grantHash, cth: row.callHash, pol: row.policy }
  return {
    ...{ id: Number(row.id), gateway: row.gateway, epoch: row.epoch, rseq: Number(row.rseq), agent: row.agent, server: row.server },
    ...{ decision: row.decision as 'allow' | 'deny', code: row.code, status: row.status },
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== null)),
    ...{ t0: secondsOf(row.startedAt), t1: secondsOf(row.endedAt), jws: row.jws },
    ...(row.tookMs === null ? {} : { ms: Number(row.tookMs) }),
  }
}
