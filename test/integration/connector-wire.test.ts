// That everything MCP has beside plain calls gets through a connector and a real gateway unharmed, in both eras and over both doors.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConnectorWorld } from '../fixtures/connector/connector-world.ts'
import type { Mode } from '../fixtures/connector/sdk-clients.ts'
import { httpTransport, modes, nameOf, newClient, StreamTransport } from '../fixtures/connector/sdk-clients.ts'

const labServer = join(import.meta.dirname, '../fixtures/connector/lab-server.mjs')
let world: ConnectorWorld
beforeAll(async () => {
  const args = JSON.stringify([labServer])
  world = await ConnectorWorld.open({
    limits: `[servers.lab]\ncommand = ${JSON.stringify(process.execPath)}\nargs = ${args}\n`,
    policy: { v: 1, name: 'open', rules: [{ id: 'all', who: ['*'], servers: ['*'], tools: ['*'], effect: 'allow' }] },
  })
  await world.pin('lab')
})
afterAll(() => world.close())

const doors = {
  stdio: async () => new StreamTransport(await world.connector({ server: 'lab' })),
  http: async () => {
    const { running } = await world.connector({ server: 'lab', http: 0 })
    return httpTransport(running.url!, readFileSync(join(world.directoryOf('@bot'), 'http-token'), 'utf8').trim())
  },
}
const matrix = Object.entries(doors).flatMap(([door, open]) => modes.map((mode) => [door, nameOf(mode), open, mode] as const))
const textOf = ({ content }: Awaited<ReturnType<Client['callTool']>>) => (content as { text: string }[])[0]?.text

describe.each(matrix)('over %s in mode %s', (_door, _name, open, mode: Mode) => {
  let client: Client
  beforeAll(async () => {
    client = newClient(mode)
    client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: { name: 'Ada' } }))
    await client.connect(await open())
  })
  afterAll(() => client.close())

  test('the era is the one the client speaks, and foreign members of _meta pass', async () => {
    const result = await client.callTool({ name: 'era', arguments: {}, _meta: { 'com.example/mine': 7 } })
    expect(JSON.parse(textOf(result)!)).toEqual({ era: client.getProtocolEra(), client: 7 })
  })

  test('progress arrives whole and in order, the last one too', async () => {
    for (const ms of [0, 0, 0, 1]) {
      const seen: number[] = []
      const result = await client.callTool(
        { name: 'steps', arguments: { steps: 5, ms } },
        { onprogress: ({ progress }) => seen.push(progress) },
      )
      expect([textOf(result), seen]).toEqual(['done', [1, 2, 3, 4, 5]])
    }
  })

  test('a call that the client gives up is cancelled at the server', async () => {
    const before = Number(textOf(await client.callTool({ name: 'cancelled', arguments: {} })))
    const stop = new AbortController()
    const call = client.callTool(
      { name: 'steps', arguments: { steps: 1000, ms: 5 } },
      { signal: stop.signal, onprogress: ({ progress }) => progress === 2 && stop.abort('enough') },
    )
    await expect(call).rejects.toThrow(/enough/)
    await expect.poll(async () => Number(textOf(await client.callTool({ name: 'cancelled', arguments: {} })))).toBe(before + 1)
  })

  test('a question of the server reaches the client, and its answer the server', async () => {
    expect(textOf(await client.callTool({ name: 'ask', arguments: {} }))).toBe('hello Ada, opaque')
  })

  test('text of every kind comes back as it went', async () => {
    const odd = 'line\nbreak \u2028 é 👍 "quoted" \\ \u0000 </script>'
    expect(textOf(await client.callTool({ name: 'echo', arguments: { text: odd } }))).toBe(odd)
    const long = 'x'.repeat(300_000)
    expect(textOf(await client.callTool({ name: 'echo', arguments: { text: long } }))).toBe(long)
  })
})
