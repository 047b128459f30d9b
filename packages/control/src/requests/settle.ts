import type { Head } from '../authority/ledger.ts'
import type { Bus } from '../bus.ts'
import type { SigningRequest } from '../db/generated/client.ts'
import type { Transaction } from '../db/open.ts'

export type RequestStatus = 'open' | 'complete' | 'superseded' | 'refused' | 'expired'
type Told = Pick<SigningRequest, 'id' | 'org' | 'kind' | 'op' | 'seq' | 'createdBy'>

/** Tells whoever drafted it, and administrators, what became of it, or how many have signed. */
export const tellRequest = (tx: Transaction, bus: Bus, row: Told, status: RequestStatus, now: number, signed?: number): Promise<void> =>
  bus.publish(
    tx,
    {
      ...{ org: row.org, kind: 'request', to: row.createdBy },
      data: {
        ...{ id: row.id, kind: row.kind, op: row.op, status },
        ...(row.seq === null ? {} : { seq: row.seq }),
        ...(signed === undefined ? {} : { signed }),
      },
    },
    now,
  )

/** Once a place in the log is taken, the statement that took it is complete and all others for it are void. */
export async function settleRequests(tx: Transaction, bus: Bus, org: string, { seq, hash }: Head, now: number): Promise<void> {
  for (const row of await tx.signingRequest.findMany({ where: { org, seq: { lte: seq }, status: 'open' } }))
    await settle(tx, bus, row, row.hash === hash ? 'complete' : 'superseded', now)
}

/** A revocation that is held needs no more signatures, whichever way it came. */
export async function settleRevocation(tx: Transaction, bus: Bus, org: string, hash: string, now: number): Promise<void> {
  for (const row of await tx.signingRequest.findMany({ where: { org, hash, kind: 'revocation', status: 'open' } }))
    await settle(tx, bus, row, 'complete', now)
}

async function settle(tx: Transaction, bus: Bus, row: SigningRequest, status: 'complete' | 'superseded', now: number) {
  await tx.signingRequest.update({ where: { id: row.id }, data: { status } })
  await tellRequest(tx, bus, row, status, now)
}
