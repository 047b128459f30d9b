import type { Signature } from '@postern/core'
import { encodeBase64url } from '@postern/core'
import type { Control } from '../context.ts'
import type { Prisma, SigningRequest } from '../db/generated/client.ts'
import { ControlError } from '../errors.ts'
import { dateOf } from '../time.ts'
import { tellRequest } from './settle.ts'

/** A request as it is made. Bytes are missing only for an invite. */
export interface NewRequest {
  readonly org: string
  readonly kind: 'statement' | 'revocation' | 'invite'
  readonly op: string
  readonly createdBy: string
  readonly exp: number
  readonly seq?: number
  readonly hash?: string
  readonly bytes?: Uint8Array
  readonly signatures?: readonly Signature[]
  readonly invite?: object
}

export async function insertRequest({ db, bus, now, random }: Control, request: NewRequest): Promise<SigningRequest> {
  const { org, kind, op, createdBy, exp, seq, hash, bytes, signatures = [], invite } = request
  const data = {
    ...{ id: encodeBase64url(random(16)), org, kind, op, createdBy, createdAt: dateOf(now()), expiresAt: dateOf(exp) },
    ...{ seq: seq ?? null, hash: hash ?? null, bytes: bytes ? Uint8Array.from(bytes) : null },
    signatures: signatures as unknown as Prisma.InputJsonValue,
    ...(invite ? { invite: invite as Prisma.InputJsonValue } : {}),
  }
  return db.prisma.$transaction(async (tx) => {
    const row = await tx.signingRequest.create({ data })
    await tellRequest(tx, bus, row, 'open', now(), signatures.length)
    return row
  })
}

/** For whoever knows the id. @throws {ControlError} NOT_FOUND */
export async function findRequest({ db, ledger }: Control, id: string): Promise<SigningRequest> {
  const row = await db.prisma.signingRequest.findUnique({ where: { id } })
  if (!row || row.org !== ledger.org) throw new ControlError('NOT_FOUND', 'no such request')
  return row
}

/** @throws {ControlError} NOT_FOUND, ALREADY_DECIDED, GONE */
export async function findOpenRequest(control: Control, id: string): Promise<SigningRequest> {
  const row = await findRequest(control, id)
  if (row.status !== 'open') throw new ControlError('ALREADY_DECIDED', `this request is ${row.status} already`)
  if (row.expiresAt <= dateOf(control.now())) throw new ControlError('GONE', 'this request has expired', { fix: 'make it again' })
  return row
}
