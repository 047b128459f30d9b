// The official SDK's clients through a connector and a real gateway to a real MCP server process, over stdio and HTTP.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConnectorWorld } from '../fixtures/connector/connector-world.ts'
import { httpTransport, modes, nameOf, newClient, StreamTransport } from '../fixtures/connector/sdk-clients.ts'

let world: ConnectorWorld
beforeAll(async () => {
  world = await ConnectorWorld.open()
})
afterAll(() => world.close())

const doors = {
  stdio: async () => {
    const connector = await world.connector()
    return new StreamTransport(connector)
  },
  http: async () => {
    const { running } = await world.connector({ http: 0 })
    const token = readFileSync(join(world.directoryOf('@bot'), 'http-token'), 'utf8').trim()
    return httpTransport(running.url!, token)
  },
}

describe.each(Object.entries(doors))('over %s', (_, open) => {
  test.each(modes.map((mode) => [nameOf(mode), mode] as const))('a client in mode %s lists and calls tools', async (_name, mode) => {
    const client = newClient(mode)
    await client.connect(await open())
    const { tools } = await client.listTools()
    const names = tools.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['echo', 'write']))
    expect(names).not.toContain('unpinned') // nobody has looked at it
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => client.callTool({ name: 'echo', arguments: { i } }).then(({ content }) => content)),
    )
    expect(answers).toEqual(answers.map((_, i) => [{ type: 'text', text: JSON.stringify({ i }) }]))
    await client.close()
  })
})
