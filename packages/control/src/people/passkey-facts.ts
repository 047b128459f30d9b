import type { Signature, Statement } from '@postern/core'
import { decodeBase64url, parseStatement } from '@postern/core'
import type { Control } from '../context.ts'

/** Statements in which passkeys prove themselves for the first time. */
const PROVING = ['genesis', 'admin.add', 'person.enroll', 'identity.rotate', 'recovery.use']
/** Of authenticator data (WebAuthn §6.1): behind the hash of the rpId, and the bit that says that the key may be copied to other devices. */
const FLAGS_AT = 32
const BACKUP_ELIGIBLE = 0x08

const known = new WeakMap<Control, { org: string; seq: number; synced: ReadonlyMap<string, boolean> }>()

/**
 * Key id → whether the passkey may live on several devices, as its authenticator said when it proved itself. Read from the log, which was
 * verified when it was stored; kept until the log grows.
 */
export async function syncedPasskeys(control: Control): Promise<ReadonlyMap<string, boolean>> {
  const { org, state } = control.ledger
  const cached = known.get(control)
  if (!org || !state) return new Map()
  if (cached?.org === org && cached.seq === state.seq) return cached.synced
  const from = cached?.org === org ? cached.seq + 1 : 0
  const rows = await control.db.prisma.statement.findMany({
    where: { org, op: { in: PROVING }, seq: { gte: from, lte: state.seq } },
    orderBy: { seq: 'asc' },
    select: { bytes: true, signatures: true },
  })
  const synced = new Map(cached?.org === org ? cached.synced : [])
  for (const { bytes, signatures } of rows) {
    const proofs = proofsOf(parseStatement(new Uint8Array(bytes)))
    for (const { kid, authenticator_data: data } of [...(signatures as unknown as Signature[]), ...proofs]) {
      if (data !== undefined) synced.set(kid, ((decodeBase64url(data)[FLAGS_AT] ?? 0) & BACKUP_ELIGIBLE) !== 0)
    }
  }
  known.set(control, { org, seq: state.seq, synced })
  return synced
}

const proofsOf = ({ body }: Statement): readonly Signature[] => ('proofs' in body ? (body.proofs as readonly Signature[]) : [])
