import type { EdgeSurroundings, PublicKey } from '@postern/core'
import { createControlClient, encodeBase64url, keyIdOf, sealSeed, x25519PublicKey } from '@postern/core'
import type { SealSeeds } from '../device/seal-seeds.ts'
import { SignerError } from '../errors.ts'
import type { NewPasskey, Passkeys } from './passkeys.ts'

/** One passkey's two keys. */
export interface PersonKeys {
  readonly sign: PublicKey
  readonly seal: PublicKey
  /** Where its seal key is: made by the passkey whenever it is asked, or kept in this browser. */
  readonly sealFrom: 'passkey' | 'browser'
  /** The authenticator says that it may be copied to other devices of its owner. */
  readonly synced: boolean
}

export interface MakeOptions {
  readonly rpId: string
  readonly organisation: string
  readonly atsign: string
  readonly exclude: readonly PublicKey[]
  /** 16 bytes of the genesis statement. */
  readonly genesisNonce: Uint8Array
  readonly control: string
  readonly passkeys: Passkeys
  readonly sealSeeds: SealSeeds
  readonly around: EdgeSurroundings
  /** Before the passkey is asked a second time, for the seal key. */
  onSecondPrompt?(): void
}

/**
 * Makes a passkey, and the seal key that goes with it. The public key is read here; the control plane reads it once more with a library of
 * its own, and the two must agree.
 * @throws {SignerError} CANCELLED, PASSKEY_FAILED, ALREADY_HERE
 */
export async function makePersonKeys(options: MakeOptions): Promise<PersonKeys> {
  const { rpId, organisation, atsign, exclude, passkeys } = options
  const passkey = await passkeys.create({
    rpId,
    rpName: organisation,
    atsign,
    exclude: exclude.flatMap(({ credential }) => credential ?? []),
  })
  const sign: PublicKey = {
    ...{ use: 'sign', alg: 'webauthn-es256', key: encodeBase64url(passkey.point), credential: passkey.credential },
    ...(passkey.deviceBound ? { device_bound: true } : {}),
  }
  await compareReadings(passkey, sign, options)
  return { sign, synced: !passkey.deviceBound, ...(await makeSealKey(passkey, options)) }
}

interface Registration {
  readonly key: string
  readonly credential: string
}

async function compareReadings(passkey: NewPasskey, sign: PublicKey, { control, around }: MakeOptions): Promise<void> {
  const client = createControlClient(control, undefined, around)
  const json = {
    credential: passkey.credential,
    client_data: encodeBase64url(passkey.clientData),
    attestation_object: encodeBase64url(passkey.attestationObject),
    transports: passkey.transports,
  }
  const read = await client.call<Registration>('/api/v1/registrations', { json })
  if (read.key !== sign.key || read.credential !== sign.credential)
    throw new SignerError('PASSKEY_FAILED', 'the control plane reads another key in it than this page')
}

async function makeSealKey(passkey: NewPasskey, options: MakeOptions): Promise<Pick<PersonKeys, 'seal' | 'sealFrom'>> {
  const output = passkey.prf === 'later' ? await askForPrf(passkey, options) : passkey.prf
  if (output) return { seal: sealKey(sealSeed(output, options.genesisNonce)), sealFrom: 'passkey' }
  const seed = options.around.random(32)
  const seal = sealKey(seed)
  await options.sealSeeds.keep(keyIdOf(seal), seed)
  return { seal, sealFrom: 'browser' }
}

/** Some authenticators have it only for signing. A no here is not a no to the passkey: its seal key is then kept in the browser. */
async function askForPrf(
  { credential }: NewPasskey,
  { passkeys, rpId, around, onSecondPrompt }: MakeOptions,
): Promise<Uint8Array | undefined> {
  onSecondPrompt?.()
  try {
    return (await passkeys.get({ rpId, challenge: around.random(32), allow: [credential], prf: true })).prf
  } catch (error) {
    if (error instanceof SignerError) return undefined
    throw error
  }
}

export const sealKey = (seed: Uint8Array): PublicKey => ({ use: 'seal', alg: 'x25519', key: encodeBase64url(x25519PublicKey(seed)) })
