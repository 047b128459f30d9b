import type { AtSign, HeldCall } from '@postern/core'
import { decodeBase64url, encodeBase64url, MAX_HOLD_SECONDS, VerifyError, verifyApproval } from '@postern/core'
import type { z } from 'zod'
import { isDuplicate } from '../authority/store.ts'
import type { Context, Control } from '../context.ts'
import { actorOf } from '../context.ts'
import type { Approval, Prisma } from '../db/generated/client.ts'
import type { Transaction } from '../db/open.ts'
import { ControlError } from '../errors.ts'
import { readSigned } from '../fields.ts'
import { limited } from '../limiter.ts'
import { dateOf, secondsOf } from '../time.ts'
import type { approval, decisionInput, followAnswer, heldInput, holdInput, stagesInput } from './schema.ts'

/** What one gateway may have waiting here. It bounds itself far below. */
const MAX_WAITING = 256
const MAX_WAITING_BYTES = 64 << 20
const OPEN = ['waiting', 'decided']
/** A gateway says within a moment what became of a deadline; then nobody is left to ask. */
const GRACE_SECONDS = 30

/**
 * Keeps what a gateway has sealed to approvers, until one decides or the deadline passes. It cannot be read here.
 * @throws {ControlError} TOO_MANY, REPLAYED for an id that is known
 * @throws {VerifyError} BAD_TIME for a deadline that no hold has
 */
export async function holdCall(context: Context, input: z.output<typeof holdInput>) {
  const { org, atsign: gateway } = actorOf(context)
  const { control } = context
  const now = control.now()
  if (input.deadline > now + MAX_HOLD_SECONDS + GRACE_SECONDS || input.deadline <= now - GRACE_SECONDS)
    throw new VerifyError('BAD_TIME', `deadline: not within the next ${MAX_HOLD_SECONDS} seconds`)
  const content = Uint8Array.from(decodeBase64url(input.content))
  const { id, epoch, agent, server, tool, risk, rule, gth, cth, schema, a, deadline, approvers, sealed } = input
  const owner = control.ledger.state?.identities.get(agent as AtSign)?.owner ?? null
  const about = { org, gateway, epoch, agent, owner, server, tool, risk, rule, grantHash: gth, callHash: cth, schema, args: a }
  const times = { heldAt: dateOf(now), deadline: dateOf(deadline) }
  try {
    await control.db.prisma.$transaction(async (tx) => {
      await checkRoom(tx, org, gateway, content.length)
      const row = await tx.approval.create({ data: { id, ...about, approvers, content, keys: sealed, ...times } })
      await tell(control, tx, row)
    })
  } catch (error) {
    if (isDuplicate(error)) throw new ControlError('REPLAYED', 'this id is known', { cause: error })
    throw error
  }
  return { ok: true as const }
}

async function checkRoom(tx: Transaction, org: string, gateway: string, bytes: number) {
  const [row] = await tx.$queryRaw<{ count: bigint; bytes: bigint | null }[]>`
    SELECT count(*) AS count, sum(length(content)) AS bytes FROM approvals WHERE org = ${org} AND gateway = ${gateway} AND status IN ('waiting', 'decided')`
  if (Number(row?.count ?? 0) >= MAX_WAITING || Number(row?.bytes ?? 0) + bytes > MAX_WAITING_BYTES)
    throw new ControlError('TOO_MANY', 'too many held calls wait for a decision', { fix: 'decide some, or wait until they time out' })
}

/** Approvers, the owner of the agent and administrators hear of each stage; what is sealed they fetch by id. */
async function tell({ bus, now }: Control, tx: Transaction, row: Omit<Approval, 'content'>) {
  const { id, status, agent, server, tool, risk, org, approvers, owner, by } = row
  const data = { id, status, agent, server, tool, risk, deadline: secondsOf(row.deadline), ...(by ? { by } : {}) }
  const to = [...new Set([...approvers, ...(owner ? [owner] : [])])].join(' ')
  await bus.publish(tx, { org, kind: 'approval', to, data }, now())
}

/** Newest first. Administrators see all; people what they may decide or what their own agents wait for. */
export async function listApprovals(
  context: Context,
  { status = 'open', limit = 100 }: { status?: 'open' | 'all' | undefined; limit?: number | undefined },
) {
  const { control } = context
  const open = { status: { in: OPEN }, deadline: { gt: dateOf(control.now() - GRACE_SECONDS) } }
  const where = { ...visibleTo(context), ...(status === 'open' ? open : {}) }
  const rows = await control.db.prisma.approval.findMany({ where, omit: { content: true }, orderBy: { heldAt: 'desc' }, take: limit })
  return { approvals: rows.map((row) => shown(control, row)) }
}

