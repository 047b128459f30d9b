import type { SignedJson } from '@postern/core'
import { decodeBase64url } from '@postern/core'
import { Prisma } from '../db/generated/client.ts'
import type { Transaction } from '../db/open.ts'
import type { Head } from './ledger.ts'

/** A unique index refused the row: somebody else was first. Only this decides a race, on any number of replicas. */
export const isDuplicate = (error: unknown): boolean => error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002'

export async function storeStatement(tx: Transaction, org: string, { seq, hash }: Head, op: string, signed: SignedJson) {
  const bytes = Uint8Array.from(decodeBase64url(signed.bytes))
  const signatures = signed.signatures as unknown as Prisma.InputJsonValue
  await tx.statement.create({ data: { org, seq, hash, op, bytes, signatures, receivedAt: new Date() } })
}
