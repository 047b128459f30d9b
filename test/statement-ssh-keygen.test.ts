// Statements, revocations and logins exported from Postern are checked by stock OpenSSH, which knows nothing of us.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Namespace, Signed } from '@postern/core'
import { keyIdOf, toSshPublicKey, toSshSignature } from '@postern/core'
import { afterAll, expect, test } from 'vitest'
import { draft, genesisOf, revocation } from './fixtures/organisation.ts'
import type { TestKey } from './fixtures/people.ts'
import { recoveryKey, signKey } from './fixtures/people.ts'
import { logs } from './fixtures/statement-cases.ts'
import { skipped } from './skipped.ts'

const hasSshKeygen = spawnSync('ssh-keygen', ['-?']).error === undefined
if (!hasSshKeygen) skipped('ssh-keygen -Y verify of exported statements', 'no ssh-keygen')
const folder = mkdtempSync(join(tmpdir(), 'postern-statement-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** `ssh-keygen -Y verify` with an allowed_signers file of this one person. */
function verifies(signed: Signed, signer: TestKey, namespace: Namespace): boolean {
  const signature = signed.signatures.find(({ kid }) => kid === keyIdOf(signer.publicKey))!
  const [allowed, sig] = [join(folder, 'allowed_signers'), join(folder, 'object.sig')]
  writeFileSync(allowed, `ana@acme.example ${toSshPublicKey(signer.publicKey)}\n`)
  writeFileSync(sig, toSshSignature(signer.publicKey, namespace, signature))
  const args = ['-Y', 'verify', '-f', allowed, '-I', 'ana@acme.example', '-n', namespace, '-s', sig]
  return spawnSync('ssh-keygen', args, { input: signed.bytes }).status === 0
}

const { fleet } = logs
const ana = signKey('@ana')
const statement = draft(fleet, 'policy.set', { sha256: fleet.org, name: 'main' })
const bot = { kind: 'grant', id: fleet.org } as const
const objects: readonly (readonly [string, Signed, TestKey, Namespace])[] = [
  ['genesis, by its administrator', genesisOf(), ana, 'postern-statement-v1'],
  ['genesis, by the recovery key', genesisOf(), recoveryKey(), 'postern-statement-v1'],
  ['a statement', statement, ana, 'postern-statement-v1'],
  ['a revocation', revocation(fleet, bot), ana, 'postern-revocation-v1'],
]

test.runIf(hasSshKeygen).each(objects)('ssh-keygen -Y verify accepts %s, and not with one bit changed', (_, signed, signer, namespace) => {
  expect(verifies(signed, signer, namespace)).toBe(true)
  expect(verifies({ ...signed, bytes: signed.bytes.with(20, signed.bytes[20]! ^ 1) }, signer, namespace)).toBe(false)
})

test.runIf(hasSshKeygen)('ssh-keygen -Y verify does not take a statement for a revocation', () => {
  expect(verifies(statement, ana, 'postern-revocation-v1')).toBe(false)
})
