import type { Shape } from '../../bytes/shape.ts'
import { object } from '../../bytes/shape.ts'
import { VerifyError } from '../../errors.ts'
import { keyIdOf } from '../../key/public-key.ts'
import type { RequestBody } from '../enrol.ts'
import { enrol, openRequest, requestFields } from '../enrol.ts'
import type { EnrolmentRequest } from '../enrolment-request.ts'
import { parseEnrolmentRequest, requestBytes } from '../enrolment-request.ts'
import type { Kind } from '../kind.ts'
import type { Identity, State } from '../state.ts'
import { keyTexts, wordsText } from '../wording.ts'

export type IdentityRotateBody = RequestBody
const body: Shape<IdentityRotateBody> = object(requestFields)

/** The one other use of these keys: to name their successors. */
const ROTATES = { gateway: 'issue', agent: 'call' } as const

/** New keys for a machine, signed by its present ones. Kind, tags, owner, lease and enrolment stay; so do revocations of them. */
export const identityRotate: Kind<IdentityRotateBody> = {
  title: 'Rotate the keys of a machine',
  body,
  classOf: () => 'holder',
  describe({ request }) {
    const { org, atsign, kind, keys } = parseEnrolmentRequest(requestBytes(request))
    return [
      `The ${kind} ${atsign} replaces all its keys; its present keys end.`,
      `Its present ${ROTATES[kind as keyof typeof ROTATES] ?? 'signing'} key signs this, and no administrator.`,
      ...keyTexts(atsign, keys),
      wordsText(org, requestBytes(request)),
    ]
  },
  apply(state, { at, body }, suite) {
    const { kind, atsign } = parseEnrolmentRequest(requestBytes(body.request))
    const identity = state.identities.get(atsign)
    if (!identity) throw new VerifyError('UNKNOWN_NAME', `${atsign} is not enrolled`)
    if (identity.kind === 'person' || identity.kind !== kind) throw new VerifyError('WRONG_KIND', `${atsign} is a ${identity.kind}`)
    const request = openRequest(state, body, kind, at, suite)
    checkSuccessor(state, identity, request)
    const signer = identity.keys.find(({ use }) => use === ROTATES[identity.kind as 'gateway' | 'agent'])!
    return { state: enrol(state, identity.enrolledSeq, { ...identity, keys: request.keys }), keys: [{ key: signer, why: 'rotation' }] }
  },
}

/** @throws {VerifyError} WRONG_OWNER, KEY_REUSED */
function checkSuccessor(state: State, identity: Identity, request: EnrolmentRequest): void {
  if (request.owner && request.owner !== identity.owner) throw new VerifyError('WRONG_OWNER', `${identity.atsign} keeps its owner`)
  const old = request.keys.map(keyIdOf).find((kid) => state.keys.has(kid))
  if (old) throw new VerifyError('KEY_REUSED', `key ${old} is not new`)
}
