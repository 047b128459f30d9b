import { VerifyError } from '../errors.ts'
import type { KeyUse, PublicKey } from '../key/public-key.ts'

/** @throws {VerifyError} WRONG_KEY_USE */
export function checkUse(key: PublicKey, use: KeyUse): void {
  if (key.use !== use) throw new VerifyError('WRONG_KEY_USE', `expected a ${use} key, found one for ${key.use}`)
}
