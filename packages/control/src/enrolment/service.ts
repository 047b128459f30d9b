import type { AtSign, Signature } from '@postern/core'
import { decodeBase64url, encodeBase64url, VerifyError, verifyEnrolmentRequest } from '@postern/core'
import type { z } from 'zod'
import { isDuplicate } from '../authority/store.ts'
import type { Context } from '../context.ts'
import { actorOf } from '../context.ts'
import type { Enrolment, Prisma } from '../db/generated/client.ts'
import { ControlError } from '../errors.ts'
import { dateOf, secondsOf } from '../time.ts'
import type { followAnswer, queueAnswer, submitInput } from './schema.ts'
import { requestHash } from './settle.ts'

/** How long a request waits for somebody's signature. */
export const REQUEST_SECONDS = 60 * 60

/**
 * Queues a signed enrolment request and uses up the code. It enrols nobody.
 * @throws {ControlError} BAD_CODE, NOT_PERMITTED for another kind or owner than the code is for, REPLAYED
 * @throws {VerifyError} what core finds in the request or its proofs; WRONG_ORG, EXPIRED
 */
export async function submitEnrolment(context: Context, { request, proofs, facts = {} }: z.output<typeof submitInput>) {
  const { control, principal } = context
  const { state } = control.ledger
  if (principal.role !== 'code-holder' || !principal.code || !state) throw new ControlError('BAD_CODE', 'this needs a live code')
  const bytes = decodeBase64url(request)
  const asked = verifyEnrolmentRequest(bytes, proofs as Signature[], state.site, control.suite)
  if (asked.org !== state.org) throw new VerifyError('WRONG_ORG', `request to organisation ${asked.org}, this is ${state.org}`)
  const now = control.now()
  if (asked.exp <= now) throw new VerifyError('EXPIRED', `the request ended at ${asked.exp}, now ${now}`)
  const id = encodeBase64url(control.random(16))
  const exp = Math.min(asked.exp, now + REQUEST_SECONDS)
  try {
    await control.db.prisma.$transaction(async (tx) => {
      const code = await useCode(tx, principal.code!, now)
      checkFits(context, code, asked)
      const told = {
        kind: asked.kind,
        atsign: asked.atsign,
        owner: asked.owner ?? null,
        tags: code.tags,
        invitedBy: code.createdBy,
        code: code.id,
      }
      const stored = {
        request: Uint8Array.from(bytes),
        proofs: proofs as unknown as Prisma.InputJsonValue,
        facts: facts as Prisma.InputJsonValue,
      }
      const times = { createdAt: dateOf(now), expiresAt: dateOf(exp) }
      await tx.enrolment.create({ data: { id, org: state.org, hash: requestHash(bytes), ...told, ...stored, ...times } })
      const data = { id, status: 'pending', atsign: asked.atsign, kind: asked.kind }
      await control.bus.publish(tx, { org: state.org, kind: 'enrolment', to: asked.owner ?? code.createdBy, data }, now)
    })
  } catch (error) {
    if (isDuplicate(error)) throw new ControlError('REPLAYED', 'this request was handed in before', { cause: error })
    throw error
  }
  return { id, exp }
}

/** Exactly one request per code, whoever races. */
async function useCode(tx: Prisma.TransactionClient, id: string, now: number) {
  const { count } = await tx.enrolmentCode.updateMany({
    where: { id, usedAt: null, expiresAt: { gt: dateOf(now) } },
    data: { usedAt: dateOf(now) },
  })
  if (count === 0) throw new ControlError('BAD_CODE', 'this code was used already, or has expired')
  return tx.enrolmentCode.findUniqueOrThrow({ where: { id } })
}

function checkFits({ control }: Context, code: { kind: string; createdBy: string }, asked: { kind: string; owner?: string }) {
  if (asked.kind !== code.kind)
    throw new ControlError('NOT_PERMITTED', `the code is for a ${code.kind}, the request is for a ${asked.kind}`)
  const isAdmin = control.ledger.state?.identities.get(code.createdBy as AtSign)?.admin === true
  if (isAdmin || asked.owner === undefined || asked.owner === code.createdBy) return
  throw new ControlError('NOT_PERMITTED', `the code is ${code.createdBy}'s, the request asks ${asked.owner}`)
}

