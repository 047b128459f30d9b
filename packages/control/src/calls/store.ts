import type { Receipt } from '@postern/core'
import type { Context } from '../context.ts'
import { actorOf } from '../context.ts'
import type { Transaction } from '../db/open.ts'
import { dateOf } from '../time.ts'

/** A receipt as the columns of its table, in their names there: written by hand, because every call of every agent ends in one. */
export type ReceiptRow = ReturnType<typeof rowOf>

export function rowOf(receipt: Receipt, jws: string, hash: string, now: number) {
  const { epoch, rseq, agent, server, tool, decision, code, rule, status, gth, cth, t0, t1, ms, pol, org, iss } = receipt
  return {
    ...{ org, gateway: iss, epoch, rseq, agent, server, tool, decision, code, rule, status, policy: pol },
    ...{ grant_hash: gth, call_hash: cth, started_at: dateOf(t0), ended_at: dateOf(t1), took_ms: ms },
    ...{ hash, jws, received_at: dateOf(now) },
  }
}

export interface Inserted {
  readonly stored: number
  /** Positions of receipts that are not what is stored under their number. */
  readonly conflicts: readonly number[]
}

export async function insertReceipts(
  context: Context,
  receipts: readonly { readonly index: number; readonly row: ReceiptRow }[],
): Promise<Inserted> {
  if (receipts.length === 0) return { stored: 0, conflicts: [] }
  const { org, atsign } = actorOf(context)
  const { db, bus, now } = context.control
  const written = await db.prisma.$transaction(async (tx) => {
    const names = await insert(
      tx,
      receipts.map(({ row }) => row),
    )
    const data = { gateway: atsign, count: names.size }
    if (names.size > 0) await bus.publish(tx, { org, kind: 'receipt', data }, now())
    return names
  })
  const others = receipts.filter(({ row }) => !written.delete(nameOf(row))) // deleted: the second of two in one batch is not the written one
  const known =
    others.length > 0
      ? await hashesOf(
          context,
          others.map(({ row }) => row),
        )
      : new Map<string, string>()
  const conflicts = others.filter(({ row }) => known.get(nameOf(row)) !== row.hash).map(({ index }) => index)
  return { stored: receipts.length - others.length, conflicts }
}

const nameOf = ({ epoch, rseq }: { epoch: string; rseq: number | bigint }) => `${epoch} ${rseq}`

/** @returns what was written; the rest was there. */
async function insert(tx: Transaction, rows: readonly ReceiptRow[]): Promise<Set<string>> {
  const written = await tx.$queryRaw<{ epoch: string; rseq: bigint }[]>`
    INSERT INTO receipts (org, gateway, epoch, rseq, agent, server, tool, decision, code, rule, status, policy, grant_hash, call_hash,
      started_at, ended_at, took_ms, hash, jws, received_at)
    SELECT org, gateway, epoch, rseq, agent, server, tool, decision, code, rule, status, policy, grant_hash, call_hash,
      started_at, ended_at, took_ms, hash, jws, received_at
    FROM json_populate_recordset(NULL::receipts, ${JSON.stringify(rows)}::json)
    ON CONFLICT DO NOTHING RETURNING epoch, rseq`
  return new Set(written.map(nameOf))
}

async function hashesOf(context: Context, rows: readonly ReceiptRow[]): Promise<Map<string, string>> {
  const { org, atsign } = actorOf(context)
  const where = { org, gateway: atsign, rseq: { in: rows.map(({ rseq }) => BigInt(rseq)) } }
  const stored = await context.control.db.prisma.receipt.findMany({ where, select: { epoch: true, rseq: true, hash: true } })
  return new Map(stored.map((row) => [nameOf(row), row.hash]))
}
