import type { Shape } from '../../bytes/shape.ts'
import { integer, object, unixSeconds } from '../../bytes/shape.ts'
import { VerifyError } from '../../errors.ts'
import type { RequestBody } from '../enrol.ts'
import { checkLease, enrol, openRequest, requestFields } from '../enrol.ts'
import { parseEnrolmentRequest, requestBytes } from '../enrolment-request.ts'
import type { Kind } from '../kind.ts'
import { serverName, sortedSet, tags } from '../names.ts'
import type { Delegation } from '../state.ts'
import { durationText, utcText } from '../times.ts'
import { countText, keyTexts, leaseText, listText, replacesText, tagsText, wordsText } from '../wording.ts'

/** `servers` absent = any server; an empty list = none. */
export type DelegationBody = {
  readonly agents: number
  readonly tags: readonly string[]
  readonly servers?: readonly string[]
  readonly exp: number
}
const delegation: Shape<DelegationBody> = object(
  { agents: integer(1, 1_000), tags, exp: unixSeconds },
  { servers: sortedSet(serverName, 64) },
)

export type PersonEnrollBody = RequestBody & {
  readonly exp: number
  readonly tags: readonly string[]
  readonly delegation?: DelegationBody
}
const body: Shape<PersonEnrollBody> = object({ ...requestFields, exp: unixSeconds, tags }, { delegation })

/** A person who is no administrator; with a delegation they enrol their own agents alone. */
export const personEnroll: Kind<PersonEnrollBody> = {
  title: 'Enrol a person',
  body,
  classOf: () => 'routine',
  describe({ request, exp, tags, delegation }, { at }, state) {
    const { org, atsign, keys } = parseEnrolmentRequest(requestBytes(request))
    return [
      `${atsign} becomes a person of the organisation, and no administrator.`,
      ...replacesText(atsign, state),
      leaseText(at, exp),
      tagsText(tags),
      delegation ? delegationText(atsign, at, delegation) : `${atsign} cannot enrol agents alone.`,
      ...keyTexts(atsign, keys),
      wordsText(org, requestBytes(request)),
    ]
  },
  apply(state, { at, seq, link, body }, suite) {
    const { atsign, keys } = openRequest(state, body, 'person', at, suite)
    if (state.identities.get(atsign)?.admin) throw new VerifyError('NAME_TAKEN', `${atsign} is an administrator: that is decided by root`)
    checkLease(body.exp, at, Number.MAX_SAFE_INTEGER, 'the enrolment')
    if (body.delegation) checkLease(body.delegation.exp, at, body.exp, 'the delegation')
    const delegation: Delegation | undefined = body.delegation && { ...body.delegation, used: 0 }
    const person = { atsign, kind: 'person', enrolment: link, keys, tags: body.tags, exp: body.exp, admin: false } as const
    return { state: enrol(state, seq, { ...person, ...(delegation && { delegation }) }) }
  },
}

function delegationText(atsign: string, at: number, { agents, tags, servers, exp }: DelegationBody): string {
  const where = servers ? `servers: ${listText(servers, 'none')}` : 'any server'
  return (
    `${atsign} may enrol ${countText(agents, 'agent')} in all without an administrator ` +
    `(tags: ${listText(tags, 'none')}; ${where}), for ${durationText(exp - at)}, until ${utcText(exp)}; their enrolments end by then.`
  )
}
