// A call that waits for a person, with everything as it runs in earnest: control plane, relay, gateway and connector as processes, an
// official MCP client, and people who decide in their terminals.
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCli, runCliJson } from '../fixtures/cli.ts'
import type { Child, Home } from '../fixtures/processes.ts'
import { freePorts, openHome, root, scripts, startNode, until } from '../fixtures/processes.ts'

const filesystem = join(root, 'node_modules/@modelcontextprotocol/server-filesystem/dist/index.js')

/** @ana's machine, with the gateway and the agents; those of @cy and @dan, who approve. */
let home: Home
let cy: Home
let dan: Home
let up: Child
let gateway: Child
let notes: string
const clients: Client[] = []

const rules = [
  { id: 'writes', who: ['@bot'], servers: ['fs'], tools: ['write_file'], effect: 'ask', approvers: ['@cy', '@dan'], wait_seconds: 60 },
  { id: 'quick', who: ['@bot'], servers: ['fs'], tools: ['create_directory'], effect: 'ask', approvers: ['@cy'], wait_seconds: 10 },
  { id: 'own', who: ['@cys-bot'], servers: ['fs'], tools: ['write_file'], effect: 'ask', approvers: ['@cy', '@dan'] },
]

async function enrol(kind: string, on: Home, name: string, args: readonly string[] = [], extra: readonly string[] = []): Promise<void> {
  const { join: joinString } = await runCliJson<{ join: string }>(home, ['code', 'new', kind])
  const [noun, flag] = kind === 'person' ? ['people', '--as'] : [kind, '--name']
  const { words } = await runCliJson<{ words: string[] }>(on, [noun!, 'enroll', joinString, '--no-wait', flag!, name, ...args])
  await runCliJson(home, ['approve', name, '--words', words.join(' '), ...extra])
}
async function startGateway(): Promise<void> {
  gateway = startNode('gateway', scripts.cli, ['gateway', 'run', '@gw'], { env: home.env })
  await gateway.said(/gateway @gw/)
}

beforeAll(async () => {
  home = await openHome('approvals')
  cy = await openHome('approver-cy')
  dan = await openHome('approver-dan')
  notes = join(home.path, 'notes')
  await mkdir(notes)
  const [port, relayPort, signerPort] = (await freePorts(3)) as [number, number, number]
  const args = ['up', '--port', port, '--relay-port', relayPort, '--signer-port', signerPort, '--data', join(home.path, 'data'), '--json']
  up = startNode('up', scripts.cli, args.map(String), { env: home.env })
  const [line] = await up.said(/\{"schema":"postern\.up".*\n/, 60_000)
  const link = JSON.parse(line).data.genesis.cli
  await runCliJson(home, ['genesis', link, '--name', 'Acme', '--as', '@ana', '--yes'])
  await runCliJson(home, ['login'])
  await enrol('gateway', home, '@gw', ['--server', 'fs', '--', process.execPath, filesystem, notes])
  await startGateway()
  for (const [name, machine] of [
    ['@cy', cy],
    ['@dan', dan],
  ] as const) {
    await enrol('person', machine, name)
    await runCliJson(machine, ['people', 'enroll', '--resume', '--as', name])
    await runCliJson(machine, ['login'])
  }
  await enrol('agent', home, '@bot')
  await enrol('agent', home, '@cys-bot', [], ['--owner', '@cy'])
  await until('the gateway to report its tools', 30_000, async () => {
    const found = await runCliJson<unknown[]>(home, ['tools', 'list', 'fs'])
    return found.length > 0 ? found : undefined
  })
  await runCliJson(home, ['tools', 'pin', 'fs', 'write_file', 'create_directory', '--risk', 'write', '--yes'])
  const file = join(home.path, 'policy.json')
  await writeFile(file, JSON.stringify({ v: 1, name: 'main', rules }))
  await runCliJson(home, ['policy', 'sign', file, '--yes'])
  await until('the gateway to apply the policy', 30_000, async () => {
    const status = await runCliJson<{ log: { behind: unknown[] } }>(home, ['status'])
    return status.log.behind.length === 0 ? status : undefined
  })
}, 240_000)
afterAll(async () => {
  for (const client of clients) await client.close()
  await gateway?.stop()
  await up?.stop('SIGINT')
  for (const one of [home, cy, dan]) await one?.[Symbol.asyncDispose]()
})

/** An MCP client that knows nothing of all this. */
async function connect(agent = '@bot'): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' })
  const args = [join(root, scripts.connector), '--agent', agent, '--server', 'fs']
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env: { ...home.env } as never, stderr: 'ignore' }))
  clients.push(client)
  return client
}
const write = async (name: string, content: string, agent?: string) => {
  const client = await connect(agent)
  return client.callTool({ name: 'write_file', arguments: { path: join(notes, name), content } })
}
interface InboxItem {
  readonly id: string
  readonly kind: string
  readonly what: string
  readonly agent: string
}
const waiting = (machine: Home, agent = '@bot', what = 'fs.write_file') =>
  until('the call to wait', 20_000, async () => {
    const inbox = await runCliJson<InboxItem[]>(machine, ['inbox'])
    return inbox.find((item) => item.kind === 'call' && item.agent === agent && item.what === what)
  })
