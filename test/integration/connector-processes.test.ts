// The connector as it runs in earnest: started by the official client, with relay, gateway and server as processes beside it.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/client'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { readHealth } from '@postern/daemon'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FullWorld } from '../fixtures/connector/full-world.ts'
import { openFullWorld } from '../fixtures/connector/full-world.ts'
import { modes, nameOf, newClient } from '../fixtures/connector/sdk-clients.ts'
import { scripts, startNode } from '../fixtures/processes.ts'
import { skipped } from '../skipped.ts'
import { requestGrant } from './grant-rest-example.mjs'

let world: FullWorld
beforeAll(async () => {
  world = await openFullWorld()
})
afterAll(() => world?.[Symbol.asyncDispose]())

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
const textOf = ({ content }: Awaited<ReturnType<Client['callTool']>>) => (content as { text: string }[])[0]?.text
const start = (mode: Parameters<typeof newClient>[0] = 'legacy') => {
  const client = newClient(mode)
  const transport = new StdioClientTransport({ ...world.connector, stderr: 'pipe' })
  return { client, transport }
}

describe('over stdio', () => {
  test.each(modes.map((mode) => [nameOf(mode), mode] as const))('a client in mode %s starts it, lists and calls tools', async (_, mode) => {
    const { client, transport } = start(mode)
    await client.connect(transport)
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo')
    expect(textOf(await client.callTool({ name: 'echo', arguments: { text: 'hi' } }))).toBe('hi')
    const seen: number[] = []
    const onprogress = ({ progress }: { progress: number }) => seen.push(progress)
    await client.callTool({ name: 'steps', arguments: { steps: 4, ms: 1 } }, { onprogress })
    expect(seen).toEqual([1, 2, 3, 4])
    await client.close()
  })

  test('several at once, one of them killed, change nothing for each other', async () => {
    const all = [start(), start(), start()]
    await Promise.all(all.map(({ client, transport }) => client.connect(transport)))
    process.kill(all[0]!.transport.pid!, 'SIGKILL')
    for (const { client } of all.slice(1)) expect(textOf(await client.callTool({ name: 'echo', arguments: { text: 'on' } }))).toBe('on')
    const { client, transport } = start()
    await client.connect(transport)
    expect(textOf(await client.callTool({ name: 'echo', arguments: { text: 'new' } }))).toBe('new')
    for (const each of [client, ...all.slice(1).map((one) => one.client)]) await each.close()
  })

  test('writes nothing but protocol to stdout, answers what is open when stdin ends, and then exits with 0', async () => {
    const child = spawn(world.connector.command, world.connector.args, {
      env: world.connector.env as NodeJS.ProcessEnv,
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      output += chunk
    })
    const exit = new Promise((resolve) => child.on('close', resolve))
    const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } }
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 'a', method: 'initialize', params: initialize })}\nnot JSON\n`)
    await expect.poll(() => output, { timeout: 20_000 }).toContain('"id":"a"')
    child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
    child.stdin.end('{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"steps","arguments":{"steps":3,"ms":50}}}\n')
    expect(await exit).toBe(0)
    const messages = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(messages.find(({ id }) => id === 7)).toMatchObject({ result: { content: [{ text: 'done' }] } })
    expect(messages.find(({ id }) => id === null)).toMatchObject({ error: { code: -32_700 } })
  })

  test('SIGTERM ends it with 143 and SIGINT with 130', async () => {
    for (const [signal, code] of [
      ['SIGTERM', 143],
      ['SIGINT', 130],
    ] as const) {
      const child = startNode('connector', scripts.connector, ['--agent', '@bot', '--server', 'tools'], {
        env: world.home.env,
        speaks: true,
      })
      await child.said(/connected to the gateway/)
      expect(await child.stop(signal)).toBe(code)
    }
  })

  test('has no port open, and health on a socket that is its own', async () => {
    const { client, transport } = start()
    await client.connect(transport)
    const sockets = join(world.home.env.XDG_RUNTIME_DIR!, 'postern')
    const name = readdirSync(sockets).find((file) => file.includes(`-${transport.pid}.sock`))!
    expect(statSync(join(sockets, name)).mode & 0o777).toBe(0o600)
    const health = await readHealth(name.replace('.sock', ''), { runtime: sockets, state: '', config: '' })
    expect(health).toMatchObject({ status: 'ok', agent: '@bot', server: 'tools', gateway: '@gw', sessions: 1 })
    if (listening(transport.pid!) === undefined) skipped('open ports of the connector', 'no /proc/net')
    else expect(listening(transport.pid!)).toEqual([])
    await client.close()
  })

  test('a mistake in the options ends it at once, with all of them', async () => {
    const child = startNode('connector', scripts.connector, ['--agent', 'bot', '--http', 'x'], { env: world.home.env, speaks: true })
    expect(await child.exit).toBe(1)
    expect(child.output()).toMatch(/--agent.*not an atSign.*--server.*--http/s)
  })

  test('the relay and the gateway may restart; the client notices nothing', async () => {
    const { client, transport } = start()
    await client.connect(transport)
    expect(textOf(await client.callTool({ name: 'echo', arguments: { text: '1' } }))).toBe('1')
    await world.gatewayChild.stop('SIGKILL')
    await world.startGateway()
    expect(textOf(await client.callTool({ name: 'echo', arguments: { text: '2' } }))).toBe('2')
    await client.close()
  })
})

test('over HTTP, with the token from its file', async () => {
  const child = startNode('connector', scripts.connector, ['--agent', '@bot', '--server', 'tools', '--http', '0'], { env: world.home.env })
  const [, url] = await child.said(/(http:\/\/127\.0\.0\.1:\d+\/mcp)/)
  const file = join(world.home.state, 'agent/@bot/http-token')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const authorization = `Bearer ${readFileSync(file, 'utf8').trim()}`
  for (const mode of modes) {
    const client = newClient(mode)
    await client.connect(new StreamableHTTPClientTransport(new URL(url!), { requestInit: { headers: { authorization } } }))
    expect(textOf(await client.callTool({ name: 'echo', arguments: { text: 'hi' } }))).toBe('hi')
    await client.close()
  }
  await expect(newClient('legacy').connect(new StreamableHTTPClientTransport(new URL(url!)))).rejects.toThrow()
  expect(await child.stop()).toBe(143)
})

test('with a grant from elsewhere, nothing else is asked for', async () => {
  const { org, agent, gateway, control, home } = world
  const question = {
    ...{ controlUrl: control.url, org, details: [{ type: 'mcp_tool', server: 'tools', tool: 'echo', args: [], unnamed: 'allow' }] },
    agent: { atsign: '@bot', callSeed: text(agent.keys.call.secret.expose()), authSeed: text(agent.keys.auth.secret.expose()) },
    gateway: { atsign: '@gw', issueKey: gateway.keys.issue.public.key, sealKey: gateway.keys.seal.public.key },
  }
  const file = join(home.path, 'grant')
  writeFileSync(file, (await requestGrant(question)).token)
  for (const round of ['one process', 'another one after it']) {
    const args = [...world.connector.args, '--grant', file]
    const client = newClient('legacy')
    await client.connect(new StdioClientTransport({ ...world.connector, args, stderr: 'ignore' }))
    expect(textOf(await client.callTool({ name: 'echo', arguments: { text: round } }))).toBe(round)
    expect(textOf(await client.callTool({ name: 'era', arguments: {} }))).toMatch(/^refused: TOOL_NOT_GRANTED/)
    await client.close()
  }
  const child = startNode('connector', scripts.connector, [...world.connector.args.slice(1), '--grant', join(home.path, 'nothing')], {
    env: home.env,
  })
  expect(await child.exit).toBe(1)
  expect(child.output()).toContain('GRANT_FILE_INVALID')
})

/** Listening TCP and bound UDP sockets of a process, or undefined where the system does not say. */
function listening(pid: number): string[] | undefined {
  try {
    const own = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => /socket:\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]))
    const rows = (file: string) =>
      readFileSync(`/proc/net/${file}`, 'utf8')
        .trim()
        .split('\n')
        .slice(1)
        .map((row) => row.trim().split(/\s+/))
    const isOpen = (file: string, state: string | undefined) => file.startsWith('udp') || state === '0A'
    return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((file) =>
      rows(file)
        .filter((row) => own.has(row[9]) && isOpen(file, row[3]))
        .map((row) => `${file} ${row[1]}`),
    )
  } catch {
    return undefined
  }
}
