import type { Signature, Signed } from '@postern/core'
import { encodeBase64url, linkHash, neededFor, parseStatement, VerifyError } from '@postern/core'
import type { z } from 'zod'
import { appendSigned } from '../authority/service.ts'
import type { Context } from '../context.ts'
import { actorOf } from '../context.ts'
import type { Prisma, SigningRequest } from '../db/generated/client.ts'
import { ControlError } from '../errors.ts'
import type { SignedText } from '../fields.ts'
import { readSigned } from '../fields.ts'
import { dateOf, secondsOf } from '../time.ts'
import type { request, requestAnswer } from './schema.ts'

/**
 * Keeps a statement that wants more signatures. Complete at once, it is appended. It becomes authority by its signatures alone: edges
 * count them again.
 * @throws {ControlError} CONFLICT when its place in the log is not the next one
 * @throws {VerifyError} what core finds; BAD_SIGNATURE for a signature that counts for nothing
 */
export async function createRequest(context: Context, input: SignedText): Promise<z.input<typeof requestAnswer>> {
  const signed = readSigned(input)
  const { seq, op, nva } = parseStatement(signed.bytes)
  const { org, atsign } = actorOf(context)
  const { control } = context
  const hash = linkHash(signed.bytes)
  const known = await control.db.prisma.signingRequest.findUnique({ where: { org_hash: { org, hash } } })
  if (known) return addSignatures(context, known.id, signed.signatures)
  checkEachCounts(context, signed)
  const now = control.now()
  const id = encodeBase64url(control.random(16))
  const stored = { bytes: Uint8Array.from(signed.bytes), signatures: signed.signatures as unknown as Prisma.InputJsonValue }
  const times = { createdAt: dateOf(now), expiresAt: dateOf(nva) }
  await control.db.prisma.$transaction(async (tx) => {
    await tx.signingRequest.create({ data: { id, org, seq, hash, op, createdBy: atsign, ...stored, ...times } })
    await control.bus.publish(tx, { org, kind: 'request', data: { id, seq, op, status: 'open' } }, now)
  })
  return finish(context, id, signed, { seq, hash })
}

/** @throws {ControlError} NOT_FOUND, ALREADY_DECIDED; as `createRequest` */
export async function addSignatures(context: Context, id: string, added: readonly Signature[]): Promise<z.input<typeof requestAnswer>> {
  const { org } = actorOf(context)
  const { control } = context
  const row = await findOpen(context, id)
  const bytes = new Uint8Array(row.bytes)
  checkEachCounts(context, { bytes, signatures: added })
  const signatures = await control.db.prisma.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM signing_requests WHERE id = ${id} FOR UPDATE`
    const { signatures: before } = await tx.signingRequest.findUniqueOrThrow({ where: { id } })
    const merged = merge(before as unknown as Signature[], added)
    await tx.signingRequest.update({ where: { id }, data: { signatures: merged as unknown as Prisma.InputJsonValue } })
    await control.bus.publish(tx, { org, kind: 'request', data: { id, seq: row.seq, op: row.op, status: 'open' } }, control.now())
    return merged
  })
  return finish(context, id, { bytes, signatures }, row)
}

const merge = (before: readonly Signature[], added: readonly Signature[]): Signature[] => [
  ...before,
  ...added.filter(({ kid }) => !before.some((other) => other.kid === kid)),
]

async function findOpen({ control, ...context }: Context, id: string): Promise<SigningRequest> {
  const { org } = actorOf({ control, ...context })
  const row = await control.db.prisma.signingRequest.findFirst({ where: { id, org } })
  if (!row) throw new ControlError('NOT_FOUND', 'no such request')
  if (row.status !== 'open') throw new ControlError('ALREADY_DECIDED', `this request is ${row.status} already`)
  return row
}

/** Core ignores signatures that count for nothing; here they are refused, so that a person learns of it and nothing piles up. */
function checkEachCounts({ control }: Context, { bytes, signatures }: Signed) {
  const { state } = control.ledger
  if (!state) throw new ControlError('NOT_FOUND', 'there is no organisation here yet')
  const { seq, ...statement } = parseStatement(bytes)
  if (!('prev' in statement) || seq !== state.seq + 1 || statement.prev !== state.head) {
    const fix = 'read the log, sign again for the new head'
    throw new ControlError('CONFLICT', 'this is not the next place in the log', { fix, details: { head: control.ledger.head() } })
  }
  for (const signature of signatures) {
    const { parts } = neededFor({ bytes, signatures: [signature] }, state, control.suite)
    const counts = parts.some((part) => (part.by === 'key' ? part.met : part.signed.length > 0))
    if (!counts) throw new VerifyError('BAD_SIGNATURE', `the signature of ${signature.kid} counts for nothing here`)
  }
}

async function finish(context: Context, id: string, signed: Signed, { seq, hash }: { seq: number; hash: string }) {
  const { state } = context.control.ledger
  const isComplete = state?.seq === seq - 1 && neededFor(signed, state, context.control.suite).complete
  if (!isComplete) return { id, status: 'open' as const, seq, hash }
  await appendSigned(context, signed)
  return { id, status: 'complete' as const, seq, hash }
}

export async function listRequests(context: Context) {
  const { org } = actorOf(context)
  const rows = await context.control.db.prisma.signingRequest.findMany({ where: { org }, orderBy: { createdAt: 'desc' }, take: 100 })
  return { requests: rows.map((row) => shown(context, row)) }
}

/** For whoever knows the id. @throws {ControlError} NOT_FOUND */
export async function getRequest(context: Context, id: string) {
  const row = await context.control.db.prisma.signingRequest.findUnique({ where: { id } })
  if (!row) throw new ControlError('NOT_FOUND', 'no such request')
  return shown(context, row)
}

function shown({ control }: Context, row: SigningRequest): z.input<typeof request> {
  const bytes = new Uint8Array(row.bytes)
  const signatures = row.signatures as unknown as Signature[]
  const { state } = control.ledger
  const isExpired = row.status === 'open' && row.expiresAt <= dateOf(control.now())
  const isNext = row.status === 'open' && !isExpired && state?.seq === row.seq - 1
  const needed = isNext ? neededFor({ bytes, signatures }, state, control.suite).parts : undefined
  return {
    ...{ id: row.id, seq: row.seq, hash: row.hash, op: row.op, created_by: row.createdBy },
    status: isExpired ? 'expired' : (row.status as 'open'),
    ...{ bytes: encodeBase64url(bytes), signatures, created: secondsOf(row.createdAt), exp: secondsOf(row.expiresAt) },
    ...(row.reason ? { reason: row.reason } : {}),
    ...(needed ? { needed: needed.map((part) => ({ ...part })) as NonNullable<z.input<typeof request>['needed']> } : {}),
  }
}

/** Takes a waiting statement off the list. Whoever has signed can still hand it in elsewhere: signatures are not taken back. */
export async function refuseRequest(context: Context, id: string, reason: string) {
  const { org } = actorOf(context)
  const { control } = context
  const row = await findOpen(context, id)
  await control.db.prisma.$transaction(async (tx) => {
    await tx.signingRequest.updateMany({ where: { id, status: 'open' }, data: { status: 'refused', reason } })
    await control.bus.publish(tx, { org, kind: 'request', data: { id, seq: row.seq, op: row.op, status: 'refused' } }, control.now())
  })
  return { ok: true as const }
}
