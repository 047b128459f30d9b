import type { Bodies, ChainOp, Revocation, Target } from '@postern/core'
import {
  aimAt,
  draftStatement,
  encodeBase64url,
  encodeRevocation,
  linkHash,
  neededFor,
  parseRevocation,
  parseStatement,
  revocationHash,
  targetsOf,
  unnamedIn,
} from '@postern/core'
import type { z } from 'zod'
import type { Actor, Context, Control } from '../context.ts'
import { actorOf } from '../context.ts'
import type { SigningRequest } from '../db/generated/client.ts'
import { ControlError } from '../errors.ts'
import { keepPolicy } from '../policy/service.ts'
import { dateOf } from '../time.ts'
import type { draftInviteInput } from './schema.ts'
import { tellRequest } from './settle.ts'
import { findRequest, insertRequest } from './store.ts'

/** What waits for a signature now. `sha256` is of the bytes; it goes to the signing page, which fetches them by id. */
export interface Draft {
  readonly id: string
  readonly kind: 'statement' | 'revocation' | 'invite'
  readonly seq?: number
  readonly hash?: string
  readonly sha256?: string
}
export interface Wanted<O extends ChainOp = ChainOp> {
  readonly op: O
  readonly body: Bodies[O]
  /** The document of `policy.set`: kept, so that it is there when the statement is complete. */
  readonly policy?: Uint8Array
}
export interface WantedRevocation {
  readonly targets: readonly Target[]
  readonly reason: string
  readonly until?: number | undefined
}
const REVOCATION_SECONDS = 24 * 3600
const INVITE_SECONDS = 3600

/**
 * Drafts the next statement of the log and keeps it as a request, without any signature: a draft is no authority, and whoever signs it
 * reads its bytes in the signing page. Administrators draft anything; people the enrolment of an agent under their own delegation.
 * @throws {ControlError} NOT_PERMITTED, NOT_FOUND
 * @throws {VerifyError} what core would refuse of it, signatures apart
 */
export async function draftRequest<O extends ChainOp>(context: Context, wanted: Wanted<O>): Promise<Draft> {
  const { control } = context
  const actor = actorOf(context)
  checkMayDraft(actor, wanted)
  if (wanted.policy) await keepPolicy(control.db.prisma, actor.org, wanted.policy, actor.atsign, control.now())
  const made = statementOf(control, wanted)
  return keep(context, { kind: 'statement', op: wanted.op, exp: made.nva, ...made })
}

/** @throws {ControlError} NOT_PERMITTED */
function checkMayDraft({ role, login }: Actor, { op, body }: Wanted) {
  if (role === 'admin') return
  const isOwnAgent = op === 'agent.enroll' && 'via' in body && login !== undefined && body.via === login
  if (!isOwnAgent) throw new ControlError('NOT_PERMITTED', 'people who are not administrators enrol agents under their own delegation only')
}

function statementOf({ ledger, now, suite }: Control, { op, body }: Wanted) {
  const { state, revocations } = ledger
  if (!state) throw new ControlError('NOT_FOUND', 'there is no organisation here yet')
  const isHolder = 'via' in body && body.via !== undefined
  const bytes = draftStatement(state, op, body as never, { at: now(), rev: isHolder ? [] : unnamedIn(revocations, state) })
  neededFor({ bytes, signatures: [] }, state, suite)
  return { bytes, seq: state.seq + 1, hash: linkHash(bytes), nva: parseStatement(bytes).nva }
}

/**
 * The same for a revocation or, with `until`, a suspension, of one or several targets at once. People: of their own agents.
 * @throws {ControlError} NOT_PERMITTED, NOT_FOUND
 * @throws {VerifyError} BAD_TIME, MALFORMED
 */
export async function draftRevocation(context: Context, wanted: WantedRevocation): Promise<Draft> {
  const { control } = context
  const actor = actorOf(context)
  checkMayRevoke(control, actor, wanted.targets)
  return keep(context, { kind: 'revocation', op: 'revocation', exp: control.now() + REVOCATION_SECONDS, ...revocationOf(control, wanted) })
}

function revocationOf({ ledger, now }: Control, { targets, reason, until }: WantedRevocation) {
  const revocation: Revocation = {
    ...{ org: ledger.org!, reason, at: now() },
    ...aimAt(targets),
    ...(until === undefined ? {} : { until }),
  }
  const bytes = encodeRevocation(revocation)
  return { bytes, hash: revocationHash(bytes) }
}

/** As edges will: the owner of an agent may stop it. @throws {ControlError} NOT_PERMITTED */
function checkMayRevoke({ ledger }: Control, { role, atsign }: Actor, targets: readonly Target[]) {
  if (role === 'admin') return
  const { state } = ledger
  const ownerOf = ({ kind, id }: Target) => {
    const enrolment = kind === 'key' ? state?.keys.get(id as never)?.enrolment : kind === 'enrolment' ? id : undefined
    return enrolment === undefined ? undefined : state?.enrolments.get(enrolment)?.owner
  }
  if (!targets.every((target) => ownerOf(target) === atsign))
    throw new ControlError('NOT_PERMITTED', 'people who are not administrators revoke their own agents only')
}

/**
 * The same for bytes that a terminal drafted and has shown already: a statement for the next place in the log, or a revocation.
 * @throws {ControlError} NOT_PERMITTED, CONFLICT when its place is taken
 * @throws {VerifyError} what core finds in it
 */
