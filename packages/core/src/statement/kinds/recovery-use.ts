import type { Shape } from '../../bytes/shape.ts'
import { object } from '../../bytes/shape.ts'
import { admitPublicKey, publicKeyShape } from '../../key/admission.ts'
import type { PublicKey } from '../../key/public-key.ts'
import { keyIdOf } from '../../key/public-key.ts'
import { endIdentity, reserveKey } from '../enrol.ts'
import { enrolFounders, newKeys } from '../founders.ts'
import { checkUse } from '../key-use.ts'
import type { Kind } from '../kind.ts'
import type { State, Thresholds } from '../state.ts'
import { adminsOf } from '../state.ts'
import { checkReachable, thresholdsShape } from '../thresholds.ts'
import { keyText, listText, thresholdTexts } from '../wording.ts'
import type { Founder } from './genesis.ts'
import { founders, founderTexts } from './genesis.ts'

export type RecoveryUseBody = { readonly admins: readonly Founder[]; readonly thresholds: Thresholds; readonly recovery: PublicKey }
const body: Shape<RecoveryUseBody> = object({ admins: founders, thresholds: thresholdsShape, recovery: publicKeyShape })

/**
 * The recovery key alone replaces all administrators and thresholds. New keys sign as well: that proves possession and is no
 * consent of anybody else. Machines, other people, policy and pins stay.
 */
export const recoveryUse: Kind<RecoveryUseBody> = {
  title: 'Recover the organisation',
  body,
  classOf: () => 'recovery',
  describe({ admins, thresholds, recovery }, _, state) {
    const kept = new Set(admins.map(({ atsign }) => atsign))
    const ended = state ? adminsOf(state).filter(({ atsign }) => !kept.has(atsign)) : []
    const stays = state && keyIdOf(state.recovery) === keyIdOf(recovery)
    return [
      'The recovery key replaces all administrators and thresholds, at once and without anybody else.',
      ...founderTexts(admins),
      ...(state
        ? [
            `These stop being administrators and lose their keys: ${listText(
              ended.map(({ atsign }) => atsign),
              'nobody',
            )}.`,
          ]
        : []),
      ...thresholdTexts(thresholds, state?.thresholds),
      stays ? `The recovery key stays the ${keyText(recovery)}.` : `Afterwards the recovery key is the ${keyText(recovery)}.`,
    ]
  },
  apply(state, { seq, link, body }) {
    const { admins, thresholds } = body
    const listed = new Set(admins.map(({ atsign }) => atsign))
    const others = adminsOf(state).filter(({ atsign }) => !listed.has(atsign))
    const cleared = others.reduce((before, { atsign }) => endIdentity(before, atsign), state)
    const { state: reserved, keys } = replaceRecovery(cleared, body.recovery)
    const next = { ...enrolFounders(reserved, seq, link, admins), thresholds }
    checkReachable(next)
    return { state: next, keys: [{ key: state.recovery, why: 'recovery' }, ...keys, ...newKeys(state, admins)] }
  },
}

/** The recovery key may stay as it is; a new one proves itself. */
function replaceRecovery(state: State, key: PublicKey) {
  checkUse(key, 'recovery')
  if (keyIdOf(key) === keyIdOf(state.recovery) && key.alg === state.recovery.alg) return { state, keys: [] }
  admitPublicKey(key)
  return { state: { ...reserveKey(state, key, 'recovery'), recovery: key }, keys: [{ key, why: 'new-recovery' as const }] }
}
