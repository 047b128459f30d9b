import { execFile, spawnSync } from 'node:child_process'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { utf8, verifyDetached } from '@postern/core'
import type { StateDir } from '@postern/daemon'
import { native, openStateDir } from '@postern/daemon'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Home } from '../../../../test/fixtures/processes.ts'
import { openHome } from '../../../../test/fixtures/processes.ts'
import { skipped } from '../../../../test/skipped.ts'
import { chooseSshKey } from './choose.ts'
import type { PersonKey } from './person-key.ts'
import { createOwnKey, createRecoveryKey, OWN_KEY_FILE, openPersonKey } from './person-key.ts'

const run = promisify(execFile)
const hasSshKeygen = spawnSync('ssh-keygen', ['-?']).error === undefined
if (!hasSshKeygen) skipped('signing with ssh-keygen', 'there is no ssh-keygen')

let home: Home
let dir: StateDir
beforeEach(async () => {
  home = await openHome('cli-keys')
  dir = await openStateDir('person', '@ana', home.state)
})
afterEach(() => home[Symbol.asyncDispose]())

const bytes = utf8('what a person signs')
const site = { origins: ['http://localhost:3001'], rpId: 'localhost' }
const isSignedBy = async (key: PersonKey, namespace = 'postern-statement-v1' as const) =>
  verifyDetached(key.public, namespace, bytes, await key.sign(namespace, bytes), site, native)

describe('Postern’s own key file', () => {
  test('is made once, 0600, and signs', async () => {
    const key = await createOwnKey(dir)
    expect((await stat(dir.file(OWN_KEY_FILE))).mode & 0o777).toBe(0o600)
    expect(key.public).toMatchObject({ use: 'sign', alg: 'ssh-ed25519' })
    await isSignedBy(key)
    expect((await createOwnKey(dir)).public).toEqual(key.public)
    expect((await openPersonKey('own', dir)).public).toEqual(key.public)
  })

  test('that is gone is named', async () => {
    await expect(openPersonKey('own', dir)).rejects.toMatchObject({ code: 'KEY_UNUSABLE', message: expect.stringContaining(OWN_KEY_FILE) })
  })

  test('that is broken is refused without a word of what it holds', async () => {
    await writeFile(dir.file(OWN_KEY_FILE), '{"v":1,"secrets":{"sign":"c2VjcmV0"}}', { mode: 0o600 })
    const error = await openPersonKey('own', dir).catch((caught) => caught)
    expect(error.code).toBe('KEYS_INVALID')
    expect(`${error.message} ${error.stack}`).not.toContain('c2VjcmV0')
  })

  test('does not show its secret when printed', async () => {
    const key = await createOwnKey(dir)
    const { secrets } = JSON.parse(await readFile(dir.file(OWN_KEY_FILE), 'utf8'))
    expect(JSON.stringify(key)).not.toContain(secrets.sign)
  })
})

test('a recovery key has its own use and file', () => {
  const { key, text } = createRecoveryKey('/drawer/recovery.json')
  expect(key.public.use).toBe('recovery')
  expect(key.where).toBe('/drawer/recovery.json')
  expect(JSON.parse(Buffer.from(text).toString())).toMatchObject({ v: 1, secrets: { recovery: expect.any(String) } })
})

describe.skipIf(!hasSshKeygen)('a key of OpenSSH', () => {
  const make = async (name: string, type = 'ed25519') => {
    const path = join(home.path, name)
    await run('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'ana', '-f', path])
    return path
  }

  test('signs through ssh-keygen, under the namespace of what is signed', async () => {
    const key = await chooseSshKey(await make('id'), dir)
    expect(key.public).toMatchObject({ use: 'sign', alg: 'ssh-ed25519' })
    await isSignedBy(key)
    const signature = await key.sign('postern-login-v1', bytes)
    expect(() => verifyDetached(key.public, 'postern-statement-v1', bytes, signature, site, native)).toThrow()
  })

  test('may be named by its public half', async () => {
    const path = await make('id')
    expect((await chooseSshKey(`${path}.pub`, dir)).public).toEqual((await chooseSshKey(path, dir)).public)
  })

  test('of a kind that Postern does not know is refused', async () => {
    await expect(chooseSshKey(`${await make('rsa', 'rsa')}.pub`, dir)).rejects.toMatchObject({ code: 'KEY_UNUSABLE' })
  })

  test('whose private half is nowhere cannot sign, and says so', async () => {
    const path = await make('id')
    await rm(path)
    const key = await chooseSshKey(`${path}.pub`, dir)
    await expect(key.sign('postern-statement-v1', bytes)).rejects.toMatchObject({ code: 'KEY_UNUSABLE' })
  })
})

test('a public key file that is not there is named', async () => {
  await expect(chooseSshKey('/nowhere/id.pub', dir)).rejects.toMatchObject({
    code: 'KEY_UNUSABLE',
    message: expect.stringContaining('/nowhere/id.pub'),
  })
})
