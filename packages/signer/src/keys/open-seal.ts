import type { PublicKey } from '@postern/core'
import { keyIdOf, sealSeed } from '@postern/core'
import type { SealSeeds } from '../device/seal-seeds.ts'
import { SignerError } from '../errors.ts'
import { sealKey } from './new-person-keys.ts'
import type { Passkeys } from './passkeys.ts'

export interface OpenSealOptions {
  readonly rpId: string
  /** Key ids that something is sealed to. */
  readonly kids: readonly string[]
  /** Signing keys of the person whose passkey is asked. Empty: whatever the person chooses. */
  readonly ask: readonly PublicKey[]
  readonly genesisNonce: Uint8Array
  readonly passkeys: Passkeys
  readonly sealSeeds: SealSeeds
  random(n: number): Uint8Array
}

/**
 * A seal key of this person that something is sealed to: one kept in this browser, or else the one that a passkey makes when it is asked.
 * What the passkey signs meanwhile is a random challenge, and goes nowhere.
 * @throws {SignerError} CANNOT_OPEN, CANCELLED, PASSKEY_FAILED
 */
export async function openSealKey(options: OpenSealOptions): Promise<{ readonly key: PublicKey; readonly secret: Uint8Array }> {
  const { kids, sealSeeds } = options
  const kept = await sealSeeds.find(kids)
  if (kept) return { key: sealKey(kept.seed), secret: kept.seed }
  const secret = await fromPasskey(options)
  const key = secret && sealKey(secret)
  if (!key || !kids.includes(keyIdOf(key))) throw new SignerError('CANNOT_OPEN')
  return { key, secret }
}

async function fromPasskey({ passkeys, rpId, ask, genesisNonce, random }: OpenSealOptions): Promise<Uint8Array | undefined> {
  const allow = ask.flatMap(({ credential }) => credential ?? [])
  const { prf } = await passkeys.get({ rpId, challenge: random(32), allow, prf: true })
  return prf && sealSeed(prf, genesisNonce)
}
