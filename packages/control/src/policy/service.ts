import { parsePolicy, policyDigest, VerifyError } from '@postern/core'
import type { Context } from '../context.ts'
import { actorOf } from '../context.ts'
import type { Transaction } from '../db/open.ts'
import { ControlError } from '../errors.ts'
import { dateOf, secondsOf } from '../time.ts'

/**
 * Keeps the bytes of a policy that `policy.set` may name. Says nothing about which policy is in force: the log does.
 * @throws {VerifyError} WRONG_DIGEST, and what `parsePolicy` finds
 */
export async function putPolicy(context: Context, sha256: string, bytes: Uint8Array<ArrayBuffer>): Promise<{ sha256: string }> {
  const { org, atsign } = actorOf(context)
  const { control } = context
  if (policyDigest(bytes) !== sha256) throw new VerifyError('WRONG_DIGEST', `the bytes have SHA-256 ${policyDigest(bytes)}, not ${sha256}`)
  await keepPolicy(control.db.prisma, org, bytes, atsign, control.now())
  return { sha256 }
}

/** @throws {VerifyError} what `parsePolicy` finds */
export async function keepPolicy(tx: Pick<Transaction, 'policyDocument'>, org: string, bytes: Uint8Array, uploadedBy: string, now: number) {
  const { name } = parsePolicy(bytes)
  const sha256 = policyDigest(bytes)
  const data = { org, sha256, name, bytes: Uint8Array.from(bytes), uploadedBy, uploadedAt: dateOf(now) }
  await tx.policyDocument.upsert({ where: { org_sha256: { org, sha256 } }, create: data, update: {} })
}

/** @throws {ControlError} POLICY_MISSING: every gateway would wait for bytes that nobody has */
export async function requirePolicy(tx: Pick<Transaction, 'policyDocument'>, org: string, sha256: string) {
  if ((await tx.policyDocument.count({ where: { org, sha256 } })) > 0) return
  throw new ControlError('POLICY_MISSING', `nobody has handed in the policy with SHA-256 ${sha256}`, { fix: 'send it with the statement' })
}

/** The bytes that were handed in, if they were. */
export async function findDocument(tx: Pick<Transaction, 'policyDocument'>, org: string, sha256: string) {
  const row = await tx.policyDocument.findUnique({ where: { org_sha256: { org, sha256 } } })
  return row ? new Uint8Array(row.bytes) : undefined
}

/** The exact bytes. @throws {ControlError} NOT_FOUND */
export async function getPolicy(context: Context, sha256: string): Promise<Uint8Array<ArrayBuffer>> {
  const { org } = actorOf(context)
  const bytes = await findDocument(context.control.db.prisma, org, sha256)
  if (!bytes) throw new ControlError('NOT_FOUND', `no policy with SHA-256 ${sha256}`)
  return bytes
}

/** What was handed in, newest first, without the bytes. */
export async function listPolicies(context: Context) {
  const { org } = actorOf(context)
  const rows = await context.control.db.prisma.policyDocument.findMany({
    where: { org },
    omit: { bytes: true },
    orderBy: { uploadedAt: 'desc' },
    take: 200,
  })
  return rows.map(({ sha256, name, uploadedBy, uploadedAt }) => ({
    ...{ sha256, name, uploaded_at: secondsOf(uploadedAt) },
    ...(uploadedBy ? { uploaded_by: uploadedBy } : {}), // empty: it came with a statement whose carrier did not sign in
  }))
}
