import { policyDigest, utf8 } from '@postern/core'
import type { Transaction } from '../db/open.ts'

/** A draft whose very bytes came into force has served its purpose. */
export async function settleDrafts(tx: Transaction, org: string, sha256: string): Promise<void> {
  const rows = await tx.policyDraft.findMany({ where: { org } })
  const names = rows.filter(({ text }) => policyDigest(utf8(text)) === sha256).map(({ name }) => name)
  await tx.policyDraft.deleteMany({ where: { org, name: { in: names } } })
}
