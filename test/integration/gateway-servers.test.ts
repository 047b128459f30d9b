// Servers that ask, change, stream and answer badly; limits that outlive the process.
import { tokenHash } from '@postern/core'
import { afterEach, describe, expect, test } from 'vitest'
import { GatewayWorld, openPolicy } from '../fixtures/gateway/gateway-world.ts'
import type { HeldGrant, TestAgent } from '../fixtures/gateway/test-agent.ts'

const risks = { ask: 'read', progress: 'read', change: 'read', input: 'write', garble: 'read', big: 'read', twin: 'read' } as const
let world: GatewayWorld
let bot: TestAgent
afterEach(() => world.close())
async function open(options: Parameters<typeof GatewayWorld.open>[0] = {}): Promise<HeldGrant> {
  world = await GatewayWorld.open({ server: 'odd', risks, ...options })
  bot = await world.connect('@bot')
  return begin()
}
async function begin(): Promise<HeldGrant> {
  await bot.begin('s', 'tools')
  const { grant, error } = await bot.ask(
    ['ask', 'progress', 'change', 'input', 'garble', 'big', 'twin'].map((tool) => ({ server: 'tools', tool })),
  )
  if (!grant) throw new Error(error?.code)
  return grant
}
const json = (body: Uint8Array) => JSON.parse(Buffer.from(body).toString())

describe('a server that asks the client', () => {
  test('gets its answer, and the call goes on', async () => {
    const grant = await open()
    const called = bot.call('s', grant, 'tools', 'ask', {})
    const question = json((await bot.next((m) => m.type === 'MESSAGE' && json(m.body).method === 'elicitation/create')).body)
    const answer = { jsonrpc: '2.0', id: question.id, result: { action: 'accept', content: {} } }
    bot.send('MESSAGE', { sid: 's' }, new Uint8Array(Buffer.from(JSON.stringify(answer))))
    expect((await called).body?.result).toMatchObject({ content: [{ text: '{"action":"accept","content":{}}' }] })
  })
  test('gets no answer to a question that it did not ask', async () => {
    const grant = await open()
    bot.send('MESSAGE', { sid: 's' }, new Uint8Array(Buffer.from('{"jsonrpc":"2.0","id":"bad","result":{}}')))
    expect((await bot.call('s', grant, 'tools', 'big', { bytes: 1 })).type).toBe('RESULT') // it would have ended
  })
})

test('progress comes before the result', async () => {
  const grant = await open()
  const called = bot.call('s', grant, 'tools', 'progress', {}, { params: { _meta: { progressToken: 'p' } } })
  const first = await bot.next((m) => m.type === 'MESSAGE' || m.type === 'RESULT')
  expect(json(first.body)).toMatchObject({ method: 'notifications/progress', params: { progressToken: 'p' } })
  expect((await called).type).toBe('RESULT')
})

test('a tool that changes while the session is open is refused from then on, and the client hears of the change', async () => {
  const grant = await open()
  expect((await bot.call('s', grant, 'tools', 'change', {})).type).toBe('RESULT')
  await bot.next((m) => m.type === 'MESSAGE' && json(m.body).method === 'notifications/tools/list_changed')
  expect((await bot.call('s', grant, 'tools', 'input', {})).header.code).toBe('TOOL_CHANGED')
  expect((await bot.call('s', grant, 'tools', 'big', { bytes: 1 })).type).toBe('RESULT')
})

test('a name that stands twice in the list is not shown and cannot be called', async () => {
  const grant = await open()
  const { body } = await bot.rpc('s', 'tools/list')
  expect(JSON.stringify(body)).not.toContain('twin')
  expect(body?.result).toMatchObject({ cacheScope: 'private', ttlMs: 60_000 })
  expect((await bot.call('s', grant, 'tools', 'twin', {})).header.code).toBe('TOOL_CHANGED')
})

test('an answer that readers could disagree about is not passed on: nobody knows what came of the call', async () => {
  const grant = await open()
  expect((await bot.call('s', grant, 'tools', 'garble', {})).header.code).toBe('OUTCOME_UNKNOWN')
})

test('a large result arrives whole', async () => {
  const grant = await open()
  const { body } = await bot.call('s', grant, 'tools', 'big', { bytes: 3_000_000 })
  expect((body!.result as { content: { text: string }[] }).content[0]?.text).toHaveLength(3_000_000)
})

test('a result too large for the channel is said to be lost, and the channel stays', async () => {
  const grant = await open()
  expect((await bot.call('s', grant, 'tools', 'big', { bytes: 9_000_000 })).header.code).toBe('OUTCOME_UNKNOWN')
  expect((await bot.call('s', grant, 'tools', 'big', { bytes: 1 })).type).toBe('RESULT')
})

describe('a call that asks for input', () => {
  const meta = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } }
  const limited = { ...openPolicy, rules: [{ ...openPolicy.rules[0], limits: { calls: 1 } }] }

  test('is continued once, and counted once', async () => {
    const grant = await open({ policy: limited })
    const first = bot.signCall('s', grant, 'tools', 'input', {}, { params: meta })
    bot.send('CALL', first.header, first.body)
    expect((await bot.reply(first.id)).body?.result).toMatchObject({ resultType: 'input_required' })
    const params = { ...meta, inputResponses: {}, requestState: 'state' }
    const continuation = { params, claims: { re: tokenHash(first.call) } }
    expect((await bot.call('s', grant, 'tools', 'input', {}, continuation)).body?.result).toMatchObject({ resultType: 'complete' })
    expect((await bot.call('s', grant, 'tools', 'input', {}, continuation)).header.code).toBe('CALL_BINDING')
    expect((await bot.call('s', grant, 'tools', 'input', {}, { params: meta })).header.code).toBe('LIMIT_EXCEEDED')
  })
  test('is not continued with other arguments, nor another tool', async () => {
    const grant = await open()
    const first = bot.signCall('s', grant, 'tools', 'input', { amount: 1 }, { params: meta })
    bot.send('CALL', first.header, first.body)
    await bot.reply(first.id)
    const continuation = { params: { ...meta, inputResponses: {} }, claims: { re: tokenHash(first.call) } }
    expect((await bot.call('s', grant, 'tools', 'input', { amount: 1_000 }, continuation)).header.code).toBe('CALL_BINDING')
    expect((await bot.call('s', grant, 'tools', 'big', { amount: 1 }, continuation)).header.code).toBe('CALL_BINDING')
    expect((await bot.call('s', grant, 'tools', 'input', { amount: 1 }, continuation)).type).toBe('RESULT')
  })
})

test('a limit per minute outlives the process', async () => {
  const grant = await open({ policy: { ...openPolicy, rules: [{ ...openPolicy.rules[0], limits: { per_minute: 2 } }] } })
  for (const n of [1, 2]) expect((await bot.call('s', grant, 'tools', 'big', { bytes: n })).type).toBe('RESULT')
  await world.restart()
  bot = await world.connect('@bot')
  const next = await begin()
  expect((await bot.call('s', next, 'tools', 'big', { bytes: 3 })).header.code).toBe('LIMIT_EXCEEDED')
})
