// An agent that enrols itself at the first start of its connector: what the client sees meanwhile, and that probing makes no second one.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { comparisonWords, decodeBase64url, formatJoinString } from '@postern/core'
import { readHealth } from '@postern/daemon'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCliJson } from '../fixtures/cli.ts'
import type { FullWorld } from '../fixtures/connector/full-world.ts'
import { openFullWorld, policy } from '../fixtures/connector/full-world.ts'
import type { Mode } from '../fixtures/connector/sdk-clients.ts'
import { modes, nameOf, newClient } from '../fixtures/connector/sdk-clients.ts'
import { startNode, until } from '../fixtures/processes.ts'

let world: FullWorld
beforeAll(async () => {
  world = await openFullWorld()
})
afterAll(() => world?.[Symbol.asyncDispose]())

interface Waiting {
  readonly id: string
  readonly atsign: string
  readonly owner?: string
  readonly request: string
  readonly proofs: never
  readonly facts: Record<string, string>
}
const waitingOf = async (agent: string) => {
  const { enrolments } = await world.organisation.admin.client.call<{ enrolments: Waiting[] }>('/api/v1/enrolments')
  return enrolments.filter(({ atsign }) => atsign === agent)
}
const untilAsked = (agent: string) => until(`${agent} to ask`, 15_000, async () => (await waitingOf(agent))[0])

async function joinString(kind = 'agent'): Promise<string> {
  const { code } = await world.organisation.admin.client.call<{ code: string }>('/api/v1/codes', { json: { kind } })
  return formatJoinString({ control: world.control.url, org: world.org, code })
}

async function approve(agent: string): Promise<void> {
  const { request, proofs, owner } = await untilAsked(agent)
  const exp = Math.floor(Date.now() / 1000) + 3600
  await world.organisation.append('agent.enroll', { request, proofs, exp, tags: [], ...(owner ? { owner } : {}) } as never)
  const all = { ...policy, rules: [{ ...policy.rules[0], who: ['@bot', agent] }] }
  await world.organisation.signPolicy(all)
}

const commandFor = (agent: string, join: string, ...more: string[]) => ({
  command: world.connector.command,
  args: [world.connector.args[0]!, '--agent', agent, '--server', 'tools', '--join', join, ...more],
  env: world.connector.env,
})
function start(mode: Mode, agent: string, join: string, ...more: string[]) {
  const client = newClient(mode)
  const transport = new StdioClientTransport({ ...commandFor(agent, join, ...more), stderr: 'pipe' })
  return { client, transport }
}
const names = (tools: readonly { readonly name: string }[]) => tools.map(({ name }) => name)
const textOf = (result: unknown) => (result as { content: { text: string }[] }).content[0]!.text
const directoryOf = (agent: string) => join(world.home.state, 'agent', agent)

describe.each(modes.map((mode, i) => [nameOf(mode), mode, `@new-${i}`] as const))('a client in mode %s', (_, mode, agent) => {
  test('sees one tool that says the words; after the approval, without a restart, the tools of its server', async () => {
    const { client, transport } = start(mode, agent, await joinString(), '--owner', '@ana')
    let changed = 0
    client.setNotificationHandler('notifications/tools/list_changed', () => {
      changed += 1
    })
    await client.connect(transport)
    const asked = await untilAsked(agent)
    const listed = await client.listTools()
    expect(names(listed.tools)).toEqual(['postern_status'])
    const words = comparisonWords(world.org, decodeBase64url(asked.request)).join(' ')
    await until(
      'the words',
      5000,
      async () => textOf(await client.callTool({ name: 'postern_status', arguments: {} })).includes(words) || undefined,
    )
    expect(asked).toMatchObject({ owner: '@ana', facts: { client: 'test 1' } })
    const refused = await client.callTool({ name: 'echo', arguments: { text: 'too early' } })
    expect(refused.isError).toBe(true)
    expect(textOf(refused)).toContain('NOT_ENROLLED')

    await approve(agent)
    if (mode === 'legacy') await until('the list to change', 15_000, () => changed > 0 || undefined)
    const tools = await until('the tools', 15_000, async () => {
      const now = names((await client.listTools()).tools)
      return now.includes('echo') ? now : undefined
    })
    expect(tools).not.toContain('postern_status')
    expect(textOf(await client.callTool({ name: 'echo', arguments: { text: 'in' } }))).toBe('in')

    const { pid } = transport
    const health = await readHealth(`connector-${agent}-tools-${pid}`, {
      state: world.home.state,
      config: '',
      runtime: join(world.home.path, 'run', 'postern'),
    })
    expect(health).toMatchObject({ client: { name: 'test', version: '1' }, tools: tools.length, called: expect.any(Number) })
    await until('the control plane to know the client', 10_000, async () => {
      const { members } = await world.organisation.admin.client.call<{ members: { atsign: string; presence?: { clients?: object[] } }[] }>(
        '/api/v1/fleet?kind=agent',
      )
      const seen = members.find(({ atsign }) => atsign === agent)?.presence?.clients
      return seen?.some((one) => JSON.stringify(one).includes(`"tools":${tools.length}`)) || undefined
    })
    await client.close()
  })
})

