// What a connector does when something is refused, missing, cut or restarted. The gateway and the MCP server are real.
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/client'
import { encodeSigned, inviteKey, linkHash, portable, replay } from '@postern/core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConnectorWorld } from '../fixtures/connector/connector-world.ts'
import { newClient, StreamTransport } from '../fixtures/connector/sdk-clients.ts'
import { openPolicy } from '../fixtures/gateway/gateway-world.ts'
import type { Branch } from '../fixtures/organisation.ts'
import { draft } from '../fixtures/organisation.ts'
import { bytesOf, requestOf, T0 } from '../fixtures/people.ts'

let world: ConnectorWorld
beforeEach(async () => {
  world = await ConnectorWorld.open()
})
afterEach(() => world.close())

type Options = Parameters<ConnectorWorld['connector']>[0]
async function connect(options: Options = {}, mode: Parameters<typeof newClient>[0] = 'legacy') {
  const connector = await world.connector(options)
  const client = newClient(mode)
  await client.connect(new StreamTransport(connector))
  return { client, connector }
}
type Result = Awaited<ReturnType<Client['callTool']>>
const textOf = ({ content }: Result) => (content as { text: string }[])[0]?.text
const codeOf = ({ _meta }: Result) => (_meta?.['dev.postern/refusal'] as { code: string } | undefined)?.code
const marks = () => {
  const file = join(world.gateway.home, 'count')
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
}

describe('refusals reach the client in its own terms', () => {
  test('a tool that nobody pinned: a result that says why and what to do', async () => {
    const { client } = await connect()
    const result = await client.callTool({ name: 'unpinned', arguments: {} })
    expect(result.isError).toBe(true)
    expect(codeOf(result)).toBe('TOOL_NOT_PINNED')
    expect(textOf(result)).toMatch(/^refused: TOOL_NOT_PINNED\nwhy: .*\nfix: /)
  })

  test('a policy that denies a call names its rule', async () => {
    const rules = [{ id: 'small', who: ['*'], servers: ['tools'], tools: ['echo'], when: { '/i': { max: 5 } }, effect: 'allow' }]
    world.gateway.setPolicy({ v: 1, name: 'small', rules })
    await world.gateway.sync()
    const { client } = await connect()
    expect(textOf(await client.callTool({ name: 'echo', arguments: { i: 5 } }))).toBe('{"i":5}')
    expect(codeOf(await client.callTool({ name: 'echo', arguments: { i: 6 } }))).toBe('ARGUMENT_REFUSED')
  })

  test('a method that is not let through: an error with the request’s own id', async () => {
    const { client } = await connect()
    await expect(client.readResource({ uri: 'file:///x' })).rejects.toMatchObject({ code: 4030 })
  })

  test('a server that is in no authority log', async () => {
    const connector = await world.connector({ server: 'nothing' })
    await expect(newClient('legacy').connect(new StreamTransport(connector))).rejects.toThrow(/SERVER_UNKNOWN/)
  })

  test('an agent that is not enrolled is told so, and served once it is', async () => {
    world.writeAgent('@new')
    const connector = await world.connector({ agent: '@new' })
    const join = () => new StreamTransport(connector, true)
    await expect(newClient('legacy').connect(join())).rejects.toThrow(/NOT_ENROLLED.*postern pending/)
    world.gateway.grow('agent.enroll', { ...requestOf(world.gateway.branch.org, 'agent', '@new'), exp: T0 + 31_536_000, tags: [] })
    await world.gateway.sync()
    const clients = await vi.waitFor(
      async () => {
        const client = newClient('legacy')
        await client.connect(join())
        return [client]
      },
      { timeout: 10_000 },
    )
    const [client] = clients
    expect(textOf(await client!.callTool({ name: 'echo', arguments: {} }))).toBe('{}')
  })

  test('a gateway that does not answer: after a bounded wait', async () => {
    await world.gateway.gateway.close()
    const connector = await world.connector({ waitSeconds: 1 })
    const began = performance.now()
    await expect(newClient('legacy').connect(new StreamTransport(connector))).rejects.toThrow(/GATEWAY_UNREACHABLE.*not connected/)
    expect(performance.now() - began).toBeLessThan(5_000)
  })

  test('a revoked agent', async () => {
    const { client } = await connect({ waitSeconds: 2 })
    world.gateway.revoke({ kind: 'enrolment', id: world.gateway.enrolmentOf('@bot') })
    await expect.poll(async () => codeOf(await client.callTool({ name: 'echo', arguments: {} })), { timeout: 10_000 }).toBe('REVOKED')
  })
})