const textOf = (result: unknown) => (result as { content: { text: string }[] }).content[0]!.text
const codeOf = (result: unknown) => (result as { _meta?: Record<string, { code: string }> })._meta?.['dev.postern/refusal']?.code

test('people keep a seal key that only they read', async () => {
  for (const [machine, name] of [
    [home, '@ana'],
    [cy, '@cy'],
  ] as const) {
    const path = join(machine.state, 'person', name, 'seal.json')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  }
})

test('an approver sees the exact arguments, approves once, and the client gets its result', async () => {
  const result = write('approved.txt', 'hello\u200b there')
  const { id } = await waiting(cy)
  const plain = await runCli(cy, ['approve', id.slice(0, 8), '--yes'])
  expect(plain).toMatchObject({ code: 2, stderr: expect.stringContaining('--accept=approve') }) // yes is not enough for what cannot be undone
  expect(plain.stderr).toContain(`path     ${JSON.stringify(join(notes, 'approved.txt'))}`)
  expect(plain.stderr).toContain('content  "hello<U+200B> there"   ! hidden character')
  expect(plain.stderr).toMatch(/fs\.write_file {3}WRITE {3}asked by rule writes \(main, line \d+\)/)
  expect(existsSync(join(notes, 'approved.txt'))).toBe(false)
  const approved = await runCli(cy, ['approve', id, '--accept=approve'])
  expect(approved).toMatchObject({ code: 0, stdout: expect.stringMatching(/executed in \d+\.\d s/) })
  expect(approved.stderr).toMatch(/✓ signed[\s\S]*✓ verified by @gw/)
  expect(approved.stderr).not.toContain('has not signed') // a receipt of the gateway says so
  expect(textOf(await result)).toContain('Successfully wrote')
  expect(readFileSync(join(notes, 'approved.txt'), 'utf8')).toBe('hello\u200b there')
  expect((await runCli(dan, ['approve', id, '--accept=approve'])).code).toBe(9)
})

test('who watches hears of each stage, a document per line', async () => {
  const watching = startNode('watch', scripts.cli, ['watch', '--json', '--for', '60'], { env: cy.env })
  await watching.said(/watching/)
  const result = write('watched.txt', 'x')
  const { id } = await waiting(cy)
  await runCli(dan, ['refuse', id, '--yes'])
  expect(codeOf(await result)).toBe('APPROVAL_REFUSED')
  for (const status of ['waiting', 'decided', 'refused']) {
    const [line] = await watching.said(new RegExp(`\\{"schema":"postern\\.watch".*"status":"${status}".*\n`))
    expect(JSON.parse(line)).toMatchObject({ data: { event: 'approval', id, tool: 'write_file', agent: '@bot' } })
  }
  await watching.stop('SIGINT')
})

