// The fixture server through connector and gateway, with clients of the official SDK in both eras: what is not a tool is decided by policy.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConnectorWorld } from '../fixtures/connector/connector-world.ts'
import { httpTransport, modes, nameOf, newClient, StreamTransport } from '../fixtures/connector/sdk-clients.ts'

const tools = ['test_simple_text', 'test_tool_with_progress', 'test_structured_output', 'test_error_handling', 'test_trigger_tool_change']
const policy = {
  v: 1,
  name: 'eras',
  rules: [{ id: 'all', who: ['*'], servers: ['tools'], tools: ['*'], effect: 'allow' }],
  beyond_tools: [
    {
      who: ['@bot'],
      servers: ['*'],
      resources: ['test://static-text', 'test://template'],
      prompts: ['test_simple_prompt', 'test_prompt_with_arguments'],
    },
  ],
}
let world: ConnectorWorld
beforeAll(async () => {
  world = await ConnectorWorld.open({ server: 'whole', policy, risks: Object.fromEntries(tools.map((tool) => [tool, 'read'])) })
})
afterAll(() => world.close())

const doors = {
  stdio: async (agent: string) => new StreamTransport(await world.connector({ agent })),
  http: async (agent: string) => {
    const { running } = await world.connector({ agent, http: 0 })
    return httpTransport(running.url!, readFileSync(join(world.directoryOf(agent), 'http-token'), 'utf8').trim())
  },
}
const ways = Object.entries(doors).flatMap(([door, open]) => modes.map((mode) => ({ door, mode, name: nameOf(mode), open })))

describe.each(ways)('over $door, a client in mode $name', ({ mode, open }) => {
  let client: Client
  beforeAll(async () => {
    client = newClient(mode)
    await client.connect(await open('@bot'))
  })
  afterAll(() => client.close())

  test('is listed what it may use, in the order of the server', async () => {
    expect((await client.listTools()).tools.map(({ name }) => name).sort()).toEqual([...tools].sort())
    expect((await client.listResources()).resources.map(({ uri }) => uri)).toEqual(['test://static-text'])
    expect((await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
      'test://template/{id}/data',
    ])
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(['test_simple_prompt', 'test_prompt_with_arguments'])
  })
  test('reads what the policy names, and what lies below it', async () => {
    expect((await client.readResource({ uri: 'test://static-text' })).contents).toMatchObject([{ mimeType: 'text/plain' }])
    expect((await client.readResource({ uri: 'test://template/7/data' })).contents).toMatchObject([{ mimeType: 'application/json' }])
  })
  test('reads nothing else, though the server would give it', async () => {
    await expect(client.readResource({ uri: 'test://static-binary' })).rejects.toMatchObject({ code: 4030 })
    await expect(client.readResource({ uri: 'test://template/../static-binary' })).rejects.toMatchObject({ code: 4030 })
  })
  test('gets the prompts it may, with completion, and no others', async () => {
    const { messages } = await client.getPrompt({ name: 'test_prompt_with_arguments', arguments: { arg1: 'a', arg2: 'b' } })
    expect(messages).toMatchObject([{ content: { text: "Prompt with arguments: arg1='a', arg2='b'" } }])
    const ref = { type: 'ref/prompt' as const, name: 'test_prompt_with_arguments' }
    expect((await client.complete({ ref, argument: { name: 'arg1', value: 'x' } })).completion.values).toEqual([])
    await expect(client.getPrompt({ name: 'test_prompt_with_image' })).rejects.toMatchObject({ code: 4030 })
    const other = { ...ref, name: 'test_prompt_with_image' }
    await expect(client.complete({ ref: other, argument: { name: 'arg1', value: 'x' } })).rejects.toMatchObject({ code: 4030 })
  })
  test('gets progress, structured results and errors as the server gives them', async () => {
    const steps: number[] = []
    const onprogress = ({ progress }: { progress: number }) => void steps.push(progress)
    await client.callTool({ name: 'test_tool_with_progress', arguments: {} }, { onprogress })
    expect(steps).toEqual([0, 50, 100])
    const sum = await client.callTool({ name: 'test_structured_output', arguments: { a: 1, b: 2 } })
    expect(sum.structuredContent).toEqual({ sum: 3 })
    expect((await client.callTool({ name: 'test_error_handling', arguments: {} })).isError).toBe(true)
  })
})

test('an agent that the policy names nothing for sees and gets nothing but tools', async () => {
  const client = newClient('legacy')
  await client.connect(await doors.stdio('@eve'))
  expect((await client.listTools()).tools.length).toBe(tools.length)
  expect((await client.listResources()).resources).toEqual([])
  expect((await client.listPrompts()).prompts).toEqual([])
  await expect(client.readResource({ uri: 'test://static-text' })).rejects.toMatchObject({ code: 4030 })
  await client.close()
})

test('a subscription brings the news it asked for until it is ended', async () => {
  const client = newClient({ pin: '2026-07-28' })
  await client.connect(await doors.http('@bot'))
  const changed = Promise.withResolvers<void>()
  client.setNotificationHandler('notifications/tools/list_changed', () => changed.resolve())
  const subscription = await client.listen({ toolsListChanged: true })
  await client.callTool({ name: 'test_trigger_tool_change', arguments: {} })
  await changed.promise
  await subscription.close()
  await client.close()
})

test('news of a resource are only for who may read it', async () => {
  const client = newClient({ pin: '2026-07-28' })
  await client.connect(await doors.http('@bot'))
  await expect(client.listen({ resourceSubscriptions: ['test://static-binary'] })).rejects.toThrow()
  await client.close()
})
