import type { Shape } from '../../bytes/shape.ts'
import { object } from '../../bytes/shape.ts'
import { VerifyError } from '../../errors.ts'
import type { RequestBody } from '../enrol.ts'
import { enrol, openRequest, requestFields } from '../enrol.ts'
import { parseEnrolmentRequest, requestBytes } from '../enrolment-request.ts'
import type { Kind } from '../kind.ts'
import { MAX_ADMINS } from '../names.ts'
import { adminsOf } from '../state.ts'
import { checkReachable } from '../thresholds.ts'
import { keyTexts, wordsText } from '../wording.ts'

export type AdminAddBody = RequestBody
const body: Shape<AdminAddBody> = object(requestFields)

/** Makes a person an administrator, or gives one new keys. An administrator has no lease. */
export const adminAdd: Kind<AdminAddBody> = {
  title: 'Add an administrator',
  body,
  classOf: () => 'root',
  describe({ request }, _, state) {
    const { org, atsign, keys } = parseEnrolmentRequest(requestBytes(request))
    const known = state?.identities.get(atsign)
    return [
      `${atsign} becomes an administrator: can take part in every decision of the organisation, without an end date.`,
      ...(known ? [`This replaces the ${known.admin ? 'administrator' : 'present'} enrolment of ${atsign}; its other keys end.`] : []),
      ...keyTexts(atsign, keys),
      wordsText(org, requestBytes(request)),
    ]
  },
  apply(state, { seq, at, link, body }, suite) {
    const { atsign, keys } = openRequest(state, body, 'person', at, suite)
    const next = enrol(state, seq, { atsign, kind: 'person', enrolment: link, keys, admin: true })
    if (adminsOf(next).length > MAX_ADMINS) throw new VerifyError('CEILING_EXCEEDED', `more than ${MAX_ADMINS} administrators`)
    checkReachable(next)
    return { state: next, after: true }
  },
}
