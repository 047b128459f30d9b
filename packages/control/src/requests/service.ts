import type { Bodies, Signature, Signed } from '@postern/core'
import {
  addRevocation,
  decodeBase64url,
  encodeBase64url,
  encodeSigned,
  linkHash,
  neededFor,
  parseStatement,
  VerifyError,
} from '@postern/core'
import type { z } from 'zod'
import { appendSigned } from '../authority/service.ts'
import type { Context } from '../context.ts'
import { actorOf } from '../context.ts'
import type { Prisma, SigningRequest } from '../db/generated/client.ts'
import { findAsked, refuseAsked } from '../enrolment/settle.ts'
import { ControlError } from '../errors.ts'
import type { SignedText } from '../fields.ts'
import { readSignatures, readSigned } from '../fields.ts'
import { limited } from '../limiter.ts'
import { revoke } from '../revocations/service.ts'
import { dateOf, secondsOf } from '../time.ts'
import type { invite, request, requestAnswer, signInput } from './schema.ts'
import { settleRevocation, tellRequest } from './settle.ts'
import { findOpenRequest, findRequest, insertRequest } from './store.ts'

type Answer = z.input<typeof requestAnswer>

/**
 * Keeps a statement that wants more signatures. Complete at once, it is appended. It becomes authority by its signatures alone: edges
 * count them again.
 * @throws {ControlError} CONFLICT when its place in the log is not the next one
 * @throws {VerifyError} what core finds; BAD_SIGNATURE for a signature that counts for nothing
 */
export async function createRequest(context: Context, input: SignedText): Promise<Answer> {
  const signed = readSigned(input)
  const { seq, op, nva } = parseStatement(signed.bytes)
  const { org, atsign } = actorOf(context)
  const hash = linkHash(signed.bytes)
  const known = await context.control.db.prisma.signingRequest.findUnique({ where: { org_hash: { org, hash } } })
  if (known) return sign(context, known.id, { signatures: signed.signatures })
  checkEachCounts(context, signed)
  const row = await insertRequest(context.control, { ...{ org, kind: 'statement', op, createdBy: atsign, exp: nva, seq, hash }, ...signed })
  return finish(context, row.id, signed, { seq, hash })
}

/**
 * Adds signatures to what waits for them, for whoever knows its id: they are their own proof. Complete, a statement is appended and a
 * revocation taken up. For an invite the first signer brings the bytes too, which must say what was asked for.
 * @throws {ControlError} NOT_FOUND, ALREADY_DECIDED, GONE, CONFLICT when its place in the log is taken; TOO_MANY for strangers
 * @throws {VerifyError} BAD_SIGNATURE for a signature that counts for nothing; NOT_ENTITLED; MALFORMED for other bytes than asked for
 */
export async function addSignatures(context: Context, id: string, { bytes, signatures }: z.output<typeof signInput>): Promise<Answer> {
  const added = { signatures: readSignatures(signatures), ...(bytes === undefined ? {} : { bytes: decodeBase64url(bytes) }) }
  const work = () => sign(context, id, added)
  return context.principal.role === 'anyone' ? limited(context.control.limits.strangers, work) : work()
}

interface Added {
  readonly bytes?: Uint8Array
  readonly signatures: readonly Signature[]
}

