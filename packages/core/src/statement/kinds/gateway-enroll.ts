import type { Shape } from '../../bytes/shape.ts'
import { object, unixSeconds } from '../../bytes/shape.ts'
import type { KeyId } from '../../key/public-key.ts'
import { keyIdShape } from '../../key/public-key.ts'
import type { RequestBody } from '../enrol.ts'
import { checkLease, enrol, openRequest, requestFields } from '../enrol.ts'
import { parseEnrolmentRequest, requestBytes } from '../enrolment-request.ts'
import { enrolByInvite, viaText } from '../holders.ts'
import type { Kind } from '../kind.ts'
import { tags } from '../names.ts'
import { keyTexts, leaseText, replacesText, tagsText, wordsText } from '../wording.ts'

export type GatewayEnrollBody = RequestBody & { readonly exp: number; readonly tags: readonly string[]; readonly via?: KeyId }
const body: Shape<GatewayEnrollBody> = object({ ...requestFields, exp: unixSeconds, tags }, { via: keyIdShape })

/** A gateway: enforces the policy in front of servers. Replacing one keeps its name and so its server pins. */
export const gatewayEnroll: Kind<GatewayEnrollBody> = {
  title: 'Enrol a gateway',
  body,
  classOf: ({ via }) => (via ? 'holder' : 'sensitive'),
  describe({ request, exp, tags, via }, { at }, state) {
    const { org, atsign, keys } = parseEnrolmentRequest(requestBytes(request))
    return [
      `${atsign} becomes a gateway: it issues grants and enforces the policy for the servers pinned to it.`,
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
    const { atsign, keys } = openRequest(state, body, 'gateway', at, suite)
    checkLease(body.exp, at, Number.MAX_SAFE_INTEGER, 'the enrolment')
    const identity = { atsign, kind: 'gateway', enrolment: link, keys, tags: body.tags, exp: body.exp, admin: false } as const
    if (body.via) return enrolByInvite(state, entry, body.via, identity)
    return { state: enrol(state, seq, identity) }
  },
}