/** Metadata of one held call that the asker may see in a list. @throws {ControlError} NOT_FOUND */
export async function getApproval(context: Context, id: string) {
  const where = { id, ...visibleTo(context) }
  const row = await context.control.db.prisma.approval.findFirst({ where, omit: { content: true } })
  if (!row) throw notFound()
  return shown(context.control, row)
}

function visibleTo(context: Context): Prisma.ApprovalWhereInput {
  const { org, atsign, role } = actorOf(context)
  return role === 'admin' ? { org } : { org, OR: [{ approvers: { has: atsign } }, { owner: atsign }] }
}

/**
 * One held call for whoever knows its id, with what is sealed. Waits up to `waitSeconds` while the status is `seen`.
 * @throws {ControlError} NOT_FOUND
 */
export async function followApproval(
  { control }: Context,
  id: string,
  { waitSeconds, seen }: { waitSeconds: number; seen: string | undefined },
  signal: AbortSignal,
): Promise<z.input<typeof followAnswer>> {
  const { promise: changed, resolve: wake } = Promise.withResolvers<void>()
  const stop = control.bus.subscribe(({ kind, data }) => {
    if (kind === 'approval' && data.id === id && data.status !== seen) wake()
  })
  const timer = setTimeout(wake, waitSeconds * 1000)
  signal.addEventListener('abort', () => wake(), { once: true })
  const read = async () => {
    const row = await control.db.prisma.approval.findUnique({ where: { id } })
    if (!row) throw notFound()
    const content = row.content ? { content: encodeBase64url(new Uint8Array(row.content)) } : {}
    return {
      ...shown(control, row),
      ...content,
      ...(await receiptOf(control, row)),
      sealed: row.keys as z.input<typeof followAnswer>['sealed'],
    }
  }
  try {
    const now = await read()
    if (waitSeconds === 0 || seen === undefined || now.status !== seen) return now
    await changed
    return await read()
  } finally {
    clearTimeout(timer)
    stop()
  }
}

async function receiptOf({ db }: Control, { org, gateway, callHash, endedAt }: Approval): Promise<{ receipt?: string }> {
  if (!endedAt) return {}
  const row = await db.prisma.receipt.findFirst({ where: { org, gateway, callHash }, orderBy: { id: 'desc' }, select: { jws: true } })
  return row ? { receipt: row.jws } : {}
}

/**
 * Takes a signed decision and forwards it to the gateway, which alone decides whether it counts. What can be seen from here is looked at
 * first, so that mistakes are told at once: the call it is about, its times, and whether somebody may sign it who did. One that passes
 * closes the request to others, until the gateway says that it did not take it.
 * @throws {ControlError} NOT_FOUND, ALREADY_DECIDED naming by whom, GONE after the deadline or the end
 * @throws {VerifyError} what `verifyApproval` finds
 */
export async function decide(context: Context, id: string, { decision }: z.output<typeof decisionInput>) {
  const { control, principal } = context
  const row = await control.db.prisma.approval.findUnique({ where: { id }, omit: { content: true } })
  if (!row) throw notFound() // whoever guesses ids must not use up what those who know one may try
  checkOpen(control, row)
  const work = () => decideOnce(control, row, decision)
  return principal.role === 'anyone' ? limited(control.limits.strangers, work) : work()
}

async function decideOnce(control: Control, row: Omit<Approval, 'content'>, decision: z.output<typeof decisionInput>['decision']) {
  await control.ledger.refresh()
  const { id } = row
  const { state, revocations } = control.ledger
  if (!state) throw notFound()
  const context = { approvers: row.approvers as AtSign[], revocations, now: control.now(), suite: control.suite }
  const { by, reason } = verifyApproval(readSigned(decision), heldCallOf(row), state, context)
  await control.db.prisma.$transaction(async (tx) => {
    const data = { status: 'decided', decision: decision as unknown as Prisma.InputJsonValue, by, reason: reason ?? null, code: null }
    const { count } = await tx.approval.updateMany({ where: { id, status: 'waiting' }, data })
    if (count === 0) checkOpen(control, await tx.approval.findUniqueOrThrow({ where: { id }, omit: { content: true } }))
    await tell(control, tx, { ...row, ...data, decision: null })
    await control.bus.publish(tx, { org: row.org, kind: 'decision', to: row.gateway, data: { id, decision } }, control.now())
  })
  return { id, status: 'decided' as const, by }
}

const heldCallOf = (row: Omit<Approval, 'content'>): HeldCall => ({
  ...{ org: row.org, gateway: row.gateway as AtSign, epoch: row.epoch, agent: row.agent as AtSign, gth: row.grantHash, cth: row.callHash },
  ...{ server: row.server, tool: row.tool, schema: row.schema, a: row.args, exp: secondsOf(row.deadline) },
})