/** What became of a request, for whoever knows its id, or the hash of its bytes, in which there is a nonce of 16 bytes; waits up to `waitSeconds` while it is undecided. */
export async function followEnrolment(
  context: Context,
  id: string,
  waitSeconds: number,
  signal: AbortSignal,
): Promise<z.input<typeof followAnswer>> {
  const { bus } = context.control
  const { promise: changed, resolve: wake } = Promise.withResolvers<void>()
  const own = await idOf(context, id)
  const stop = bus.subscribe(({ kind, data }) => {
    if (kind === 'enrolment' && data.id === own) wake()
  })
  const timer = setTimeout(wake, waitSeconds * 1000)
  signal.addEventListener('abort', () => wake(), { once: true })
  try {
    const now = await statusOf(context, own)
    if (now.status !== 'pending' || waitSeconds === 0) return now
    await changed
    return await statusOf(context, own)
  } finally {
    clearTimeout(timer)
    stop()
  }
}

async function idOf({ control }: Context, idOrHash: string): Promise<string> {
  const row = await control.db.prisma.enrolment.findFirst({ where: { OR: [{ id: idOrHash }, { hash: idOrHash }] }, select: { id: true } })
  if (!row) throw new ControlError('NOT_FOUND', 'no such enrolment request')
  return row.id
}

async function statusOf({ control }: Context, id: string): Promise<z.input<typeof followAnswer>> {
  const row = await control.db.prisma.enrolment.findUnique({ where: { id } })
  if (!row) throw new ControlError('NOT_FOUND', 'no such enrolment request')
  if (row.status === 'enrolled') return { status: 'enrolled', seq: row.seq ?? 0 }
  if (row.status === 'refused') return { status: 'refused', ...(row.reason ? { reason: row.reason } : {}) }
  return { status: row.expiresAt <= dateOf(control.now()) ? 'expired' : 'pending' }
}

/** Requests that wait for a signature: administrators see all, people those they were asked or made the code for. */
export async function listEnrolments(context: Context): Promise<z.input<typeof queueAnswer>> {
  const { org, atsign, role } = actorOf(context)
  const { db, now } = context.control
  const own = role === 'admin' ? {} : { OR: [{ owner: atsign }, { invitedBy: atsign }] }
  const where = { org, status: 'pending', expiresAt: { gt: dateOf(now()) }, ...own }
  const rows = await db.prisma.enrolment.findMany({ where, orderBy: { createdAt: 'asc' }, take: 500 })
  return { enrolments: rows.map(shown) }
}

type Waiting = z.input<typeof queueAnswer>['enrolments'][number]
const shown = (row: Enrolment): Waiting => ({
  ...{ id: row.id, atsign: row.atsign, tags: row.tags, invited_by: row.invitedBy },
  kind: row.kind as Waiting['kind'],
  ...(row.owner ? { owner: row.owner } : {}),
  request: encodeBase64url(new Uint8Array(row.request)),
  proofs: row.proofs as unknown as Waiting['proofs'],
  facts: row.facts as Record<string, string>,
  ...{ created: secondsOf(row.createdAt), exp: secondsOf(row.expiresAt) },
})

/**
 * One request with what became of it, for those who see it in their queue; and whether the asker could sign for it themselves.
 * @throws {ControlError} NOT_FOUND
 */
export async function getEnrolment(context: Context, id: string) {
  const { org, atsign, role } = actorOf(context)
  const row = await context.control.db.prisma.enrolment.findFirst({ where: { id, org } })
  if (!row || (role !== 'admin' && row.owner !== atsign && row.invitedBy !== atsign))
    throw new ControlError('NOT_FOUND', 'no such enrolment request')
  const { status, reason, seq } = await statusOf(context, id)
  return { ...shown(row), status, ...(reason === undefined ? {} : { reason }), ...(seq === undefined ? {} : { seq }) }
}

/** @throws {ControlError} NOT_FOUND, ALREADY_DECIDED */
export async function refuseEnrolment(context: Context, id: string, reason: string) {
  const { org, atsign, role } = actorOf(context)
  const { control } = context
  const row = await control.db.prisma.enrolment.findFirst({ where: { id, org } })
  if (!row || (role !== 'admin' && row.owner !== atsign && row.invitedBy !== atsign))
    throw new ControlError('NOT_FOUND', 'no such enrolment request')
  await control.db.prisma.$transaction(async (tx) => {
    const { count } = await tx.enrolment.updateMany({ where: { id, status: 'pending' }, data: { status: 'refused', reason } })
    if (count === 0) throw new ControlError('ALREADY_DECIDED', `this request is ${row.status} already`)
    const data = { id, status: 'refused', atsign: row.atsign, kind: row.kind }
    await control.bus.publish(tx, { org, kind: 'enrolment', to: row.owner ?? row.invitedBy, data }, control.now())
  })
  return { ok: true as const }
}
