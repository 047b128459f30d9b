import type { Signature } from '@postern/core'
import { addRevocation, encodeBase64url, revocationHash } from '@postern/core'
import { isDuplicate } from '../authority/store.ts'
import type { Context, Control } from '../context.ts'
import { actorOf } from '../context.ts'
import type { Prisma } from '../db/generated/client.ts'
import { ControlError } from '../errors.ts'
import type { SignedText } from '../fields.ts'
import { readSigned } from '../fields.ts'
import { limited } from '../limiter.ts'
import { settleRevocation } from '../requests/settle.ts'

/**
 * Takes up a signed revocation and pushes it to every event stream. It works at each edge by its signature; here it also ends sessions
 * and streams. It carries its own authority: whoever brings it may. Sending it again is answered like the first time.
 * @throws {VerifyError} what core finds: NOT_ENTITLED, UNKNOWN_TARGET, …
 */
export async function revoke({ control, principal }: Context, input: SignedText) {
  const add = () => addSigned(control, input)
  return principal.role === 'anyone' ? limited(control.limits.strangers, add) : add()
}

async function addSigned(control: Control, input: SignedText) {
  const { ledger, bus, db, suite } = control
  await ledger.refresh()
  const { state, revocations } = ledger
  if (!state) throw new ControlError('NOT_FOUND', 'there is no organisation here yet')
  const signed = readSigned(input)
  const hash = revocationHash(signed.bytes)
  addRevocation(revocations, signed, state, suite)
  if (revocations.held.has(hash)) return { hash }
  const now = control.now()
  const stored = { bytes: Uint8Array.from(signed.bytes), signatures: signed.signatures as unknown as Prisma.InputJsonValue }
  const data = { org: state.org, hash, ...stored, receivedAt: new Date() }
  try {
    await db.prisma.$transaction(async (tx) => {
      await bus.order(tx)
      await tx.revocation.create({ data })
      await settleRevocation(tx, bus, state.org, hash, now)
      await bus.publish(tx, { org: state.org, kind: 'revocation', data: { ...input } }, now)
    })
  } catch (error) {
    if (!isDuplicate(error)) throw error // another replica had it first
  }
  await ledger.refresh()
  return { hash }
}

/** As they were signed, oldest first. Does NOT verify: the reader does. */
export async function listRevocations(
  context: Context,
  { after = 0, limit = 256 }: { after?: number | undefined; limit?: number | undefined },
) {
  const { org } = actorOf(context)
  const where = { org, id: { gt: BigInt(after) } }
  const rows = await context.control.db.prisma.revocation.findMany({ where, orderBy: { id: 'asc' }, take: limit })
  const revocations = rows.map(({ hash, bytes, signatures }) => ({
    ...{ hash, bytes: encodeBase64url(new Uint8Array(bytes)) },
    signatures: signatures as unknown as Signature[],
  }))
  return { revocations, next: rows.length === limit ? Number(rows.at(-1)!.id) : null }
}

/** One as it was signed: what `postern gateway apply` takes as a file. @throws {ControlError} NOT_FOUND */
export async function getRevocation(context: Context, hash: string) {
  const { org } = actorOf(context)
  const row = await context.control.db.prisma.revocation.findUnique({ where: { org_hash: { org, hash } } })
  if (!row) throw new ControlError('NOT_FOUND', 'no such revocation')
  return { hash, bytes: encodeBase64url(new Uint8Array(row.bytes)), signatures: row.signatures as unknown as Signature[] }
}
