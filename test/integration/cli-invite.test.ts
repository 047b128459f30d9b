// Fleet tokens: machines enrol themselves within signed limits, many at once, without anybody at a screen.
import { execFile } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSignerRequest } from '@postern/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli, runCliJson } from '../fixtures/cli.ts'
import type { HttpControl } from '../fixtures/connector/http-control.ts'
import { openHttpControl } from '../fixtures/connector/http-control.ts'
import type { Home } from '../fixtures/processes.ts'
import { freePorts, openHome, root, scripts, until } from '../fixtures/processes.ts'

let home: Home
let control: HttpControl
beforeAll(async () => {
  home = await openHome('cli-invite')
  const [port] = (await freePorts(1)) as [number]
  control = await openHttpControl(home.path, port, [])
  await runCliJson(home, ['genesis', `${control.url}#${control.secret}`, '--name', 'Fleet', '--as', '@ana', '--yes'])
  await runCliJson(home, ['login'])
})
afterAll(async () => {
  await control[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const file = (name: string) => join(home.path, name)
interface Made {
  readonly seq: number
  readonly uses: number
  readonly file: string
}
const create = (name: string, ...more: string[]) =>
  runCliJson<Made>(home, ['invite', 'new', 'agent', '--token-file', file(name), '--yes', ...more])
interface Listed {
  readonly kid: string
  readonly state: string
  readonly left: number
  readonly tags: readonly string[]
}
const list = () => runCliJson<Listed[]>(home, ['invite', 'list'])

describe('an invite', () => {
  test('is a file that only its owner reads, and limits in the log; its token is nowhere else', async () => {
    const made = await create('three', '--uses', '3', '--tags', 'ci,eu', '--owner', '@ana')
    expect(statSync(made.file).mode & 0o777).toBe(0o600)
    expect(readFileSync(made.file, 'utf8')).toMatch(new RegExp(`^${control.url}#[\\w-]{43}\\.[\\w-]{22}\\n$`))
    expect(await list()).toMatchObject([{ state: 'open', left: 3, tags: ['ci', 'eu'], owner: '@ana', kind: 'agent' }])
  })

  test('enrols as many machines as it says, at once, each on its own', async () => {
    await using machines = await openHome('fleet')
    const enrol = (name: string) =>
      runCliJson<{ status: string; seq: number }>(machines, ['agent', 'enroll', '--token-file', file('three'), '--name', name])
    const all = await Promise.all(['@ci-1', '@ci-2', '@ci-3'].map(enrol))
    expect(all.map(({ status }) => status)).toEqual(['enrolled', 'enrolled', 'enrolled'])
    expect(new Set(all.map(({ seq }) => seq)).size).toBe(3)
    const agents = await runCliJson<{ atsign: string; tags: string[]; owner: string }[]>(home, ['agent', 'list'])
    for (const agent of agents) expect(agent).toMatchObject({ tags: ['ci', 'eu'], owner: '@ana' })
    expect(agents.map(({ atsign }) => atsign).sort()).toEqual(['@ci-1', '@ci-2', '@ci-3'])
    expect((await list())[0]).toMatchObject({ state: 'used', left: 0 })
    // the same machine again finds what was done; another one finds nothing left
    expect(await enrol('@ci-2')).toMatchObject({ status: 'enrolled', seq: all[1]!.seq })
    const { code, stderr } = await runCli(machines, ['agent', 'enroll', '--token-file', file('three'), '--name', '@ci-4'])
    expect(stderr).toContain('ref: CEILING_EXCEEDED')
    expect(code).toBe(5)
  })

  test('for gateways, from stdin, with the first server behind --', async () => {
    const made = await runCliJson<{ token: string }>(home, ['invite', 'new', 'gateway', '--token-file', '-', '--yes'])
    await using machine = await openHome('fleet-gateway')
    const args = [
      'gateway',
      'enroll',
      '--token-file',
      '-',
      '--name',
      '@gw-1',
      '--server',
      'fs',
      '--no-run',
      '--json',
      '--',
      'npx',
      '-y',
      'server',
    ]
    const stdout = await new Promise<string>((resolve, reject) => {
      const child = execFile(process.execPath, [join(root, scripts.cli), ...args], { env: machine.env as never }, (error, out, err) =>
        error ? reject(new Error(err)) : resolve(out),
      )
      child.stdin!.end(`${made.token}\n`)
    })
    expect(JSON.parse(stdout).data).toMatchObject({ atsign: '@gw-1', status: 'enrolled' })
    expect(readFileSync(join(machine.config, 'gateway', '@gw-1.toml'), 'utf8')).toContain('command = "npx"')
    const gateways = await runCliJson<{ atsign: string }[]>(home, ['gateway', 'list'])
    expect(gateways.map(({ atsign }) => atsign)).toEqual(['@gw-1'])
  })

  test('that is void lets nobody in, and ends what it brought in', async () => {
    await create('void', '--uses', '5')
    await using machine = await openHome('fleet-void')
    const enrol = (name: string) => runCli(machine, ['agent', 'enroll', '--token-file', file('void'), '--name', name])
    expect((await enrol('@gone')).code).toBe(0)
    const { kid } = (await list()).find(({ left, state }) => state === 'open' && left === 4)!
    const refused = await runCli(home, ['invite', 'void', kid, '--yes', '--wait', '0'])
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--accept=revoke-is-final')])
    await runCli(home, ['invite', 'void', kid.slice(0, 8), '--accept', 'revoke-is-final', '--wait', '0'])
    expect((await list()).find((one) => one.kid === kid)!.state).toBe('revoked')
    expect(await runCliJson(home, ['agent', 'show', '@gone'])).toMatchObject({ state: 'revoked' })
    expect((await enrol('@later')).code).toBe(5)
  })
})

describe('what a shell completes', () => {
  const words = async (...typed: string[]) => (await runCli(home, ['__complete', ...typed])).stdout

  test('are the names that live on the control plane, with their state; for half a minute without asking again', async () => {
    const found = await until('an answer in time', 20_000, async () => (await words('agent', 'suspend', '@ci-')) || undefined)
    expect(found).toBe('@ci-1\tlive, for @ana\n@ci-2\tlive, for @ana\n@ci-3\tlive, for @ana\n')
    control.isDown = true
    expect(await words('agent', 'suspend', '@ci-3', '@ci-1')).toBe('@ci-1\tlive, for @ana\n')
    expect(await words('gateway', 'show', '')).toBe('')
    control.isDown = false
  })

  test('open names the page of this control plane', async () => {
    expect((await runCli(home, ['open', 'fleet', '--no-browser'])).stdout).toBe(`${control.url}/fleet\n`)
    expect((await runCli(home, ['open', 'nowhere'])).code).toBe(2)
  })

  test('an invitation is a link to the signing page with our own pin, for one person', async () => {
    const { link, join: joinString } = await runCliJson<{ link: string; join: string }>(home, ['people', 'invite'])
    const request = parseSignerRequest(new URL(link).hash.slice(1))
    const [, org, code] = /#(.+)\.(.+)$/.exec(joinString)!
    expect(new URL(link).origin).toBe('http://localhost:3001')
    expect(request).toEqual({ v: 1, kind: 'enrolment', control: control.url, org, code })
  })
})

describe('what is refused', () => {
  test('a token file that others can read', async () => {
    await create('wide')
    chmodSync(file('wide'), 0o644)
    const { code, stderr } = await runCli(home, ['agent', 'enroll', '--token-file', file('wide'), '--name', '@wide'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('ref: KEY_FILE_MODE')])
  })

  test('an invite for the other kind, and a code that is none', async () => {
    await using machine = await openHome('fleet-kind')
    await create('kind')
    const other = await runCli(machine, ['gateway', 'enroll', '--token-file', file('kind'), '--name', '@gw-x', '--no-run'])
    expect([other.code, other.stderr]).toEqual([5, expect.stringContaining('it is for agents')])
    writeFileSync(file('code'), `${control.url}#${'A'.repeat(42)}E.F4KD-9TWP`, { mode: 0o600 })
    const code = await runCli(machine, ['agent', 'enroll', '--token-file', file('code'), '--name', '@x'])
    expect([code.code, code.stderr]).toEqual([2, expect.stringContaining('one-time code, not of an invite')])
  })

  test('a file that is there already, too many uses, too many days; and no token is left of what was not signed', async () => {
    writeFileSync(file('there'), 'mine')
    const make = (name: string, ...more: string[]) => runCli(home, ['invite', 'new', 'agent', '--token-file', file(name), ...more])
    expect((await make('there', '--yes')).code).toBe(9)
    expect(readFileSync(file('there'), 'utf8')).toBe('mine')
    expect((await make('a', '--uses', '101')).code).toBe(2)
    expect((await make('b', '--days', '8')).code).toBe(2)
    expect((await make('c')).stderr).toContain('this needs a confirmation')
    expect(existsSync(file('c'))).toBe(false)
    expect((await runCli(home, ['invite', 'new', 'agent'])).stderr).toContain('--token-file')
  })
})
