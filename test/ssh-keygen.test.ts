// Stock OpenSSH checks what Postern exports, and Postern reads what OpenSSH signs.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Namespace, PublicKey, Signature } from '@postern/core'
import {
  admitPublicKey,
  decodeBase64url,
  ed25519PublicKey,
  encodeBase64url,
  encodeCanonical,
  fromSshPublicKey,
  fromSshSignature,
  NAMESPACES,
  portable,
  signDetached,
  toSshPublicKey,
  toSshSignature,
  verifyDetached,
} from '@postern/core'
import { afterAll, expect, test } from 'vitest'
import { outcome, readVectors } from './read-vectors.ts'
import { skipped } from './skipped.ts'

const hasSshKeygen = spawnSync('ssh-keygen', ['-?']).error === undefined
if (!hasSshKeygen) skipped('agreement with ssh-keygen -Y', 'no ssh-keygen')
const folder = mkdtempSync(join(tmpdir(), 'postern-ssh-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (name: string, content: string | Uint8Array, mode = 0o600) => {
  writeFileSync(join(folder, name), content, { mode })
  return join(folder, name)
}

/** What `ssh-keygen -Y verify` says to bytes and a signature file, with this one key allowed. */
function opensshAccepts(key: PublicKey, namespace: string, bytes: Uint8Array, armored: string): boolean {
  const allowed = file('allowed_signers', `admin@example.org ${toSshPublicKey(key)}\n`)
  const args = ['-Y', 'verify', '-f', allowed, '-I', 'admin@example.org', '-n', namespace, '-s', file('object.sig', armored)]
  return spawnSync('ssh-keygen', args, { input: bytes }).status === 0
}

const seed = new Uint8Array(32).fill(11)
const key: PublicKey = { use: 'sign', alg: 'ssh-ed25519', key: encodeBase64url(ed25519PublicKey(seed)) }
const bytes = encodeCanonical({ op: 'release', seq: 3, v: 1 })

test.runIf(hasSshKeygen).each(NAMESPACES)(
  'ssh-keygen -Y verify accepts an exported signature under %s, and no changed one',
  (namespace) => {
    const signature = signDetached(seed, namespace, bytes, portable)
    const armored = toSshSignature(key, namespace, signature)
    const other = NAMESPACES.find((n) => n !== namespace)!
    expect(opensshAccepts(key, namespace, bytes, armored)).toBe(true)
    expect(opensshAccepts(key, namespace, Uint8Array.of(...bytes, 10), armored)).toBe(false)
    expect(opensshAccepts(key, other, bytes, armored)).toBe(false)
    const forged = { ...signature, sig: encodeBase64url(decodeBase64url(signature.sig).with(7, 0)) }
    expect(opensshAccepts(key, namespace, bytes, toSshSignature(key, namespace, forged))).toBe(false)
  },
)

type Detached = { key: PublicKey; namespace: Namespace; bytes: string; signature: Signature }
const exportable = readVectors<Detached>('signature/detached.json').filter(
  ({ key: { alg }, expect: code }) => /^(ssh|sk)-/.test(alg) && ['ok', 'BAD_SIGNATURE', 'USER_NOT_VERIFIED'].includes(code),
)

test.runIf(hasSshKeygen).each(exportable)('ssh-keygen agrees: $name → $expect', ({ key, namespace, bytes, signature, expect: code }) => {
  // The untouched security key is the one point where we ask for more than ssh-keygen -Y verify does.
  const armored = toSshSignature(key, namespace, signature)
  expect(opensshAccepts(key, namespace, decodeBase64url(bytes), armored)).toBe(code !== 'BAD_SIGNATURE')
})

test.runIf(hasSshKeygen)('what ssh-keygen -Y sign writes is read and verified, and its key is admitted', () => {
  const made = spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'ana@laptop', '-f', join(folder, 'id')])
  expect(made.status).toBe(0)
  const publicKey = fromSshPublicKey(readFileSync(join(folder, 'id.pub'), 'utf8'))
  admitPublicKey(publicKey)
  const args = ['-Y', 'sign', '-f', join(folder, 'id'), '-n', 'postern-statement-v1']
  const armored = spawnSync('ssh-keygen', args, { input: bytes, encoding: 'utf8' }).stdout
  const read = fromSshSignature(armored)
  expect(read.publicKey).toEqual(publicKey)
  const verify = (namespace: Namespace, b: Uint8Array) =>
    outcome(() => verifyDetached(publicKey, namespace, b, read.signature, { origins: [], rpId: '' }, portable))
  expect(verify('postern-statement-v1', bytes)).toBe('ok')
  expect(verify('postern-login-v1', bytes)).toBe('BAD_SIGNATURE')
  expect(verify('postern-statement-v1', Uint8Array.of(...bytes, 10))).toBe('BAD_SIGNATURE')
  expect(toSshSignature(publicKey, read.namespace, read.signature)).toBe(armored)
})

test.runIf(hasSshKeygen)('signatures of other keys and for other programs are refused', () => {
  spawnSync('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-N', '', '-f', join(folder, 'rsa')])
  const sign = (id: string, namespace: string) =>
    spawnSync('ssh-keygen', ['-Y', 'sign', '-f', join(folder, id), '-n', namespace], { input: bytes, encoding: 'utf8' }).stdout
  expect(outcome(() => fromSshSignature(sign('rsa', 'postern-statement-v1')))).toBe('MALFORMED')
  expect(outcome(() => fromSshSignature(sign('id', 'git')))).toBe('WRONG_NAMESPACE')
  expect(outcome(() => fromSshPublicKey(readFileSync(join(folder, 'rsa.pub'), 'utf8')))).toBe('MALFORMED')
})