test('one refuses, with a reason that the agent hears; who comes later learns of it, exit code 7', async () => {
  const result = write('refused.txt', 'x')
  const { id } = await waiting(dan)
  expect((await runCli(dan, ['refuse', id, '--reason', 'wrong customer', '--yes'])).code).toBe(0)
  const answer = await result
  expect(answer.isError).toBe(true)
  expect(textOf(answer)).toMatch(/APPROVAL_REFUSED[\s\S]*refused by @dan: wrong customer/)
  const late = await runCli(cy, ['approve', id, '--accept=approve'])
  expect(late).toMatchObject({ code: 7, stderr: expect.stringMatching(/already refused by @dan[\s\S]*wrong customer/) })
  expect(existsSync(join(notes, 'refused.txt'))).toBe(false)
})

test('two decide at once: one of them counts, and it is the one that both are told', async () => {
  const result = write('race.txt', 'x')
  const { id } = await waiting(cy)
  const [yes, no] = await Promise.all([runCli(cy, ['approve', id, '--accept=approve']), runCli(dan, ['refuse', id, '--yes'])])
  const isApproved = existsSync(join(notes, 'race.txt'))
  expect(codeOf(await result)).toBe(isApproved ? undefined : 'APPROVAL_REFUSED')
  expect([yes.code, no.code]).toEqual(isApproved ? [0, 9] : [7, 0])
})

test('nobody approves what their own agent wants, nor what no rule lets them', async () => {
  const result = write('own.txt', 'x', '@cys-bot')
  const { id } = await waiting(dan, '@cys-bot')
  const own = await runCli(cy, ['approve', id, '--accept=approve'])
  expect(own).toMatchObject({ code: 5, stderr: expect.stringContaining('ref: NOT_ENTITLED') })
  const admin = await runCli(home, ['approve', id, '--accept=approve'])
  expect(admin).toMatchObject({ code: 5, stderr: expect.stringContaining('rule own names @dan') })
  expect((await runCli(dan, ['refuse', id, '--yes'])).code).toBe(0)
  expect(codeOf(await result)).toBe('APPROVAL_REFUSED')
})

test('what nobody decides about is refused at its deadline', async () => {
  const client = await connect()
  const result = await client.callTool({ name: 'create_directory', arguments: { path: join(notes, 'late') } })
  expect(codeOf(result)).toBe('APPROVAL_TIMED_OUT')
  expect(existsSync(join(notes, 'late'))).toBe(false)
})

test('a gateway that is killed ends the wait on every side, and a signature that comes later runs nothing', async () => {
  const result = write('killed.txt', 'x')
  const { id } = await waiting(cy)
  await gateway.stop('SIGKILL')
  await startGateway()
  expect(codeOf(await result)).toBe('APPROVAL_ENDED')
  await until('the request to show as ended', 20_000, async () => {
    const inbox = await runCliJson<InboxItem[]>(cy, ['inbox'])
    return inbox.some((item) => item.id === id) ? undefined : true
  })
  const late = await runCli(cy, ['approve', id, '--accept=approve'])
  expect(late).toMatchObject({ code: 9, stderr: expect.stringContaining('is over') })
  expect(existsSync(join(notes, 'killed.txt'))).toBe(false)
})

test('suspending the agent ends what it waits for', async () => {
  const result = write('suspended.txt', 'x')
  const { id } = await waiting(cy)
  await runCliJson(home, ['agent', 'suspend', '@bot', '--reason', 'looking into it', '--yes'])
  expect(codeOf(await result)).toBe('REVOKED')
  expect((await runCli(cy, ['approve', id, '--accept=approve'])).code).toBe(9)
  expect(existsSync(join(notes, 'suspended.txt'))).toBe(false)
  expect((await runCli(home, ['audit', 'verify'])).code).toBe(0)
})
