import type { EdgeFiles, KeyId, PublicKey, RequestKey } from '@postern/core'
import { decodeBase64url, ed25519PublicKey, encodeBase64url, keyIdOf, parseStrictJson, shape } from '@postern/core'
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
 * @returns undefined when there is none, it has ended, or it does not read: then one signs in again.
 * @throws {OperationError} KEY_FILE_MODE
 */
export async function readSession(dir: Pick<EdgeFiles, 'readPrivate'>): Promise<Session | undefined> {
  const stored = parseSession(await dir.readPrivate(FILE))
  if (!stored || stored.expires <= now()) return undefined
  const key: PublicKey = { use: 'auth', alg: 'ed25519', key: encodeBase64url(ed25519PublicKey(stored.seed)) }
  return { kid: keyIdOf(key), public: key, secret: new Secret(stored.seed), expires: stored.expires }
}

const sessionShape = shape.object({ v: shape.oneOf(1), seed: shape.digest, expires: shape.unixSeconds })

function parseSession(bytes: Uint8Array | undefined): { seed: Uint8Array; expires: number } | undefined {
  try {
    if (!bytes) return undefined
    const { seed, expires } = sessionShape(parseStrictJson(bytes, { maxBytes: 4096, maxDepth: 2 }), FILE)
    return { seed: decodeBase64url(seed), expires }
  } catch {
    return undefined
  }
}

export const signInError = (
  message = 'you are not signed in',
  why = 'there is no session of this machine, or its 12 hours are over',
): CliError => new CliError('SIGN_IN', message, { why, fix: 'postern login', exit: 'signIn' })
