import type { Shape } from '../../bytes/shape.ts'
import { object } from '../../bytes/shape.ts'
import { VerifyError } from '../../errors.ts'
import type { AtSign } from '../../key/atsign.ts'
import { atSignShape } from '../../key/atsign.ts'
import { endIdentity } from '../enrol.ts'
import type { Kind } from '../kind.ts'
import { adminsOf } from '../state.ts'
import { checkReachable } from '../thresholds.ts'
import { listText } from '../wording.ts'

export type AdminRemoveBody = { readonly atsign: AtSign }
const body: Shape<AdminRemoveBody> = object({ atsign: atSignShape })

/** Ends an administrator's enrolment altogether. Agents they own stay enrolled, but have no live owner (see `standingOf`). */
export const adminRemove: Kind<AdminRemoveBody> = {
  title: 'Remove an administrator',
  body,
  classOf: () => 'root',
  describe({ atsign }, _, state) {
    const agents = [...(state?.identities.values() ?? [])].filter(({ owner }) => owner === atsign).map((agent) => agent.atsign)
    return [
      `${atsign} stops being an administrator and is no longer enrolled; all keys of ${atsign} end.`,
      ...(state ? [`Administrators afterwards: ${adminsOf(state).length - 1}.`] : []),
      ...(agents.length > 0 ? [`These agents lose their owner and stop: ${listText(agents, 'none')}.`] : []),
    ]
  },
  apply(state, { body }) {
    if (!state.identities.get(body.atsign)?.admin) throw new VerifyError('UNKNOWN_NAME', `${body.atsign} is not an administrator`)
    const next = endIdentity(state, body.atsign)
    checkReachable(next)
    return { state: next, after: true }
  },
}
