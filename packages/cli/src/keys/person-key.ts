import type { Namespace, PublicKey, Signature } from '@postern/core'
import {
  ed25519PublicKey,
  encodeBase64url,
  encodeEdgeSecrets,
  fromSshPublicKey,
  parseEdgeSecrets,
  secretOf,
  signDetached,
} from '@postern/core'
import type { StateDir } from '@postern/daemon'
import { readIfThere, Secret } from '@postern/daemon'
import { CliError } from '../errors.ts'
import { surroundings } from '../surroundings.ts'
import { signWithSshKeygen } from './ssh-keygen.ts'

/** A key a person signs with. */
export interface PersonKey {
  readonly public: PublicKey
  /** Where it is, for people. */
  readonly where: string
  sign(namespace: Namespace, bytes: Uint8Array): Promise<Signature>
  /** A passkey: it signs in a browser, at the signing page, and never here. */
  readonly isPasskey?: true
}

/** Postern's own key file, inside the person's state directory. */
export const OWN_KEY_FILE = 'sign.json'
export const OWN_KEY = 'own'
/** A passkey of this person, which signs in a browser. Which one it was is known from the last login. */
export const PASSKEY = 'passkey'
const PASSKEY_FILE = 'passkey.json'

/** Makes Postern's own signing key, 0600, or takes the one that is there. */
export async function createOwnKey(dir: StateDir): Promise<PersonKey> {
  if (await dir.readPrivate(OWN_KEY_FILE)) return openOwnKey(dir)
  await dir.write(OWN_KEY_FILE, encodeEdgeSecrets(new Map([['sign', surroundings.random(32)]])))
  return openOwnKey(dir)
}

/**
 * @param key `own`, `passkey`, or the path of a public key file.
 * @throws {CliError} KEY_UNUSABLE; {OperationError} KEY_FILE_MODE with the chmod that repairs it
 */
export function openPersonKey(key: string, dir: StateDir): Promise<PersonKey> {
  if (key === PASSKEY) return openPasskey(dir)
  return key === OWN_KEY ? openOwnKey(dir) : openSshKey(key)
}

/** Remembers the public half of the passkey that signed the login, as the log has it. */
export const keepPasskey = (dir: StateDir, key: PublicKey): Promise<void> => dir.write(PASSKEY_FILE, `${JSON.stringify({ v: 1, key })}\n`)

async function openPasskey(dir: StateDir): Promise<PersonKey> {
  const bytes = await dir.read(PASSKEY_FILE)
  if (!bytes) throw unusable('it is not known which passkey is yours', 'postern login')
  const { key } = JSON.parse(new TextDecoder().decode(bytes)) as { key: PublicKey }
  const sign = () =>
    Promise.reject(unusable('a passkey signs in a browser, not here', 'postern pending shows what waits; the signing page signs it'))
  return { public: key, where: 'a passkey, in the browser', sign, isPasskey: true }
}

async function openOwnKey(dir: StateDir): Promise<PersonKey> {
  const bytes = await dir.readPrivate(OWN_KEY_FILE)
  const where = dir.file(OWN_KEY_FILE)
  if (!bytes) throw unusable(`there is no signing key in ${where}`)
  return seedKey(secretOf(parseEdgeSecrets(bytes), 'sign'), 'sign', where)
}

function seedKey(seed: Uint8Array, use: 'sign' | 'recovery', where: string): PersonKey {
  const secret = new Secret(seed)
  return {
    public: { use, alg: 'ssh-ed25519', key: encodeBase64url(ed25519PublicKey(seed)) },
    where,
    sign: async (namespace, bytes) => signDetached(secret.expose(), namespace, bytes, surroundings.suite),
  }
}

/** A new recovery key and the text of the file it goes into. Nothing is written. */
export function createRecoveryKey(path: string): { readonly text: Uint8Array; readonly key: PersonKey } {
  const seed = surroundings.random(32)
  return { text: encodeEdgeSecrets(new Map([['recovery', seed]])), key: seedKey(seed, 'recovery', path) }
}

/** A key of OpenSSH: its private half is beside the file, in ssh-agent, or in a FIDO2 token. */
export async function openSshKey(path: string): Promise<PersonKey> {
  const line = await readIfThere(path)
  if (!line) throw unusable(`there is no public key in ${path}`)
  const key = parsePublicKey(new TextDecoder().decode(line), path)
  return { public: key, where: path, sign: (namespace, bytes) => signWithSshKeygen(path, key, namespace, bytes) }
}

function parsePublicKey(text: string, path: string): PublicKey {
  try {
    return fromSshPublicKey(text)
  } catch (cause) {
    throw unusable(
      `${path} holds no usable public key: ${(cause as Error).message}`,
      'give a .pub file of an ed25519, ed25519-sk or ecdsa-sk key',
      cause,
    )
  }
}

const unusable = (message: string, fix?: string, cause?: unknown) =>
  new CliError('KEY_UNUSABLE', message, { exit: 'failed', ...(fix ? { fix } : {}), ...(cause ? { cause } : {}) })
