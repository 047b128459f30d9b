import type { Shape } from '../../bytes/shape.ts'
import { object, unixSeconds } from '../../bytes/shape.ts'
import { VerifyError } from '../../errors.ts'
import type { AtSign } from '../../key/atsign.ts'
import { atSignShape } from '../../key/atsign.ts'
import type { KeyId } from '../../key/public-key.ts'
import { keyIdShape } from '../../key/public-key.ts'
import type { RequestBody } from '../enrol.ts'
import { checkLease, enrol, liveIdentity, openRequest, requestFields } from '../enrol.ts'
import { parseEnrolmentRequest, requestBytes } from '../enrolment-request.ts'
import { enrolByDelegation, enrolByInvite, viaText } from '../holders.ts'
import type { Kind } from '../kind.ts'
import { tags } from '../names.ts'
import { keyTexts, leaseText, replacesText, tagsText, wordsText } from '../wording.ts'

export type AgentEnrollBody = RequestBody & {
  readonly exp: number
  readonly tags: readonly string[]
  readonly owner?: AtSign
  /** The delegating person's or the invite's key, under whose limits this is; absent: administrators decide. */
  readonly via?: KeyId
}
const body: Shape<AgentEnrollBody> = object({ ...requestFields, exp: unixSeconds, tags }, { owner: atSignShape, via: keyIdShape })

/** An agent. The path (administrators, delegation, invite) stands in the bytes, so that extra signatures never change the state. */
export const agentEnroll: Kind<AgentEnrollBody> = {
  title: 'Enrol an agent',
  body,
  classOf: ({ via }) => (via ? 'holder' : 'routine'),
  describe({ request, exp, tags, owner, via }, { at }, state) {
    const { org, atsign, keys } = parseEnrolmentRequest(requestBytes(request))
    return [
      `${atsign} becomes an agent: it may ask for grants under the policy.`,
      owner ? `It acts for ${owner}, and stops when ${owner} is revoked.` : 'It acts for nobody: it has no owner.',
      ...replacesText(atsign, state),
      ...viaText(via, state),
      leaseText(at, exp),
      tagsText(tags),
      ...keyTexts(atsign, keys),
      wordsText(org, requestBytes(request)),
    ]
  },
  apply(state, entry, suite) {
    const { at, seq, link, body } = entry
    const { exp, tags, owner, via } = body
    const request = openRequest(state, body, 'agent', at, suite)
    if (request.owner && request.owner !== owner) throw new VerifyError('WRONG_OWNER', `the agent asked ${request.owner}`)
    if (owner) liveIdentity(state, owner, 'person')
    checkLease(exp, at, Number.MAX_SAFE_INTEGER, 'the enrolment')
    const { atsign, keys } = request
    const identity = { atsign, kind: 'agent', enrolment: link, keys, tags, exp, admin: false, ...(owner && { owner }) } as const
    if (!via) return { state: enrol(state, seq, identity) }
    return state.invites.has(via) ? enrolByInvite(state, entry, via, identity) : enrolByDelegation(state, entry, via, identity)
  },
}
