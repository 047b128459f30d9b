import { decodeBase64, encodeBase64 } from '../bytes/base64.ts'
import { encodeBase64url } from '../bytes/base64url.ts'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { VerifyError } from '../errors.ts'
import { publicKeyShape } from './admission.ts'
import type { KeyAlg, PublicKey } from './public-key.ts'
import { rawKey } from './public-key.ts'
import { createSshReader, sshString } from './ssh-wire.ts'
import { SUITES } from './suites.ts'

const CURVE = 'nistp256'
/** Our algorithms by the name OpenSSH gives them. `ed25519` keys are written as `ssh-ed25519` and come back as such. */
const SSH_ALGS = ['ssh-ed25519', 'sk-ssh-ed25519', 'sk-ecdsa-p256'] as const satisfies readonly KeyAlg[]
export type SshAlg = (typeof SSH_ALGS)[number]

/** The OpenSSH name of a key's algorithm. A TypeError for keys OpenSSH does not know. */
export function sshNameOf(key: PublicKey): string {
  const name = SUITES[key.alg].sshName
  if (name === undefined) throw new TypeError(`OpenSSH has no ${key.alg} keys`)
  return name
}

/** @throws {VerifyError} MALFORMED for a name that is none of ours. */
export function sshAlgOf(name: string): SshAlg {
  const alg = SSH_ALGS.find((candidate) => SUITES[candidate].sshName === name)
  if (alg === undefined) throw new VerifyError('MALFORMED', 'not an Ed25519, sk-ssh-ed25519 or sk-ecdsa key')
  return alg
}

/** RFC 4253 §6.6 public key blob; for tokens as in PROTOCOL.u2f. */
export function encodeSshBlob(key: PublicKey): Uint8Array {
  const curve = key.alg === 'sk-ecdsa-p256' ? [sshString(CURVE)] : []
  const app = key.app === undefined ? [] : [sshString(utf8(key.app))]
  return concatBytes(sshString(sshNameOf(key)), ...curve, sshString(rawKey(key)), ...app)
}

/** @throws {VerifyError} MALFORMED, BAD_KEY, WRONG_KEY_USE */
export function decodeSshBlob(blob: Uint8Array, use: PublicKey['use']): PublicKey {
  const reader = createSshReader(blob)
  const alg = sshAlgOf(reader.text())
  if (alg === 'sk-ecdsa-p256' && reader.text() !== CURVE) throw new VerifyError('MALFORMED', 'not a P-256 key')
  const raw = reader.string()
  const app = alg === 'ssh-ed25519' ? {} : { app: reader.text() }
  reader.end()
  if (raw.length !== SUITES[alg].keyBytes) throw new VerifyError('BAD_KEY', `a ${alg} key has ${SUITES[alg].keyBytes} bytes`)
  return publicKeyShape({ use, alg, key: encodeBase64url(raw), ...app }, 'key')
}

/** A line for authorized_keys or allowed_signers: `ssh-ed25519 AAAA… comment`. */
export function toSshPublicKey(key: PublicKey, comment = ''): string {
  if (/[\r\n]/.test(comment)) throw new TypeError('a comment is one line')
  return `${sshNameOf(key)} ${encodeBase64(encodeSshBlob(key))}${comment ? ` ${comment}` : ''}`
}

/**
 * Reads a `.pub` line into a key object of the right shape. The comment is dropped, options in front are refused. Does NOT
 * admit the key (`admitPublicKey`).
 * @throws {VerifyError} MALFORMED, BAD_KEY, WRONG_KEY_USE
 */
export function fromSshPublicKey(line: string, use: PublicKey['use'] = 'sign'): PublicKey {
  const [name = '', blob = ''] = line.trim().split(/[ \t]+/, 2)
  if (/[\r\n]/.test(line.trim())) throw new VerifyError('MALFORMED', 'more than one line')
  const key = decodeSshBlob(decodeBase64(blob), use)
  if (sshNameOf(key) !== name) throw new VerifyError('MALFORMED', 'the line names another algorithm than its key')
  return key
}