/** @throws {ControlError} ALREADY_DECIDED, GONE */
function checkOpen(control: Control, row: Omit<Approval, 'content'>) {
  const { status, by, reason, code } = shown(control, row)
  if (status === 'waiting') return
  const details = { ...{ status }, ...(by ? { by } : {}), ...(reason ? { reason } : {}), ...(code ? { reason_code: code } : {}) }
  if (status === 'timed_out') throw new ControlError('GONE', 'nobody decided in time: the call was refused', { details })
  if (status === 'ended') throw new ControlError('GONE', `the gateway holds this call no more${code ? `: ${code}` : ''}`, { details })
  throw new ControlError('ALREADY_DECIDED', `${by ?? 'somebody'} has decided about this call already`, { details })
}

const FOLLOWS: { readonly [status: string]: readonly string[] } = {
  waiting: ['decided'],
  approved: OPEN,
  refused: OPEN,
  timed_out: OPEN,
  ended: [...OPEN, 'approved'],
  executed: [...OPEN, 'approved'],
}

/** What the gateway says became of calls it holds. One that does not follow from what it said before changes nothing. */
export async function takeStages(context: Context, { stages }: z.output<typeof stagesInput>) {
  const { org, atsign: gateway } = actorOf(context)
  const { control } = context
  let taken = 0
  for (const { id, status, by, code, outcome, ms } of stages) {
    const isOver = status !== 'waiting' && status !== 'approved'
    const data = {
      ...{ status, code: code ?? null, outcome: outcome ?? null, tookMs: ms ?? null },
      ...(by ? { by } : {}),
      ...(status === 'waiting' ? { by: null, reason: null } : {}),
      ...(isOver ? { content: null, endedAt: dateOf(control.now()) } : {}),
    }
    await control.db.prisma.$transaction(async (tx) => {
      const { count } = await tx.approval.updateMany({ where: { id, org, gateway, status: { in: [...FOLLOWS[status]!] } }, data })
      taken += count
      if (count > 0) await tell(control, tx, await tx.approval.findUniqueOrThrow({ where: { id }, omit: { content: true } }))
    })
  }
  return { taken }
}

/**
 * A gateway that has just connected says what it holds: everything else of it has ended, visibly. It hears of decisions that were
 * made while it was away.
 */
export async function reconcile(context: Context, { epoch, ids }: z.output<typeof heldInput>) {
  const { org, atsign: gateway } = actorOf(context)
  const { prisma } = context.control.db
  const where = { org, gateway, status: { in: [...OPEN, 'approved'] } }
  const rows = await prisma.approval.findMany({ where, select: { id: true, epoch: true, status: true, decision: true }, take: 4_096 })
  const held = new Set(ids)
  const gone = rows.filter((row) => row.epoch !== epoch || (row.status !== 'approved' && !held.has(row.id)))
  for (let at = 0; at < gone.length; at += 64) await takeStages(context, { stages: gone.slice(at, at + 64).map(lost) })
  const decided = rows.filter((row) => row.status === 'decided' && row.decision && !gone.includes(row))
  return { decisions: decided.map(({ id, decision }) => ({ id, decision: decision as z.output<typeof decisionInput>['decision'] })) }
}

/** One that was approved may have begun when the gateway went: nobody knows, and its receipt says the same. */
const lost = ({ id, status }: { id: string; status: string }) =>
  status === 'approved'
    ? { id, status: 'executed' as const, outcome: 'unknown' as const, code: 'OUTCOME_UNKNOWN' }
    : { id, status: 'ended' as const, code: 'APPROVAL_ENDED' }

function shown({ now }: Pick<Control, 'now'>, row: Omit<Approval, 'content'>): z.input<typeof approval> {
  const isLate = OPEN.includes(row.status) && row.deadline < dateOf(now() - GRACE_SECONDS)
  const optional = { owner: row.owner, by: row.by, reason: row.reason, code: row.code, outcome: row.outcome, ms: row.tookMs }
  return {
    ...{ id: row.id, gateway: row.gateway, epoch: row.epoch, agent: row.agent, server: row.server, tool: row.tool, rule: row.rule },
    risk: row.risk as z.input<typeof approval>['risk'],
    ...{ gth: row.grantHash, cth: row.callHash, schema: row.schema, a: row.args, approvers: row.approvers },
    ...{ held: secondsOf(row.heldAt), deadline: secondsOf(row.deadline) },
    status: isLate ? 'timed_out' : (row.status as z.input<typeof approval>['status']),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== null)),
    ...(row.endedAt ? { ended: secondsOf(row.endedAt) } : {}),
  }
}

const notFound = () => new ControlError('NOT_FOUND', 'no such held call')
