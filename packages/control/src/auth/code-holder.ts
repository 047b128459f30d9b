import type { Control, Principal } from '../context.ts'
import { findLiveCode } from '../enrolment/codes.ts'
import { ControlError } from '../errors.ts'
import { dateOf } from '../time.ts'

export interface Shown {
  readonly code?: string | undefined
  readonly enrolment?: string | undefined
  readonly request?: string | undefined
  readonly approval?: string | undefined
}

/** Somebody without an enrolled key who shows a live code, or the id of what waits for a signature. @throws {ControlError} BAD_CODE, TOO_MANY */
export async function codeHolder(control: Control, { code, enrolment, request, approval }: Shown): Promise<Principal> {
  if (code !== undefined) {
    const { org, id } = await findLiveCode(control, code)
    return { role: 'code-holder', org, code: id }
  }
  const row = await waiting(control, { enrolment, request, approval })
  if (!row || row.until <= dateOf(control.now())) throw new ControlError('BAD_CODE', 'no such request, or it has expired')
  return { role: 'code-holder', org: row.org }
}

async function waiting({ db: { prisma } }: Control, { enrolment, request, approval }: Omit<Shown, 'code'>) {
  if (approval !== undefined) {
    const held = await prisma.approval.findUnique({ where: { id: approval }, select: { org: true, deadline: true } })
    return held && { org: held.org, until: held.deadline }
  }
  const row = enrolment
    ? await prisma.enrolment.findUnique({ where: { id: enrolment } })
    : await prisma.signingRequest.findUnique({ where: { id: request ?? '' } })
  return row && { org: row.org, until: row.expiresAt }
}
