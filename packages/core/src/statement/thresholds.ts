import type { Shape } from '../bytes/shape.ts'
import { list, object, oneOf } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import type { PublicKey } from '../key/public-key.ts'
import { ADMIN_CLASSES } from './kind.ts'
import { threshold } from './names.ts'
import type { SignerKind, State, Threshold, Thresholds } from './state.ts'
import { adminsOf } from './state.ts'

const kinds = list(oneOf('passkey', 'ssh'), 2, 1)
const thresholdShape: Shape<Threshold> = object({ m: threshold }, { kinds })
export const thresholdsShape: Shape<Thresholds> = object({ root: thresholdShape, sensitive: thresholdShape, routine: thresholdShape })

/** A key file, ssh-agent or FIDO key is `ssh`, whatever its algorithm; only WebAuthn is `passkey`. */
export const signerKindOf = (key: PublicKey): SignerKind => (key.alg === 'webauthn-es256' ? 'passkey' : 'ssh')

/**
 * Nobody may lock the organisation out: each threshold can be met by the administrators there are.
 * @throws {VerifyError} THRESHOLD_UNREACHABLE
 */
export function checkReachable(state: State): void {
  const admins = adminsOf(state)
  const kinds = new Set(admins.flatMap((admin) => admin.keys.filter((key) => key.use === 'sign').map(signerKindOf)))
  for (const of of ADMIN_CLASSES) {
    const { m, kinds: wanted = [] } = state.thresholds[of]
    const missing = wanted.find((kind) => !kinds.has(kind))
    if (m > admins.length || missing) {
      throw new VerifyError(
        'THRESHOLD_UNREACHABLE',
        `${of} needs ${missing ? `a ${missing} key` : `${m} of ${admins.length}`}: nobody could meet it`,
      )
    }
  }
}
