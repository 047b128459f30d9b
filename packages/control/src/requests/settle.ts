import type { Head } from '../authority/ledger.ts'
import type { Transaction } from '../db/open.ts'

/** Once a place in the log is taken, the statement that took it is complete and all others for it are void. */
export async function settleRequests(tx: Transaction, org: string, { seq, hash }: Head): Promise<void> {
  await tx.signingRequest.updateMany({ where: { org, hash, status: 'open' }, data: { status: 'complete' } })
  await tx.signingRequest.updateMany({ where: { org, seq: { lte: seq }, status: 'open' }, data: { status: 'superseded' } })
}
