import type { KeyId, PublicKey, Signature, SignerSite, Suite } from '@postern/core'
import {
  concatBytes,
  encodeBase64url,
  keyId,
  keyIdOf,
  p256FromDer,
  recoverP256,
  signDetached,
  sshsigTbs,
  VerifyError,
  verifyDetached,
} from '@postern/core'
import { SignerError } from '../errors.ts'
import type { Passkeys } from '../keys/passkeys.ts'
import type { Prepared } from './prepare.ts'
import { bytesToSign } from './prepare.ts'

/** With what it is signed. */
export interface SignOptions {
  readonly site: SignerSite
  /** Public keys by which the passkey that answers is recognised; those whose credentials the browser is asked for come first. */
  readonly keys: readonly PublicKey[]
  /** Ask for these only. Empty: whatever passkey the person chooses. */
  readonly ask: readonly PublicKey[]
  readonly passkeys: Passkeys
  readonly suite: Suite
}

/**
 * Asks a passkey to sign exactly what was prepared, and so shown. The challenge is made here, from the bytes and the namespace of their
 * kind; the answer is verified here too, before it leaves.
 * @throws {SignerError} CANCELLED, PASSKEY_FAILED, UNKNOWN_PASSKEY
 */
export async function sign(prepared: Prepared, options: SignOptions): Promise<Signature> {
  const { key, signature } = await assertion(prepared, options)
  if (!key) throw new SignerError('UNKNOWN_PASSKEY')
  return verified({ kid: keyIdOf(key), ...signature }, key, prepared, options)
}

/**
 * The same where the passkey may be one whose public key is not known on this device: then one signature for each of the two keys that
 * fit, of which the verifier knows one.
 */
export async function signUnknown(prepared: Prepared, options: SignOptions): Promise<readonly Signature[]> {
  const { key, signature, message, sig } = await assertion(prepared, options)
  if (key) return [verified({ kid: keyIdOf(key), ...signature }, key, prepared, options)]
  const kids: readonly KeyId[] = recoverP256(message, sig).map(keyId)
  if (kids.length === 0) throw new SignerError('PASSKEY_FAILED', 'BAD_SIGNATURE')
  return kids.map((kid) => ({ kid, ...signature }))
}

async function assertion(prepared: Prepared, { site, keys, ask, passkeys }: SignOptions) {
  const challenge = sshsigTbs(prepared.namespace, bytesToSign(prepared))
  const answer = await passkeys.get({ rpId: site.rpId, challenge, allow: ask.flatMap(({ credential }) => credential ?? []) })
  const sig = p256FromDer(answer.signature)
  const signature = {
    sig: encodeBase64url(sig),
    authenticator_data: encodeBase64url(answer.authenticatorData),
    client_data: encodeBase64url(answer.clientData),
  }
  const message = concatBytes(answer.authenticatorData, await sha256(answer.clientData))
  return { key: [...ask, ...keys].find(({ credential }) => credential === answer.credential), signature, message, sig }
}

const sha256 = async (bytes: Uint8Array) => new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes)))

function verified(signature: Signature, key: PublicKey, prepared: Prepared, { site, suite }: SignOptions): Signature {
  try {
    verifyDetached(key, prepared.namespace, bytesToSign(prepared), signature, site, suite)
    return signature
  } catch (error) {
    if (error instanceof VerifyError) throw new SignerError('PASSKEY_FAILED', `${error.code}: ${error.message}`, { cause: error })
    throw error
  }
}

/** Signs what was prepared with a key that is on paper only: recovery, whose seed is never kept. */
export const signWithSeed = (prepared: Prepared, seed: Uint8Array, suite: Suite): Signature =>
  signDetached(seed, prepared.namespace, bytesToSign(prepared), suite)