test('over HTTP it is the same', async () => {
  const agent = '@new-http'
  const { command, args, env } = commandFor(agent, await joinString(), '--http', '0')
  const child = startNode('connector', args[0]!, args.slice(1), { env })
  expect(command).toBe(process.execPath)
  try {
    const [url] = await child.said(/http:\/\/127\.0\.0\.1:\d+\/mcp/)
    const token = readFileSync(join(directoryOf(agent), 'http-token'), 'utf8').trim()
    const client = newClient('auto')
    const headers = { authorization: `Bearer ${token}` }
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }))
    expect(names((await client.listTools()).tools)).toEqual(['postern_status'])
    await approve(agent)
    await until('the tools', 15_000, async () => names((await client.listTools()).tools).includes('echo') || undefined)
    await client.close()
  } finally {
    await child.stop()
  }
})

describe('a client that probes', () => {
  test('starts it several times at once: one key, one request', async () => {
    const agent = '@probed'
    const join = await joinString()
    const all = Array.from({ length: 4 }, () => start('auto', agent, join))
    await Promise.all(all.map(({ client, transport }) => client.connect(transport)))
    await untilAsked(agent)
    const texts = await until('all to know the words', 15_000, async () => {
      const said = await Promise.all(
        all.map(async ({ client }) => textOf(await client.callTool({ name: 'postern_status', arguments: {} }))),
      )
      return said.every((text) => text.includes('Words:')) ? said : undefined
    })
    expect(new Set(texts).size).toBe(1)
    expect(await waitingOf(agent)).toHaveLength(1)
    for (const { client } of all) await client.close()

    const before = readdirSync(directoryOf(agent)).map((name) => [name, readFileSync(`${directoryOf(agent)}/${name}`, 'utf8')])
    const { client, transport } = start('legacy', agent, join)
    await client.connect(transport)
    await until(
      'the same words',
      10_000,
      async () => textOf(await client.callTool({ name: 'postern_status', arguments: {} })) === texts[0] || undefined,
    )
    await client.close()
    expect(readdirSync(directoryOf(agent)).map((name) => [name, readFileSync(`${directoryOf(agent)}/${name}`, 'utf8')])).toEqual(before)
    expect(await waitingOf(agent)).toHaveLength(1)
  })

  test('and kills it at any moment: the next start goes on with the same request', async () => {
    const agent = '@killed'
    const order = await joinString()
    for (const ms of [0, 30, 60, 90, 120, 160, 200, 260]) {
      const { args, env } = commandFor(agent, order)
      const child = startNode('connector', args[0]!, args.slice(1), { env, speaks: true })
      await new Promise((resolve) => setTimeout(resolve, 150 + ms))
      await child.stop('SIGKILL')
    }
    const { client, transport } = start('legacy', agent, order)
    await client.connect(transport)
    const { request } = await untilAsked(agent)
    const words = comparisonWords(world.org, decodeBase64url(request)).join(' ')
    await until(
      'its words',
      10_000,
      async () => textOf(await client.callTool({ name: 'postern_status', arguments: {} })).includes(words) || undefined,
    )
    expect(await waitingOf(agent)).toHaveLength(1)
    await client.close()
  })
})