export async function draftBytes(context: Context, kind: 'statement' | 'revocation', bytes: Uint8Array): Promise<Draft> {
  const { control } = context
  const actor = actorOf(context)
  if (kind === 'revocation') {
    const { org, ...revocation } = parseRevocation(bytes)
    if (org !== actor.org) throw new ControlError('NOT_PERMITTED', 'a revocation of another organisation')
    checkMayRevoke(control, actor, targetsOf(revocation))
    return keep(context, { kind, op: kind, exp: control.now() + REVOCATION_SECONDS, bytes, hash: revocationHash(bytes) })
  }
  const { op, body, seq, nva, ...rest } = parseStatement(bytes)
  const { state } = control.ledger
  if (!state || op === 'genesis') throw new ControlError('NOT_FOUND', 'there is no organisation here yet')
  if (seq !== state.seq + 1 || !('prev' in rest) || rest.prev !== state.head)
    throw new ControlError('CONFLICT', 'this is not the next place in the log')
  checkMayDraft(actor, { op, body } as Wanted)
  neededFor({ bytes, signatures: [] }, state, control.suite)
  return keep(context, { kind, op, exp: nva, bytes, hash: linkHash(bytes), seq })
}

/**
 * Asks for an invite: the signing page makes its token and key, and the statement, within these limits. The token is never seen here.
 * @throws {ControlError} NOT_PERMITTED
 */
export async function draftInvite(context: Context, { kind, tags, uses, days }: z.output<typeof draftInviteInput>): Promise<Draft> {
  const { org, atsign, role } = actorOf(context)
  const { control } = context
  if (role !== 'admin') throw new ControlError('NOT_PERMITTED', 'only administrators make invites')
  const now = control.now()
  const invite = { kind, tags: [...new Set(tags)].sort(), uses, exp: now + days * 86_400 }
  const row = await insertRequest(control, { org, kind: 'invite', op: 'invite', createdBy: atsign, exp: now + INVITE_SECONDS, invite })
  return { id: row.id, kind: 'invite' }
}

/**
 * Drafts again what somebody else was faster with, or what has expired: same operation and body, new place and date, no signatures. The id
 * stays, the hash does not: whoever opens the old link is told that the bytes are others.
 * @throws {ControlError} NOT_FOUND, ALREADY_DECIDED when it was signed or refused, NOT_PERMITTED
 */
export async function redraft(context: Context, id: string): Promise<Draft> {
  const { control } = context
  const actor = actorOf(context)
  const row = await findRequest(control, id)
  if (actor.role !== 'admin' && row.createdBy !== actor.atsign) throw new ControlError('NOT_FOUND', 'no such request')
  if (row.status === 'complete' || row.status === 'refused')
    throw new ControlError('ALREADY_DECIDED', `this request is ${row.status} already`)
  if (!row.bytes || row.kind === 'invite') throw new ControlError('CONFLICT', 'an invite is made anew: ask for another one')
  const made = row.kind === 'revocation' ? again(control, row) : restated(control, actor, row)
  if (row.status === 'open' && made.hash === row.hash) return draftOf(control, row)
  const { bytes, hash, exp } = made
  const data = {
    bytes: Uint8Array.from(bytes),
    hash,
    seq: made.seq ?? null,
    signatures: [],
    status: 'open',
    reason: null,
    expiresAt: dateOf(exp),
  }
  const fresh = await control.db.prisma.$transaction(async (tx) => {
    const updated = await tx.signingRequest.update({ where: { id }, data })
    await tellRequest(tx, control.bus, updated, 'open', control.now(), 0)
    return updated
  })
  return draftOf(control, fresh)
}

function restated(control: Control, actor: Actor, row: SigningRequest) {
  const { op, body, seq } = parseStatement(new Uint8Array(row.bytes!))
  const isStillNext = row.status === 'open' && row.expiresAt > dateOf(control.now()) && control.ledger.state?.seq === seq - 1
  if (isStillNext) return { bytes: new Uint8Array(row.bytes!), hash: row.hash!, seq, exp: 0 }
  const wanted = { op, body } as Wanted
  checkMayDraft(actor, wanted)
  const made = statementOf(control, wanted)
  return { ...made, exp: made.nva }
}

function again(control: Control, row: SigningRequest) {
  const { reason, until, ...aim } = parseRevocation(new Uint8Array(row.bytes!))
  const made = revocationOf(control, { targets: targetsOf(aim), reason, until })
  return { ...made, seq: undefined, exp: control.now() + REVOCATION_SECONDS }
}

interface Made {
  readonly kind: 'statement' | 'revocation'
  readonly op: string
  readonly bytes: Uint8Array
  readonly hash: string
  readonly exp: number
  readonly seq?: number
}

/** Asked twice within a second, the bytes are the same: then it is the same request, open again if it was refused. */
async function keep(context: Context, { kind, op, bytes, hash, exp, seq }: Made): Promise<Draft> {
  const { control } = context
  const { org, atsign } = actorOf(context)
  const { prisma } = control.db
  const known = await prisma.signingRequest.findUnique({ where: { org_hash: { org, hash } } })
  if (known?.status === 'complete') throw new ControlError('ALREADY_DECIDED', 'this was signed already')
  const row = known
    ? await prisma.signingRequest.update({ where: { id: known.id }, data: { status: 'open', reason: null } })
    : await insertRequest(control, { ...{ org, kind, op, createdBy: atsign, exp, bytes, hash }, ...(seq === undefined ? {} : { seq }) })
  return draftOf(control, row)
}

const draftOf = ({ suite }: Control, row: SigningRequest): Draft => ({
  id: row.id,
  kind: row.kind as Draft['kind'],
  ...(row.seq === null ? {} : { seq: row.seq }),
  ...(row.hash === null ? {} : { hash: row.hash }),
  ...(row.bytes ? { sha256: encodeBase64url(suite.sha256(new Uint8Array(row.bytes))) } : {}),
})
