import type { Shape } from '../../bytes/shape.ts'
import { integer, object, oneOf, unixSeconds } from '../../bytes/shape.ts'
import { VerifyError } from '../../errors.ts'
import { admitPublicKey, publicKeyShape } from '../../key/admission.ts'
import type { AtSign } from '../../key/atsign.ts'
import { atSignShape } from '../../key/atsign.ts'
import type { PublicKey } from '../../key/public-key.ts'
import { keyIdOf } from '../../key/public-key.ts'
import { checkLease, liveIdentity, reserveKey } from '../enrol.ts'
import { checkUse } from '../key-use.ts'
import type { Kind } from '../kind.ts'
import { tags } from '../names.ts'
import { durationText, utcText } from '../times.ts'
import { countText, listText } from '../wording.ts'

const WEEK = 604_800

export type InviteBody = {
  readonly key: PublicKey
  readonly kind: 'gateway' | 'agent'
  readonly tags: readonly string[]
  readonly uses: number
  readonly exp: number
  readonly owner?: AtSign
}
const body: Shape<InviteBody> = object(
  { key: publicKeyShape, kind: oneOf('gateway', 'agent'), tags, uses: integer(1, 100), exp: unixSeconds },
  { owner: atSignShape },
)

/** One token, many machines: whoever holds it enrols machines of one kind, with exactly these tags, under new names. */
export const invite: Kind<InviteBody> = {
  title: 'Make an invite',
  body,
  classOf: ({ kind }) => (kind === 'gateway' ? 'sensitive' : 'routine'),
  describe: ({ key, kind, tags, uses, exp, owner }, { at }) => [
    `Whoever holds the token of this invite can enrol ${countText(uses, kind)} without asking anybody.`,
    `It works for ${durationText(exp - at)}, until ${utcText(exp)}.`,
    `What it enrols has new names and these tags: ${listText(tags, 'none')}.`,
    ...(kind === 'agent' ? [owner ? `Its agents act for ${owner}.` : 'Its agents have no owner.'] : []),
    `The invite's key is ${keyIdOf(key)}.`,
  ],
  apply(state, { at, seq, body }) {
    const { key, kind, tags, uses, exp, owner } = body
    checkUse(key, 'invite')
    admitPublicKey(key)
    checkLease(exp, at, at + WEEK, 'the invite')
    if (owner && kind !== 'agent') throw new VerifyError('WRONG_OWNER', 'a gateway has no owner')
    if (owner) liveIdentity(state, owner, 'person')
    const kid = keyIdOf(key)
    const invite = { kid, key, kind, tags, uses, left: uses, exp, seq, ...(owner && { owner }) }
    const reserved = reserveKey(state, key, 'invite')
    return { state: { ...reserved, invites: new Map(state.invites).set(kid, invite) } }
  },
}