describe('when the channel is lost', () => {
  test('a call whose answer got lost is asked for again under its id, and ran once', async () => {
    const { client } = await connect()
    await client.callTool({ name: 'count', arguments: { mark: 'first' } })
    const { relay } = world.gateway
    let swallowed = 0
    const answers = (payload: Uint8Array) => payload[0] === 3 && payload.length > 400
    // The next thing that the gateway says is lost, and the fragment after it does not open: the channel is broken.
    let isCall = true
    relay.tamper = (payload) => {
      if (!answers(payload)) return payload
      if (isCall) {
        isCall = false
        return payload
      }
      swallowed += 1
      relay.tamper = (next) => next
      return undefined
    }
    const lost = client.callTool({ name: 'count', arguments: { mark: 'second' } })
    await expect.poll(() => swallowed).toBe(1)
    await expect.poll(() => marks()).toEqual(['first', 'second'])
    const other = client.callTool({ name: 'echo', arguments: { still: 'there' } })
    expect(textOf(await other)).toBe('{"still":"there"}')
    expect(textOf(await lost)).toBe('counted')
    expect(marks()).toEqual(['first', 'second'])
  })

  test('a gateway that restarts: new channel, new grants, and the client notices nothing', async () => {
    const { client } = await connect()
    expect(textOf(await client.callTool({ name: 'echo', arguments: { i: 1 } }))).toBe('{"i":1}')
    await world.gateway.restart()
    await world.gateway.sync()
    expect(textOf(await client.callTool({ name: 'echo', arguments: { i: 2 } }))).toBe('{"i":2}')
    expect((await client.listTools()).tools.length).toBeGreaterThan(0)
  })

  test('a call that ran when the gateway was killed is reported as unknown, never run again', async () => {
    const { client } = await connect()
    const running = client.callTool({ name: 'slow', arguments: { ms: 60_000 } })
    await expect.poll(() => world.gateway.gateway.health().sessions).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const passing = setInterval(() => world.gateway.clock.advance(1), 20) // it does not wait for the call for ever
    await world.gateway.restart()
    await world.gateway.sync()
    await client.callTool({ name: 'echo', arguments: {} })
    clearInterval(passing)
    expect(codeOf(await running)).toBe('OUTCOME_UNKNOWN')
  })

  test('a server that dies takes only its call with it', async () => {
    const { client } = await connect()
    expect(codeOf(await client.callTool({ name: 'die', arguments: {} }))).toBe('OUTCOME_UNKNOWN')
    expect(textOf(await client.callTool({ name: 'echo', arguments: { back: true } }))).toBe('{"back":true}')
  })
})

describe('authority', () => {
  test('a gateway that is ahead makes the connector fetch what it lacks', async () => {
    const { client } = await connect()
    world.gateway.setPolicy({ ...openPolicy, name: 'newer' })
    await world.gateway.sync()
    const second = await connect()
    expect(textOf(await second.client.callTool({ name: 'echo', arguments: { i: 1 } }))).toBe('{"i":1}')
    expect(textOf(await client.callTool({ name: 'echo', arguments: { i: 2 } }))).toBe('{"i":2}')
  })

  test('several connectors of one agent share one directory, and what they store reads back', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => connect()))
    for (const { client } of all) expect(textOf(await client.callTool({ name: 'echo', arguments: {} }))).toBe('{}')
    world.gateway.setPolicy({ ...openPolicy, name: 'other' })
    world.gateway.grow('invite', inviteBody())
    await world.gateway.sync()
    const more = await Promise.all(Array.from({ length: 3 }, () => connect()))
    for (const { client } of [...all, ...more]) expect(textOf(await client.callTool({ name: 'echo', arguments: {} }))).toBe('{}')
    const lines = readFileSync(join(world.directoryOf('@bot'), 'log.jsonl'), 'utf8')
      .trim()
      .split('\n')
    expect(lines.length).toBe(world.gateway.branch.entries.length)
    expect(new Set(lines).size).toBe(lines.length)
  })

  test('a log that contradicts the gateway’s stops the connector for good', async () => {
    await connect()
    const { connector } = await connect({ agent: '@eve', waitSeconds: 1 })
    await connector.running.close()
    const directory = world.directoryOf('@eve')
    const other = forkOf(world)
    writeFileSync(join(directory, 'log.jsonl'), other.log)
    writeFileSync(join(directory, 'head.json'), other.head)
    world.gateway.control.isReachable = false
    const forked = await world.connector({ agent: '@eve', waitSeconds: 1 })
    await expect(newClient('legacy').connect(new StreamTransport(forked))).rejects.toThrow(/LOG_FORKED/)
    expect(existsSync(join(directory, 'evidence-fork.json'))).toBe(true)
    world.gateway.control.isReachable = true
    const again = await world.connector({ agent: '@eve', waitSeconds: 1 })
    await expect(newClient('legacy').connect(new StreamTransport(again))).rejects.toThrow(/LOG_FORKED/)
  })

  test('keys that others can read: it does not start, and says which chmod repairs it', async () => {
    chmodSync(join(world.directoryOf('@bot'), 'keys.json'), 0o644)
    await expect(world.connector()).rejects.toMatchObject({ code: 'KEY_FILE_MODE', message: expect.stringContaining('chmod 600') })
  })

  test('an agent that is not set up on this machine: it does not start, and makes nothing', async () => {
    await expect(world.connector({ agent: '@nobody' })).rejects.toMatchObject({ code: 'NOT_SET_UP' })
    expect(existsSync(world.directoryOf('@nobody'))).toBe(false)
    rmSync(join(world.directoryOf('@eve'), 'keys.json'))
    await expect(world.connector({ agent: '@eve' })).rejects.toMatchObject({ code: 'NOT_SET_UP' })
  })
})

const inviteBody = () => ({
  key: inviteKey(bytesOf('an invite of the connector', 16)).publicKey,
  kind: 'agent' as const,
  tags: [],
  uses: 1,
  exp: world.gateway.branch.state.at + 86_400,
})

/** The same log but for its last statement, which the administrator signed as well. */
function forkOf({ gateway }: ConnectorWorld): { log: string; head: string } {
  const { entries, org } = gateway.branch
  const trunk = entries.slice(0, -1)
  const before = replayOf(org, trunk)
  const other = draft(before, 'policy.set', { sha256: 'A'.repeat(43), name: 'another' }, { at: before.state.at + 90 })
  const log = [...trunk, other].map((signed) => `${JSON.stringify(encodeSigned(signed))}\n`).join('')
  return { log, head: JSON.stringify({ seq: entries.length - 1, head: linkHash(other.bytes) }) }
}
const replayOf = (org: string, entries: Branch['entries']): Branch => ({ org, entries, state: replay(org, entries, portable) })
