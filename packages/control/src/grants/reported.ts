import type { z } from 'zod'
import type { Prisma } from '../db/generated/client.ts'
import type { Transaction } from '../db/open.ts'
import type { reportedGrant } from '../fleet/schema.ts'
import { dateOf } from '../time.ts'

type Reported = z.output<typeof reportedGrant>

/** No gateway can give a longer one, whatever it says. */
const MAX_SECONDS = 600

/**
 * Takes up what a gateway says is out. Grants that it no longer names have ended before their time; those whose time is over stay as they
 * were last seen, for a day. @returns whether anything is different
 */
export async function storeGrants(
  tx: Transaction,
  { org, gateway }: { org: string; gateway: string },
  grants: readonly Reported[],
  now: number,
): Promise<boolean> {
  const reportedAt = new Date()
  const live = grants.filter(({ iat, exp }) => exp > now && exp <= iat + MAX_SECONDS && iat <= now + MAX_SECONDS)
  const known = await tx.reportedGrant.findMany({
    where: { org, gateway, expiresAt: { gt: dateOf(now) }, endedAt: null },
    select: { hash: true, usedCalls: true },
  })
  const uses = new Map(known.map(({ hash, usedCalls }) => [hash, usedCalls]))
  const fresh = live.filter(({ gth }) => !uses.has(gth))
  const used = live.filter(({ gth, used }) => uses.has(gth) && uses.get(gth) !== BigInt(used))
  const named = new Set(live.map(({ gth }) => gth))
  const gone = known.filter(({ hash }) => !named.has(hash)).map(({ hash }) => hash)
  if (fresh.length > 0) {
    await tx.reportedGrant.createMany({ data: fresh.map((grant) => rowOf(org, gateway, grant, reportedAt)), skipDuplicates: true })
  }
  for (const { gth, used: calls } of used) {
    await tx.reportedGrant.update({
      where: { org_gateway_hash: { org, gateway, hash: gth } },
      data: { usedCalls: BigInt(calls), reportedAt },
    })
  }
  if (gone.length > 0) await tx.reportedGrant.updateMany({ where: { org, gateway, hash: { in: gone } }, data: { endedAt: reportedAt } })
  return fresh.length + used.length + gone.length > 0
}

const rowOf = (org: string, gateway: string, { gth, agent, tools, iat, exp, max, used }: Reported, reportedAt: Date) => ({
  ...{ org, gateway, hash: gth, agent, tools: tools as unknown as Prisma.InputJsonValue, reportedAt },
  ...{ issuedAt: dateOf(iat), expiresAt: dateOf(exp), maxCalls: max === undefined ? null : BigInt(max), usedCalls: BigInt(used) },
})
