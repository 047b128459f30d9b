import type { Shape } from '../../bytes/shape.ts'
import { object } from '../../bytes/shape.ts'
import { admitPublicKey, publicKeyShape } from '../../key/admission.ts'
import type { PublicKey } from '../../key/public-key.ts'
import { reserveKey } from '../enrol.ts'
import { checkUse } from '../key-use.ts'
import type { Kind } from '../kind.ts'
import { keyText } from '../wording.ts'

export type RecoverySetBody = { readonly key: PublicKey }
const body: Shape<RecoverySetBody> = object({ key: publicKeyShape })

/** Another recovery key. The old one signs too, so stolen administrator keys cannot take it away; the new one proves itself. */
export const recoverySet: Kind<RecoverySetBody> = {
  title: 'Change the recovery key',
  body,
  classOf: () => 'root',
  describe: ({ key }, _, state) => [
    `Whoever holds the ${keyText(key)} can from now on replace all administrators alone.`,
    `The present recovery key${state ? `, ${keyText(state.recovery)},` : ''} ends, and must sign this as well.`,
  ],
  apply(state, { body: { key } }) {
    checkUse(key, 'recovery')
    admitPublicKey(key)
    return {
      state: { ...reserveKey(state, key, 'recovery'), recovery: key },
      keys: [
        { key: state.recovery, why: 'recovery' },
        { key, why: 'new-recovery' },
      ],
    }
  },
}