describe('when it comes to nothing', () => {
  const says = (client: ReturnType<typeof newClient>, text: string) =>
    until(`it to say "${text}"`, 15_000, async () => {
      const said = textOf(await client.callTool({ name: 'postern_status', arguments: {} }))
      return said.includes(text) ? said : undefined
    })

  test('a refusal is told with its reason, and another join string begins anew with the same key', async () => {
    const agent = '@refused'
    const { client, transport } = start('legacy', agent, await joinString())
    await client.connect(transport)
    const { id, request } = await untilAsked(agent)
    await world.organisation.admin.client.call(`/api/v1/enrolments/${id}/refuse`, { json: { reason: 'not this one' } })
    expect(await says(client, 'not this one')).toContain('Ask for a new join string')
    await client.close()
    const again = start('legacy', agent, await joinString())
    await again.client.connect(again.transport)
    const second = await untilAsked(agent)
    expect(second.request).not.toBe(request)
    const keysOf = (text: string) => JSON.parse(Buffer.from(text, 'base64url').toString()).keys
    expect(keysOf(second.request)).toEqual(keysOf(request))
    await again.client.close()
  })

  test('a code that was used is told, and nothing is asked', async () => {
    const used = await joinString()
    const first = start('legacy', '@first', used)
    await first.client.connect(first.transport)
    await untilAsked('@first')
    await first.client.close()
    const { client, transport } = start('legacy', '@second', used)
    await client.connect(transport)
    await says(client, 'counts no more')
    expect(await waitingOf('@second')).toEqual([])
    await client.close()
  })

  test('a control plane that cannot be reached is told, and asked again when it is back', async () => {
    const agent = '@patient'
    const order = await joinString()
    world.control.isDown = true
    const { client, transport } = start('legacy', agent, order)
    await client.connect(transport)
    await says(client, 'cannot ask to be let in now')
    world.control.isDown = false
    await untilAsked(agent)
    await says(client, 'Words:')
    await client.close()
  })

  test('an agent of another organisation is not taken over', async () => {
    const { control, org } = { control: world.control.url, org: `${'A'.repeat(42)}E` }
    const { args, env } = commandFor('@bot', formatJoinString({ control, org, code: 'F4KD-9TWP' }))
    const child = startNode('connector', args[0]!, args.slice(1), { env })
    expect(await child.exit).not.toBe(0)
    expect(child.output()).toContain('this machine pinned organisation')
  })
})

test('an agent that is enrolled ignores the join string: the code stays good', async () => {
  const order = await joinString()
  const { client, transport } = start('legacy', '@bot', order)
  await client.connect(transport)
  expect(names((await client.listTools()).tools)).toContain('echo')
  expect(existsSync(join(directoryOf('@bot'), 'joining.json'))).toBe(false)
  await client.close()
})

test('client verify hears of the handshake', async () => {
  const file = join(world.home.path, '.cursor', 'mcp.json')
  await runCliJson(world.home, ['client', 'add', 'cursor', 'tools', '--agent', '@bot', '--yes'])
  const verify = (wait: string) =>
    runCliJson<{ handshake: object | null }>(world.home, ['client', 'verify', 'cursor', 'tools', '--wait', wait])
  await expect(verify('0')).rejects.toThrow('ended with 6')
  const { command, args } = JSON.parse(readFileSync(file, 'utf8')).mcpServers.tools
  const client = newClient('auto')
  await client.connect(new StdioClientTransport({ command, args, env: world.home.env, stderr: 'pipe' }))
  await client.listTools()
  expect((await verify('10')).handshake).toMatchObject({ agent: '@bot', server: 'tools', client: { name: 'test', version: '1' } })
  await client.close()
  writeFileSync(file, '{}')
})
