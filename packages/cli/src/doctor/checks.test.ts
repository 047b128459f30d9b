import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeEdgeSecrets } from '@postern/core'
import { openStateDir, places } from '@postern/daemon'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { found, genesisOf } from '../../../../test/fixtures/organisation.ts'
import { ed25519Key, seedOf, T0 } from '../../../../test/fixtures/people.ts'
import type { ToldControl } from '../../../../test/fixtures/told-control.ts'
import { openToldControl } from '../../../../test/fixtures/told-control.ts'
import { readSettings } from '../config.ts'
import { OWN_KEY_FILE } from '../keys/person-key.ts'
import { saveProfile } from '../profile/config-file.ts'
import { saveSession } from '../profile/session.ts'
import { runChecks } from './checks.ts'

const branch = found()
/** No name service is asked for a name that none can have. */
const nowhere = `http://${'x'.repeat(64)}.invalid`
const terminal = { stdin: false, stdout: false, stderr: false, columns: undefined }
let environment: { HOME: string }
let control: ToldControl

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: (T0 + 3600) * 1000 })
  environment = { HOME: await mkdtemp(join(tmpdir(), 'postern-doctor-')) }
  control = await openToldControl(branch)
})
afterEach(async () => {
  await control[Symbol.asyncDispose]()
  await rm(environment.HOME, { recursive: true })
  vi.useRealTimers()
})

const directory = () => openStateDir('person', '@ana', places(environment).state)

/** @ana at this machine, with a key and, unless told otherwise, a session. */
async function settle({ url = control.url, isSignedIn = true, org = branch.org } = {}): Promise<void> {
  await saveProfile({ name: 'acme', control: url, org, atsign: '@ana', state: '@ana', key: 'own' }, environment)
  const dir = await directory()
  await dir.write(OWN_KEY_FILE, encodeEdgeSecrets(new Map([['sign', seedOf('@ana sign 1')]])))
  if (isSignedIn) await saveSession(dir, ed25519Key('@ana session', 'auth').seed, T0 + 40_000)
}

async function examine() {
  const checks = await runChecks(readSettings({}, 1, terminal, environment))
  return {
    statuses: Object.fromEntries(checks.map(({ id, status }) => [id, status])),
    of: (id: string) => checks.find((check) => check.id === id)!,
    checks,
  }
}

test('a machine in order has nothing but ok and what does not apply', async () => {
  await settle()
  const { statuses } = await examine()
  expect(statuses).toMatchObject({
    ...{ node: 'ok', profile: 'ok', 'signing key': 'ok', name: 'ok', tls: 'skipped', 'control plane': 'ok' },
    ...{ clock: 'ok', 'sign-in': 'ok', 'authority log': 'ok' },
  })
})

test('a machine that belongs to nobody: everything that needs a profile is skipped, and the fix says how to begin', async () => {
  const { statuses, of } = await examine()
  expect(statuses).toMatchObject({ node: 'ok', profile: 'failed', 'control plane': 'skipped', 'authority log': 'skipped', tls: 'skipped' })
  expect(of('profile').fix).toContain('postern genesis')
})

test('a control plane that is away fails once; what needs it is skipped', async () => {
  await settle({ url: 'http://127.0.0.1:1' })
  expect((await examine()).statuses).toMatchObject({
    'control plane': 'failed',
    clock: 'skipped',
    'authority log': 'skipped',
    'signing key': 'ok',
  })
})

test('a name that leads nowhere is told from a control plane that is away', async () => {
  await settle({ url: nowhere })
  expect((await examine()).statuses).toMatchObject({ name: 'failed', tls: 'warning', 'control plane': 'failed' })
})

test('a control plane that cannot serve is a warning with its own reason', async () => {
  await settle()
  control.told.health = { status: 'degraded', version: '0.1.0', message: 'statement 4 as stored does not verify' }
  expect((await examine()).of('control plane')).toMatchObject({ status: 'warning', detail: expect.stringContaining('statement 4') })
})

test('a clock that is off is a warning that says which way', async () => {
  await settle()
  control.told.aheadSeconds = 90
  expect((await examine()).of('clock')).toMatchObject({
    status: 'warning',
    detail: expect.stringMatching(/^(89|90|91) s behind/),
    fix: expect.any(String),
  })
})

test('without a session the log is not asked for, and the fix is to sign in', async () => {
  await settle({ isSignedIn: false })
  const { statuses, of } = await examine()
  expect(statuses['authority log']).toBe('skipped')
  expect(of('sign-in')).toMatchObject({ status: 'warning', fix: 'postern login' })
})

test('another organisation at the address is a failure, never a warning', async () => {
  await settle()
  const other = genesisOf({ name: 'Other' })
  control.told.log = [other]
  expect((await examine()).statuses['authority log']).toBe('failed')
  control.told.org = found({ name: 'Other' }).org
  expect((await examine()).statuses['authority log']).toBe('failed')
})

test('a key file that others can read fails, with the chmod', async () => {
  await settle()
  await chmod((await directory()).file(OWN_KEY_FILE), 0o644)
  expect((await examine()).of('signing key')).toMatchObject({ status: 'failed', fix: expect.stringMatching(/^chmod 600 /) })
})

test('an address that the log does not name is a warning; without a log it is skipped', async () => {
  await settle()
  const dir = await directory()
  await rm(dir.file('log.jsonl'), { force: true })
  await examine() // fetches the log
  expect((await examine()).of('console')).toMatchObject({ status: 'warning', detail: expect.stringContaining('https://console.example') })
})

test('every finding that is not ok names a fix, unless it was skipped', async () => {
  await settle({ isSignedIn: false, url: nowhere })
  const { checks } = await examine()
  expect(checks.filter(({ status, fix }) => (status === 'failed' || status === 'warning') && !fix)).toEqual([])
})
