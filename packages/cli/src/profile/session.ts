import type { EdgeFiles, KeyId, PublicKey, RequestKey } from '@postern/core'
import { decodeBase64url, ed25519PublicKey, encodeBase64url, keyIdOf } from '@postern/core'
import type { StateDir } from '@postern/daemon'
import { Secret } from '@postern/daemon'
import { CliError } from '../errors.ts'
import { now } from '../surroundings.ts'

const FILE = 'session.json'

/** The key that signs requests for at most 12 h. It carries no authority. */
export interface Session extends RequestKey {
  readonly kid: KeyId
  readonly public: PublicKey
  /** Unix seconds, by the control plane's word. */
  readonly expires: number
}

export function createSessionKey(random: (n: number) => Uint8Array): { seed: Uint8Array; public: PublicKey } {
  const seed = random(32)
  return { seed, public: { use: 'auth', alg: 'ed25519', key: encodeBase64url(ed25519PublicKey(seed)) } }
}

export async function saveSession(dir: Pick<EdgeFiles, 'write'>, seed: Uint8Array, expires: number): Promise<void> {
  await dir.write(FILE, `${JSON.stringify({ v: 1, seed: encodeBase64url(seed), expires })}\n`)
}

/** Overwrites the key, so that it is gone from here as well. */
export const forgetSession = (dir: Pick<EdgeFiles, 'write'>): Promise<void> => dir.write(FILE, '{}\n')

/**
 * @returns undefined when there is none or it has ended.
 * @throws {OperationError} KEY_FILE_MODE
 */
export async function readSession(dir: StateDir): Promise<Session | undefined> {
  const bytes = await dir.readPrivate(FILE)
  if (!bytes) return undefined
  const { seed, expires } = JSON.parse(new TextDecoder().decode(bytes)) as { seed?: string; expires?: number }
  if (!seed || !expires || expires <= now()) return undefined
  const secret = decodeBase64url(seed)
  const key: PublicKey = { use: 'auth', alg: 'ed25519', key: encodeBase64url(ed25519PublicKey(secret)) }
  return { kid: keyIdOf(key), public: key, secret: new Secret(secret), expires }
}

export const signInError = (
  message = 'you are not signed in',
  why = 'there is no session of this machine, or its 12 hours are over',
): CliError => new CliError('SIGN_IN', message, { why, fix: 'postern login', exit: 'signIn' })
