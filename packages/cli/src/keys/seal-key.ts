import type { PublicKey } from '@postern/core'
import { encodeBase64url, encodeEdgeSecrets, parseEdgeSecrets, secretOf, x25519PublicKey } from '@postern/core'
import type { StateDir } from '@postern/daemon'
import { Secret } from '@postern/daemon'
import { surroundings } from '../surroundings.ts'

/** The key to which held calls are sealed for this person, on this machine. It opens and never signs. */
export interface SealKey {
  readonly public: PublicKey
  readonly secret: Secret<Uint8Array>
}

/** Beside the signing key, or for people whose signing key is elsewhere: random, 0600. */
export const SEAL_KEY_FILE = 'seal.json'

/** Makes the seal key of this machine, or takes the one that is there. It counts once it is in the log. */
export async function createSealKey(dir: StateDir): Promise<SealKey> {
  const known = await openSealKey(dir)
  if (known) return known
  await dir.write(SEAL_KEY_FILE, encodeEdgeSecrets(new Map([['seal', surroundings.random(32)]])))
  return (await openSealKey(dir))!
}

/** @returns undefined when there is none. @throws {OperationError} KEY_FILE_MODE with the chmod that repairs it */
export async function openSealKey(dir: StateDir): Promise<SealKey | undefined> {
  const bytes = await dir.readPrivate(SEAL_KEY_FILE)
  if (!bytes) return undefined
  const seed = secretOf(parseEdgeSecrets(bytes), 'seal')
  return { public: { use: 'seal', alg: 'x25519', key: encodeBase64url(x25519PublicKey(seed)) }, secret: new Secret(seed) }
}
