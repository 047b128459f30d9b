// The whole first day at the command line, as a script would do it: every command is a process, everything runs for real.
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli, runCliJson } from '../fixtures/cli.ts'
import type { Child, Home } from '../fixtures/processes.ts'
import { freePorts, openHome, root, scripts, startNode, until } from '../fixtures/processes.ts'

const filesystem = join(root, 'node_modules/@modelcontextprotocol/server-filesystem/dist/index.js')

/** The administrator with the gateway; a developer with an agent: two machines. */
let home: Home
let laptop: Home
let up: Child
let link: string
let notes: string
const children: Child[] = []

beforeAll(async () => {
  home = await openHome('cli-day')
  laptop = await openHome('cli-laptop')
  notes = join(home.path, 'notes')
  await mkdir(notes)
  await writeFile(join(notes, 'hello.txt'), 'planted: 7341')
  const [port, relayPort, signerPort] = (await freePorts(3)) as [number, number, number]
  const args = ['up', '--port', port, '--relay-port', relayPort, '--signer-port', signerPort, '--data', join(home.path, 'data'), '--json']
  up = startNode('up', scripts.cli, args.map(String), { env: home.env })
  const [line] = await up.said(/\{"schema":"postern\.up".*\n/, 60_000)
  link = JSON.parse(line).data.genesis.cli
})
afterAll(async () => {
  for (const child of children) await child.stop()
  await up?.stop('SIGINT')
  await home?.[Symbol.asyncDispose]()
  await laptop?.[Symbol.asyncDispose]()
})

interface Asked {
  readonly words: readonly string[]
}
/** What an approver does: words from the other screen, typed here. */
async function enrol(kind: string, on: Home, args: readonly string[], approver = home, extra: readonly string[] = []): Promise<void> {
  const { join: joinString } = await runCliJson<{ join: string }>(approver, ['code', 'new', kind])
  const noun = kind === 'person' ? 'people' : kind
  const { words } = await runCliJson<Asked>(on, [noun, 'enroll', joinString, '--no-wait', ...args])
  const name = args[args.findIndex((arg) => arg === '--name' || arg === '--as') + 1]!
  const { status } = await runCliJson<{ status: string }>(approver, ['approve', name, '--words', words.join(' '), ...extra])
  expect(status).toBe('appended')
}

const policy = () => ({
  v: 1,
  name: 'main',
  rules: [
    { id: 'read-notes', who: ['tag:dev'], servers: ['fs'], tools: ['read_text_file'], when: { path: { prefix: notes } }, effect: 'allow' },
  ],
  tests: [
    {
      name: 'secrets',
      who: '@dev-bot',
      tags: ['dev'],
      risk: 'read',
      server: 'fs',
      tool: 'read_text_file',
      args: { path: '/etc/shadow' },
      expect: 'deny',
    },
  ],
})
const read = (path: string) => ['call', 'fs.read_text_file', JSON.stringify({ path }), '--agent', '@dev-bot']

describe('one day', () => {
  test('begins with genesis: keys that only their owner reads, an organisation, a session', async () => {
    const founded = await runCliJson<{ org: string; words: string[]; key: string; recovery: string }>(home, [
      'genesis',
      link,
      '--name',
      'Acme',
      '--as',
      '@ana',
      '--yes',
    ])
    expect(founded.words).toHaveLength(8)
    for (const file of [founded.key, founded.recovery]) expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await runCliJson(home, ['login'])).toMatchObject({ atsign: '@ana', role: 'admin' })
    expect(await runCliJson(home, ['whoami'])).toMatchObject({ org: founded.org })
    expect(await runCliJson(home, ['org', 'show'])).toMatchObject({ seq: 0, admins: ['@ana'], thresholds: { root: { m: 1 } } })
  })

  test('nobody founds a second organisation with the same link', async () => {
    const { code, stderr } = await runCli(laptop, ['genesis', link, '--name', 'Evil', '--as', '@eve', '--yes'])
    expect(code).toBe(9)
    expect(stderr).toContain('ref: ALREADY_FOUNDED')
  })

  test('a gateway is enrolled by its words and reports its tools', async () => {
    await enrol('gateway', home, ['--name', '@gw', '--server', 'fs', '--', process.execPath, filesystem, notes])
    const gateway = startNode('gateway', scripts.cli, ['gateway', 'run', '@gw'], { env: home.env })
    children.push(gateway)
    const tools = await until('the gateway to report its tools', 30_000, async () => {
      const found = await runCliJson<{ name: string; state: string }[]>(home, ['tools', 'list', 'fs'])
      return found.length > 0 ? found : undefined
    })
    expect(tools.every(({ state }) => state === 'new')).toBe(true)
  })

  test('tools are pinned only with a risk class that somebody says', async () => {
    const silent = await runCli(home, ['tools', 'pin', 'fs', '--all', '--yes'])
    expect(silent).toMatchObject({ code: 2, stdout: '' })
    const risks = join(home.path, 'risks.json')
    await writeFile(risks, '{"write_file":"write"}')
    const pinned = await runCliJson<{ tools: { name: string; risk: string }[] }>(home, [
      'tools',
      'pin',
      'fs',
      'read_text_file',
      'write_file',
      '--risk',
      'read',
      '--risk-file',
      risks,
      '--yes',
    ])
    expect(pinned.tools.map(({ name, risk }) => `${name} ${risk}`)).toEqual(['read_text_file read', 'write_file write'])
  })

  test('a policy whose tests fail cannot be signed; one whose tests pass can', async () => {
    const file = join(home.path, 'policy.json')
    const bad = { ...policy(), tests: [{ ...policy().tests[0]!, expect: 'allow' }] }
    await writeFile(file, JSON.stringify(bad))
    expect((await runCli(home, ['policy', 'sign', file, '--yes'])).code).toBe(10)
    await writeFile(file, JSON.stringify(policy()))
    expect(await runCliJson(home, ['policy', 'sign', file, '--yes'])).toMatchObject({ status: 'appended', policy: 'main', tests: 1 })
    const shown = join(home.path, 'shown.json')
    await runCli(home, ['policy', 'show', '--out', shown])
    expect(await readFile(shown)).toEqual(await readFile(file))
  })

  test('what a document would change is said before it is signed; the history and the way back come from the verified log', async () => {
    const file = join(home.path, 'next.json')
    const fail = `${process.execPath} -e process.exit(3)`
    expect((await runCli({ ...home, env: { ...home.env, VISUAL: fail } }, ['policy', 'edit', file])).code).toBe(1)
    expect(await readFile(file)).toEqual(await readFile(join(home.path, 'policy.json'))) // it begins with what is in force
    const keep = `${process.execPath} -e 0`
    expect((await runCli({ ...home, env: { ...home.env, VISUAL: keep } }, ['policy', 'edit', file])).code).toBe(0)
    expect((await runCli({ ...home, env: { ...home.env, VISUAL: keep } }, ['policy', 'edit', file, '--template', 'observe'])).code).toBe(2)
    expect(await runCliJson(home, ['policy', 'plan', file])).toMatchObject({ sentences: ['Nothing changes.'], changed: [] })

    const next = { ...policy(), rules: [{ id: 'all', who: ['*'], servers: ['*'], tools: ['*'], effect: 'allow' }], tests: [] }
    await writeFile(file, JSON.stringify(next))
    const plan = await runCliJson<{ sentences: string[]; untested: string[]; changed: { gains: boolean }[] }>(home, [
      'policy',
      'plan',
      file,
    ])
    expect(plan.sentences).toContain('New rule all (line 1): any agent may call any tool on any server.')
    expect(plan.untested).toEqual(['all'])
    expect(plan.changed.some(({ gains }) => gains)).toBe(true)
    await writeFile(file, '{ "v": 1, "name": "main", "rules": [], "more": 1 }')
    const lint = await runCli(home, ['policy', 'lint', file])
    expect(lint).toMatchObject({ code: 10, stdout: expect.stringContaining('UNKNOWN_FIELD') })

    const [first] = await runCliJson<{ seq: number; version: number; signers: string[] }[]>(home, ['policy', 'history'])
    expect(first).toMatchObject({ version: 1, signers: ['@ana'] })
    const old = join(home.path, 'old.json')
    await runCliJson(home, ['policy', 'restore', String(first!.seq), '--out', old])
    expect(await readFile(old)).toEqual(await readFile(join(home.path, 'policy.json')))
    expect((await runCli(home, ['policy', 'restore', '0', '--out', old])).code).toBe(2)
    expect((await runCli(home, ['policy', 'restore', '1', '--out', old])).code).toBe(3)
    await until('the gateway to say that it applies the policy', 30_000, async () =>
      (await runCli(home, ['policy', 'rollout'])).code === 0 ? true : undefined,
    )
  })

  test('a developer is enrolled with a delegation, and enrols an agent of their own', async () => {
    await enrol('person', laptop, ['--as', '@dev'], home, ['--delegate', '1', '--tags', 'dev', '--servers', 'fs'])
    await runCliJson(laptop, ['people', 'enroll', '--resume', '--as', '@dev'])
    expect(await runCliJson(laptop, ['login'])).toMatchObject({ atsign: '@dev', role: 'person' })
    await enrol('agent', laptop, ['--name', '@dev-bot'], laptop, ['--tags', 'dev'])
    expect(await runCliJson(laptop, ['agent', 'show', '@dev-bot'])).toMatchObject({ owner: '@dev', tags: ['dev'] })
  })

  test('but not a second one, nor anything that takes an administrator', async () => {
    const { code, stderr } = await runCli(laptop, ['code', 'new', 'gateway'])
    expect(code).toBe(5)
    expect(stderr).toContain('ref: NOT_PERMITTED')
    const { join: joinString } = await runCliJson<{ join: string }>(laptop, ['code', 'new', 'agent'])
    const { words } = await runCliJson<Asked>(laptop, ['agent', 'enroll', joinString, '--no-wait', '--name', '@dev-bot2'])
    expect(await runCli(laptop, ['approve', '@dev-bot2', '--words', words.join(' ')])).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('CEILING_EXCEEDED'),
    })
    expect((await runCli(laptop, ['refuse', '@dev-bot2', '--yes'])).code).toBe(0)
    expect(await runCli(laptop, ['agent', 'enroll', '--resume', '--name', '@dev-bot2'])).toMatchObject({
      code: 7,
      stderr: expect.stringContaining('ENROLMENT_REFUSED'),
    })
  })

  test('the agent reads what the policy allows, with a receipt, and nothing else', async () => {
    const ok = await runCliJson<{ result: { content: unknown[] }; receipt: { rule: string } }>(laptop, read(join(notes, 'hello.txt')))
    expect(ok.result.content).toEqual([{ type: 'text', text: 'planted: 7341' }])
    expect(ok.receipt).toMatchObject({ code: 'OK', rule: 'read-notes', agent: '@dev-bot', iss: '@gw' })
    expect(await runCli(laptop, read('/etc/passwd'))).toMatchObject({
      code: 5,
      stdout: '',
      stderr: expect.stringContaining('ref: ARGUMENT_REFUSED'),
    })
    const write = await runCli(laptop, [
      'call',
      'fs.write_file',
      JSON.stringify({ path: join(notes, 'x'), content: '' }),
      '--agent',
      '@dev-bot',
      '--json',
    ])
    expect(JSON.parse(write.stdout)).toMatchObject({ schema: 'postern.error', error: { code: 'POLICY_DENIED', exit: 5 } })
  })

  test('a grant is asked for ahead, kept in a file, and used', async () => {
    const grant = await runCliJson<{ path: string }>(laptop, ['grant', 'request', 'fs.read_text_file', '--agent', '@dev-bot'])
    expect((await stat(grant.path)).mode & 0o777).toBe(0o600)
    expect((await runCli(laptop, [...read(join(notes, 'hello.txt')), '--grant', grant.path])).stdout).toContain('planted: 7341')
  })

  test('status, doctor and audit say that all is well', async () => {
    expect(await runCliJson(home, ['status'])).toMatchObject({
      gateways: { enrolled: 1, online: 1 },
      policy: { name: 'main' },
      log: { behind: [] },
    })
    expect((await runCli(home, ['doctor'])).code).toBe(0)
    expect((await runCli(home, ['audit', 'verify'])).code).toBe(0)
  })

  test('revoking takes more than --yes, and is effective when the gateway says so', async () => {
    const revoke = ['agent', 'revoke', '@dev-bot', '--reason', 'lost laptop']
    expect((await runCli(home, [...revoke, '--yes'])).code).toBe(2)
    const done = await runCliJson<{ effective: boolean; applied: string[]; ms: number }>(home, [...revoke, '--accept=revoke-is-final'])
    expect(done).toMatchObject({ effective: true, applied: ['@gw'] })
    expect((await runCli(laptop, [...read(join(notes, 'hello.txt')), '--wait', '2'])).code).not.toBe(0)
  })

  test('signing out ends it: exit code 4 says how to come back', async () => {
    await runCliJson(home, ['logout'])
    expect(await runCli(home, ['pending'])).toMatchObject({ code: 4, stdout: '', stderr: expect.stringContaining('fix: postern login') })
  })
})
