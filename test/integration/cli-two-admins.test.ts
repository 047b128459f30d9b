// Two people decide together, each with an OpenSSH key of their own, on machines of their own.
import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli, runCliJson } from '../fixtures/cli.ts'
import type { ControlChild, Home } from '../fixtures/processes.ts'
import { freePorts, openHome, startControl } from '../fixtures/processes.ts'
import { skipped } from '../skipped.ts'

const run = promisify(execFile)
const hasSshKeygen = spawnSync('ssh-keygen', ['-?']).error === undefined
if (!hasSshKeygen) skipped('two administrators with OpenSSH keys', 'there is no ssh-keygen')

let ana: Home
let bob: Home
let control: ControlChild
let link: string
const keyOf = (home: Home) => join(home.path, 'id_ed25519.pub')

beforeAll(async () => {
  if (!hasSshKeygen) return
  ana = await openHome('cli-ana')
  bob = await openHome('cli-bob')
  for (const home of [ana, bob]) await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', keyOf(home).slice(0, -'.pub'.length)])
  const [port] = (await freePorts(1)) as [number]
  control = await startControl(ana, { port })
})
afterAll(async () => {
  await control?.stop('SIGKILL')
  await ana?.[Symbol.asyncDispose]()
  await bob?.[Symbol.asyncDispose]()
})

describe.skipIf(!hasSshKeygen)('two administrators', () => {
  test('found an organisation in which root takes both', async () => {
    const genesis = [
      'genesis',
      `${control.url}#${control.secret}`,
      '--name',
      'Acme',
      '--as',
      '@ana',
      '--key',
      keyOf(ana),
      '--admin',
      `@bob=${keyOf(bob)}`,
    ]
    const { org } = await runCliJson<{ org: string }>(ana, [...genesis, '--yes'])
    link = `${control.url}#${org}`
    expect(await runCliJson(ana, ['login'])).toMatchObject({ role: 'admin' })
    expect(await runCliJson(ana, ['org', 'show'])).toMatchObject({
      admins: ['@ana', '@bob'],
      thresholds: { root: { m: 2 }, sensitive: { m: 1 } },
    })
  })

  test('the second one pins the organisation from the first one’s words, and signs in', async () => {
    expect((await runCli(bob, ['login', link, '--as', '@bob', '--key', keyOf(bob)])).code).toBe(2) // nobody compared the words
    expect(await runCliJson(bob, ['login', link, '--as', '@bob', '--key', keyOf(bob), '--yes'])).toMatchObject({
      atsign: '@bob',
      role: 'admin',
    })
  })

  test('a third one is added by two signatures, and not by one', async () => {
    const carol = await openHome('cli-carol')
    const { join: joinString } = await runCliJson<{ join: string }>(ana, ['code', 'new', 'person'])
    const { words } = await runCliJson<{ words: string[] }>(carol, ['people', 'enroll', joinString, '--as', '@carol', '--no-wait'])
    const approved = await runCli(ana, ['approve', '@carol', '--words', words.join(' '), '--admin', '--json'])
    expect(approved.code).toBe(6)
    const { hash } = JSON.parse(approved.stdout).data
    expect(approved.stderr).toContain(`postern sign ${hash}`)

    expect((await runCliJson<{ statements: { hash: string; missing: string }[] }>(bob, ['pending'])).statements).toMatchObject([
      { hash, missing: '1 of 2 signatures' },
    ])
    expect((await runCli(bob, ['sign', hash.slice(0, 8), '--yes'])).code).toBe(2) // the queue is the control plane's word
    expect(await runCliJson(bob, ['sign', hash, '--yes'])).toMatchObject({ status: 'appended', op: 'admin.add' })
    expect(await runCliJson(ana, ['org', 'show'])).toMatchObject({ admins: ['@ana', '@bob', '@carol'], seq: 1 })
    await carol[Symbol.asyncDispose]()
  })

  test('a statement that one of them turns down is off the list, and the log does not have it', async () => {
    const dave = await openHome('cli-dave')
    const { join: joinString } = await runCliJson<{ join: string }>(ana, ['code', 'new', 'person'])
    const { words } = await runCliJson<{ words: string[] }>(dave, ['people', 'enroll', joinString, '--as', '@dave', '--no-wait'])
    const approved = await runCli(ana, ['approve', '@dave', '--words', words.join(' '), '--admin', '--json'])
    const { hash } = JSON.parse(approved.stdout).data
    expect((await runCli(bob, ['refuse', hash, '--reason', 'who is that?', '--yes'])).code).toBe(0)
    expect((await runCliJson<{ statements: unknown[] }>(ana, ['pending'])).statements).toEqual([])
    expect(await runCliJson(ana, ['org', 'show'])).toMatchObject({ seq: 1 })
    await dave[Symbol.asyncDispose]()
  })

  test('whoever is none of them cannot sign, whatever key they have', async () => {
    const eve = await openHome('cli-eve')
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', keyOf(eve).slice(0, -'.pub'.length)])
    const { code, stderr } = await runCli(eve, ['login', link, '--as', '@bob', '--key', keyOf(eve), '--yes'])
    expect(code).toBe(1)
    expect(stderr).toContain('ref: BAD_SIGNATURE')
    await eve[Symbol.asyncDispose]()
  })
})
