import { tokenHash, verifyAck } from '@postern/core'
import type { z } from 'zod'
import { keyResolver } from '../auth/resolve-key.ts'
import { ingest } from '../calls/ingest.ts'
import type { Context } from '../context.ts'
import { actorOf } from '../context.ts'
import type { Ack } from '../db/generated/client.ts'
import { dateOf, secondsOf } from '../time.ts'
import type { listAnswer, listQuery } from './schema.ts'

/** Stores what the asking gateway says it applied. One bad ack does not keep the others out. */
export async function acknowledge(context: Context, tokens: readonly string[]) {
  const { org, atsign } = actorOf(context)
  const { control } = context
  const now = control.now()
  const { good, refused } = ingest(tokens, atsign, (token) =>
    verifyAck(token, keyResolver(control.ledger), { org, now, suite: control.suite }),
  )
  const data = good.map(({ token, value: { seq, head, revocations, epoch, at } }) => ({
    ...{ org, gateway: atsign, seq, head, epoch, at: dateOf(at), jws: token, hash: tokenHash(token) },
    ...{ revocationCount: revocations.count, revocationDigest: revocations.digest, receivedAt: new Date() },
  }))
  const stored = await control.db.prisma.$transaction(async (tx) => {
    await control.bus.order(tx)
    const { count } = await tx.ack.createMany({ data, skipDuplicates: true })
    const latest = data.at(-1)
    const fact = latest && { gateway: atsign, seq: latest.seq, head: latest.head, revocations: latest.revocationCount }
    if (count > 0 && fact) await control.bus.publish(tx, { org, kind: 'ack', data: fact }, now)
    return count
  })
  return { stored, known: good.length - stored, refused }
}

/** The latest of each gateway, or the history of one; with the signed bytes, so that the reader need not believe us. */
export async function listAcks(context: Context, { gateway, after = 0, limit = 200 }: z.output<typeof listQuery>) {
  const { org } = actorOf(context)
  const { prisma } = context.control.db
  const rows = gateway
    ? await prisma.ack.findMany({ where: { org, gateway, id: { gt: BigInt(after) } }, orderBy: { id: 'asc' }, take: limit })
    : await prisma.ack.findMany({ where: { org }, distinct: ['gateway'], orderBy: [{ gateway: 'asc' }, { id: 'desc' }], take: limit })
  return { acks: rows.map(shown) }
}

const shown = (row: Ack): z.input<typeof listAnswer>['acks'][number] => ({
  ...{ id: Number(row.id), gateway: row.gateway, seq: row.seq, head: row.head, epoch: row.epoch, at: secondsOf(row.at) },
  revocations: { count: row.revocationCount, digest: row.revocationDigest },
  ...{ received_ms: row.receivedAt.getTime(), jws: row.jws },
})
