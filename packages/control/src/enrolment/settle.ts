import type { Statement } from '@postern/core'
import { decodeBase64url, encodeBase64url, parseStatement, portableSignatures } from '@postern/core'
import type { Bus } from '../bus.ts'
import type { Transaction } from '../db/open.ts'

/** When a statement enrols what somebody here had asked for, the waiting request is told. */
export async function settleEnrolment(tx: Transaction, bus: Bus, statement: Statement, org: string, now: number): Promise<void> {
  const request = requestOf(statement)
  if (!request) return
  const hash = requestHash(decodeBase64url(request))
  const row = await tx.enrolment.findFirst({ where: { org, hash } })
  if (!row) return
  await tx.enrolment.update({ where: { id: row.id }, data: { status: 'enrolled', seq: statement.seq } })
  const data = { id: row.id, status: 'enrolled', atsign: row.atsign, kind: row.kind, seq: statement.seq }
  await bus.publish(tx, { org, kind: 'enrolment', to: row.owner ?? row.invitedBy, data }, now)
}

/** What somebody here had asked for, and these statement bytes would grant. */
export async function findAsked(tx: Pick<Transaction, 'enrolment'>, org: string, bytes: Uint8Array) {
  const request = requestOf(parseStatement(bytes))
  return request ? tx.enrolment.findFirst({ where: { org, hash: requestHash(decodeBase64url(request)) } }) : null
}

/** A refused statement refuses what was asked for with it: its code is used up, and whoever waits is told. */
export async function refuseAsked(
  tx: Transaction,
  bus: Bus,
  { org, bytes }: { org: string; bytes: Uint8Array },
  reason: string,
  now: number,
): Promise<void> {
  const row = await findAsked(tx, org, bytes)
  if (row?.status !== 'pending') return
  await tx.enrolment.update({ where: { id: row.id }, data: { status: 'refused', reason } })
  const data = { id: row.id, status: 'refused', atsign: row.atsign, kind: row.kind }
  await bus.publish(tx, { org, kind: 'enrolment', to: row.owner ?? row.invitedBy, data }, now)
}

const requestOf = ({ body }: Statement): string | undefined => ('request' in body ? body.request : undefined)

/** By which a request and the statement that grants it find each other. */
export const requestHash = (bytes: Uint8Array): string => encodeBase64url(portableSignatures.sha256(bytes))
