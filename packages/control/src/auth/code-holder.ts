import type { Control, Principal } from '../context.ts'
import { findLiveCode } from '../enrolment/codes.ts'
import { ControlError } from '../errors.ts'
import { dateOf } from '../time.ts'

/** Somebody without an enrolled key who shows a live code or the id of an enrolment request. @throws {ControlError} BAD_CODE, TOO_MANY */
export async function codeHolder(
  control: Control,
  shown: { code?: string | undefined; enrolment?: string | undefined },
): Promise<Principal> {
  if (shown.code !== undefined) {
    const code = await findLiveCode(control, shown.code)
    return { role: 'code-holder', org: code.org, code: code.id }
  }
  const id = shown.enrolment ?? ''
  const row = await control.db.prisma.enrolment.findUnique({ where: { id } })
  if (!row || row.expiresAt <= dateOf(control.now())) throw new ControlError('BAD_CODE', 'no such enrolment request, or it has expired')
  return { role: 'code-holder', org: row.org, enrolment: row.id }
}
