import type { AtSign, Bodies, ChainOp, Signature } from '@postern/core'
import { encodeBase64url, isAtSign } from '@postern/core'
import type { z } from 'zod'
import type { Actor, Context, Control } from '../context.ts'
import { actorOf } from '../context.ts'
import type { Enrolment } from '../db/generated/client.ts'
import { ControlError } from '../errors.ts'
import { dateOf } from '../time.ts'
import type { Draft } from './draft.ts'
import { draftRequest } from './draft.ts'
import type { enrolmentDecision } from './schema.ts'

const DAY = 86_400
/** Leases by default, as the CLI has them. */
const DAYS = { person: 365, agent: 30, gateway: 180 } as const

type Decision = z.output<typeof enrolmentDecision>

/**
 * Drafts the statement that enrols what waits in the queue, with what the approver decided. The six words are compared in the signing
 * page, by a person, not here: until it is signed nobody is enrolled.
 * @throws {ControlError} NOT_FOUND, ALREADY_DECIDED, NOT_PERMITTED
 * @throws {VerifyError} what core would refuse, e.g. CEILING_EXCEEDED, NAME_TAKEN
 */
export async function draftEnrolment(context: Context, id: string, decision: Decision): Promise<Draft> {
  const { control } = context
  const actor = actorOf(context)
  const row = await control.db.prisma.enrolment.findFirst({ where: { id, org: actor.org } })
  if (!row || !isVisible(actor, row)) throw new ControlError('NOT_FOUND', 'no such enrolment request')
  if (row.status !== 'pending') throw new ControlError('ALREADY_DECIDED', `this request is ${row.status} already`)
  if (row.expiresAt <= dateOf(control.now()))
    throw new ControlError('GONE', 'this request has expired', { fix: 'ask its owner to begin again' })
  const { op, body } = decided(control, actor, row, decision)
  return draftRequest(context, { op, body: body as never })
}

const isVisible = ({ role, atsign }: Actor, { owner, invitedBy }: Enrolment): boolean =>
  role === 'admin' || owner === atsign || invitedBy === atsign

function decided(control: Control, actor: Actor, row: Enrolment, decision: Decision): { op: ChainOp; body: Bodies[ChainOp] } {
  const kind = row.kind as keyof typeof DAYS
  const fields = { request: encodeBase64url(new Uint8Array(row.request)), proofs: row.proofs as unknown as readonly Signature[] }
  if (decision.admin) {
    if (kind !== 'person') throw new ControlError('NOT_PERMITTED', 'only a person can become an administrator')
    return { op: 'admin.add', body: fields }
  }
  const exp = control.now() + (decision.days ?? DAYS[kind]) * DAY
  const tags = [...new Set(decision.tags)].sort()
  const lease = { ...fields, exp, tags }
  if (kind === 'gateway') return { op: 'gateway.enroll', body: lease }
  if (kind === 'person') return { op: 'person.enroll', body: { ...lease, ...delegationOf(decision, tags, exp) } }
  return { op: 'agent.enroll', body: { ...lease, ...holderOf(control, actor, row, decision, exp) } }
}

function delegationOf({ delegation }: Decision, tags: readonly string[], exp: number) {
  if (!delegation) return {}
  const { agents, servers } = delegation
  return { delegation: { agents, tags, exp, ...(servers ? { servers: [...new Set(servers)].sort() } : {}) } }
}

/** An administrator decides as one; anybody else in their own name, within their delegation, which also bounds the lease. */
function holderOf({ ledger }: Control, { role, atsign, login }: Actor, row: Enrolment, { owner }: Decision, exp: number) {
  const named = nameOf(owner ?? row.owner)
  if (role === 'admin') return named ? { owner: named } : {}
  const end = ledger.state?.identities.get(atsign)?.delegation?.exp ?? exp
  return { owner: named ?? atsign, ...(login ? { via: login } : {}), exp: Math.min(exp, end) }
}

const nameOf = (name: string | null): AtSign | undefined => (name !== null && isAtSign(name) ? name : undefined)
