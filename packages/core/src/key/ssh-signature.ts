import { decodeBase64, encodeBase64 } from '../bytes/base64.ts'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { concatBytes, equalBytes } from '../bytes/bytes.ts'
import { VerifyError } from '../errors.ts'
import type { PublicKey } from './public-key.ts'
import { keyIdOf } from './public-key.ts'
import type { Signature } from './signature.ts'
import { decodeSshBlob, encodeSshBlob, sshAlgOf, sshNameOf } from './ssh-key.ts'
import { createSshReader, fromMpint, mpint, sshString, uint32 } from './ssh-wire.ts'
import type { Namespace } from './sshsig.ts'
import { NAMESPACES, SSHSIG_MAGIC } from './sshsig.ts'

const BEGIN = '-----BEGIN SSH SIGNATURE-----'
const END = '-----END SSH SIGNATURE-----'
const VERSION = 1
const LINE = 70

/**
 * The armored file that `ssh-keygen -Y verify` reads, for any of our detached signatures but those of passkeys.
 * @see packages/core/spec/signature.md §6
 */
export function toSshSignature(key: PublicKey, namespace: Namespace, signature: Signature): string {
  const fields = [encodeSshBlob(key), namespace, '', 'sha512', encodeInner(key, signature)]
  const blob = concatBytes(SSHSIG_MAGIC, uint32(VERSION), ...fields.map(sshString))
  const lines = encodeBase64(blob).match(new RegExp(`.{1,${LINE}}`, 'g')) ?? []
  return `${[BEGIN, ...lines, END].join('\n')}\n`
}

function encodeInner(key: PublicKey, signature: Signature): Uint8Array {
  const raw = decodeBase64url(signature.sig)
  const numbers = key.alg === 'sk-ecdsa-p256' ? concatBytes(mpint(raw.subarray(0, 32)), mpint(raw.subarray(32))) : raw
  const token = signature.flags === undefined ? [] : [Uint8Array.of(signature.flags), uint32(signature.counter ?? 0)]
  return concatBytes(sshString(sshNameOf(key)), sshString(numbers), ...token)
}

/**
 * Reads what `ssh-keygen -Y sign` wrote. Does NOT verify it (`verifyDetached`), nor say whether its key counts for anything:
 * the key in the file is the signer's own claim.
 * @throws {VerifyError} MALFORMED, BAD_KEY, WRONG_NAMESPACE
 */
export function fromSshSignature(armored: string): { publicKey: PublicKey; namespace: Namespace; signature: Signature } {
  const reader = createSshReader(unarmor(armored))
  if (!equalBytes(reader.take(SSHSIG_MAGIC.length), SSHSIG_MAGIC)) throw new VerifyError('MALFORMED', 'not an SSHSIG')
  if (reader.number() !== VERSION) throw new VerifyError('MALFORMED', 'SSHSIG of another version')
  const publicKey = decodeSshBlob(reader.string(), 'sign')
  const namespace = readNamespace(reader.text())
  if (reader.string().length !== 0) throw new VerifyError('MALFORMED', 'SSHSIG with a reserved field')
  if (reader.text() !== 'sha512') throw new VerifyError('MALFORMED', 'SSHSIG hashed with something else than sha512')
  const signature = { kid: keyIdOf(publicKey), ...decodeInner(publicKey, reader.string()) }
  reader.end()
  return { publicKey, namespace, signature }
}

function readNamespace(text: string): Namespace {
  const namespace = NAMESPACES.find((known) => known === text)
  if (!namespace) throw new VerifyError('WRONG_NAMESPACE', 'signed for something else than Postern')
  return namespace
}

function unarmor(armored: string): Uint8Array {
  const lines = armored.trimEnd().split(/\r?\n/)
  if (lines.length > 64 || lines[0] !== BEGIN || lines.at(-1) !== END) throw new VerifyError('MALFORMED', 'not an SSH signature file')
  return decodeBase64(lines.slice(1, -1).join(''))
}

function decodeInner(key: PublicKey, inner: Uint8Array): Omit<Signature, 'kid'> {
  const reader = createSshReader(inner)
  if (sshAlgOf(reader.text()) !== key.alg) throw new VerifyError('MALFORMED', 'signed with another algorithm than its key')
  const numbers = reader.string()
  const raw = key.alg === 'sk-ecdsa-p256' ? fromMpints(numbers) : numbers
  if (raw.length !== 64) throw new VerifyError('MALFORMED', 'signature of another length than 64 bytes')
  const token = key.alg === 'ssh-ed25519' ? {} : { flags: reader.take(1)[0]!, counter: reader.number() }
  reader.end()
  return { sig: encodeBase64url(raw), ...token }
}

function fromMpints(numbers: Uint8Array): Uint8Array {
  const reader = createSshReader(numbers)
  const raw = concatBytes(fromMpint(reader.string(), 32), fromMpint(reader.string(), 32))
  reader.end()
  return raw
}
