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
import { insertReceipts, rowOf } from './store.ts'

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
  const rows = good.map(({ index, token, value }) => ({ index, row: rowOf(value, token, tokenHash(token, control.suite), now) }))
  const { stored, conflicts } = await insertReceipts(context, rows)
  for (const index of conflicts) refused.push({ index, code: 'RECEIPT_CONFLICT' })
  return { stored, known: rows.length - stored - conflicts.length, refused: refused.sort((a, b) => a.index - b.index) }
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
