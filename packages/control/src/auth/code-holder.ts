import { targetId } from '@postern/core'
import type { Control, Principal } from '../context.ts'
import { findLiveCode } from '../enrolment/codes.ts'
import { ControlError } from '../errors.ts'
import { dateOf } from '../time.ts'

export interface Shown {
  readonly code?: string | undefined
  readonly enrolment?: string | undefined
  readonly request?: string | undefined
  readonly approval?: string | undefined
  /** Key id of an invite: only the log names it, and whoever has its token computes it. */
  readonly invite?: string | undefined
}

/** Somebody without an enrolled key who shows a live code, or the id of what waits for a signature. @throws {ControlError} BAD_CODE, TOO_MANY */
export async function codeHolder(control: Control, { code, enrolment, request, approval, invite }: Shown): Promise<Principal> {
  if (code !== undefined) {
    const { org, id } = await findLiveCode(control, code)
    return { role: 'code-holder', org, code: id }
  }
  if (invite !== undefined) return inviteHolder(control, invite)
  const row = await waiting(control, { enrolment, request, approval })
  if (!row || row.until <= dateOf(control.now())) throw new ControlError('BAD_CODE', 'no such request, or it has expired')
  return { role: 'code-holder', org: row.org }
}

function inviteHolder({ ledger: { state, revocations }, now }: Control, kid: string): Principal {
  const invite = state?.invites.get(kid as never)
  const isVoid = revocations.byTarget.has(targetId({ kind: 'invite', id: kid }))
  if (!state || !invite || invite.exp <= now() || isVoid) throw new ControlError('BAD_CODE', 'no such invite, or it has ended')
  return { role: 'code-holder', org: state.org }
}

async function waiting({ db: { prisma } }: Control, { enrolment, request, approval }: Omit<Shown, 'code' | 'invite'>) {
  if (approval !== undefined) {
    const held = await prisma.approval.findUnique({ where: { id: approval }, select: { org: true, deadline: true } })
    return held && { org: held.org, until: held.deadline }
  }
  const row = enrolment
    ? await prisma.enrolment.findUnique({ where: { id: enrolment } })
    : await prisma.signingRequest.findUnique({ where: { id: request ?? '' } })
  return row && { org: row.org, until: row.expiresAt }
}