async function sign(context: Context, id: string, added: Added): Promise<Answer> {
  const { control } = context
  const row = await findOpenRequest(control, id)
  const bytes = bytesToSign(row, added.bytes)
  if (row.kind === 'revocation') return signRevocation(context, row, { bytes, signatures: added.signatures })
  checkEachCounts(context, { bytes, signatures: added.signatures })
  const place = { seq: parseStatement(bytes).seq, hash: linkHash(bytes) }
  const signatures = await control.db.prisma.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM signing_requests WHERE id = ${id} FOR UPDATE`
    const before = await tx.signingRequest.findUniqueOrThrow({ where: { id } })
    if (before.hash !== null && before.hash !== place.hash) throw new ControlError('CONFLICT', 'somebody else signed other bytes first')
    const merged = merge(before.signatures as unknown as Signature[], added.signatures)
    const data = { ...place, bytes: Uint8Array.from(bytes), signatures: merged as unknown as Prisma.InputJsonValue }
    await tellRequest(tx, control.bus, await tx.signingRequest.update({ where: { id }, data }), 'open', control.now(), merged.length)
    return merged
  })
  return finish(context, id, { bytes, signatures }, place)
}

const merge = (before: readonly Signature[], added: readonly Signature[]): Signature[] => [
  ...before,
  ...added.filter(({ kid }) => !before.some((other) => other.kid === kid)),
]

/** @throws {VerifyError} MALFORMED */
function bytesToSign(row: SigningRequest, given: Uint8Array | undefined): Uint8Array {
  const kept = row.bytes && new Uint8Array(row.bytes)
  if (!kept && !given) throw new VerifyError('MALFORMED', 'bytes: an invite is made where it is signed')
  if (!kept) return checkInvite(row, given!)
  if (given && encodeBase64url(given) !== encodeBase64url(kept))
    throw new VerifyError('MALFORMED', 'bytes: other ones than are to be signed')
  return kept
}

/** The signing page chose the key and the place in the log; all else is what was asked for. */
function checkInvite(row: SigningRequest, bytes: Uint8Array): Uint8Array {
  const { op, body } = parseStatement(bytes)
  if (op !== 'invite') throw new VerifyError('MALFORMED', `bytes: ${op}, asked for invite`)
  const asked = row.invite as unknown as z.output<typeof invite>
  const { kind, tags, uses, exp, owner } = body as Bodies['invite']
  const isAsked = kind === asked.kind && uses === asked.uses && exp === asked.exp && tags.join() === [...asked.tags].sort().join() && !owner
  if (!isAsked) throw new VerifyError('MALFORMED', 'bytes: an invite with other limits than were asked for')
  return bytes
}

/** One signature of somebody entitled is enough: that is what taking it up checks. */
async function signRevocation(context: Context, row: SigningRequest, signed: Signed): Promise<Answer> {
  const { control } = context
  const { state, revocations } = control.ledger
  if (!state) throw new ControlError('NOT_FOUND', 'there is no organisation here yet')
  for (const signature of signed.signatures) addRevocation(revocations, { ...signed, signatures: [signature] }, state, control.suite)
  const { hash } = await revoke(context, encodeSigned(signed) as unknown as SignedText)
  await control.db.prisma.$transaction(async (tx) => {
    const signatures = signed.signatures as unknown as Prisma.InputJsonValue
    await tx.signingRequest.update({ where: { id: row.id }, data: { signatures } })
    await settleRevocation(tx, control.bus, row.org, hash, control.now())
  })
  return { id: row.id, status: 'complete', hash }
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

async function finish(context: Context, id: string, signed: Signed, { seq, hash }: { seq: number; hash: string }): Promise<Answer> {
  const { state } = context.control.ledger
  const isComplete = state?.seq === seq - 1 && neededFor(signed, state, context.control.suite).complete
  if (!isComplete) return { id, status: 'open', seq, hash }
  await appendSigned(context, signed)
  return { id, status: 'complete', seq, hash }
}

/** Newest first. Administrators see all, people what they drafted. */
export async function listRequests(context: Context) {
  const { org, atsign, role } = actorOf(context)
  const where = { org, ...(role === 'admin' ? {} : { createdBy: atsign }) }
  const rows = await context.control.db.prisma.signingRequest.findMany({ where, orderBy: { createdAt: 'desc' }, take: 100 })
  return { requests: rows.map((row) => shown(context, row)) }
}

/** For whoever knows the id; with the document of a `policy.set`. @throws {ControlError} NOT_FOUND */
export async function getRequest(context: Context, id: string): Promise<z.input<typeof request>> {
  const { control } = context
  const row = await findRequest(control, id)
  const answer = shown(context, row)
  if (row.kind !== 'statement' || !row.bytes) return answer
  const asked = await findAsked(control.db.prisma, row.org, new Uint8Array(row.bytes))
  if (asked)
    return {
      ...answer,
      facts: asked.facts as Record<string, string>,
      code_by: asked.invitedBy as NonNullable<z.input<typeof request>['code_by']>,
    }
  if (row.op !== 'policy.set') return answer
  const { sha256 } = parseStatement(new Uint8Array(row.bytes)).body as { sha256: string }
  const document = await control.db.prisma.policyDocument.findUnique({ where: { org_sha256: { org: row.org, sha256 } } })
  return document ? { ...answer, policy: encodeBase64url(new Uint8Array(document.bytes)) } : answer
}

function shown({ control }: Context, row: SigningRequest): z.input<typeof request> {
  const bytes = row.bytes ? new Uint8Array(row.bytes) : undefined
  const signatures = row.signatures as unknown as Signature[]
  const { state } = control.ledger
  const isExpired = row.status === 'open' && row.expiresAt <= dateOf(control.now())
  const isNext = row.kind !== 'revocation' && row.status === 'open' && !isExpired && row.seq !== null && state?.seq === row.seq - 1
  const needed = bytes && isNext ? neededFor({ bytes, signatures }, state, control.suite).parts : undefined
  return {
    ...{ id: row.id, kind: row.kind as 'statement', op: row.op, created_by: row.createdBy, signatures },
    status: isExpired ? 'expired' : (row.status as 'open'),
    ...{ created: secondsOf(row.createdAt), exp: secondsOf(row.expiresAt) },
    ...(row.seq === null ? {} : { seq: row.seq }),
    ...(row.hash === null ? {} : { hash: row.hash }),
    ...(bytes ? { bytes: encodeBase64url(bytes), sha256: encodeBase64url(control.suite.sha256(bytes)) } : {}),
    ...(row.invite ? { invite: row.invite as z.input<typeof invite> } : {}),
    ...(row.reason ? { reason: row.reason } : {}),
    ...(needed ? { needed: needed.map((part) => ({ ...part })) as NonNullable<z.input<typeof request>['needed']> } : {}),
  }
}

/**
 * Takes what waits off the list, for whoever knows its id; an enrolment with it. Whoever has signed can still hand it in elsewhere: signatures are not taken back.
 * @throws {ControlError} NOT_FOUND, ALREADY_DECIDED, GONE
 */
export async function refuseRequest({ control }: Context, id: string, reason: string) {
  const row = await findOpenRequest(control, id)
  await control.db.prisma.$transaction(async (tx) => {
    const { count } = await tx.signingRequest.updateMany({ where: { id, status: 'open' }, data: { status: 'refused', reason } })
    if (count === 0) return
    await tellRequest(tx, control.bus, row, 'refused', control.now())
    if (row.kind === 'statement' && row.bytes)
      await refuseAsked(tx, control.bus, { org: row.org, bytes: new Uint8Array(row.bytes) }, reason, control.now())
  })
  return { ok: true as const }
}
