// A real gateway in front of a real MCP server process; control plane, relay and time in memory.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Receipt } from '@postern/core'
import { decodeBase64url, encodeBase64url, resultDigest, verifyReceipt } from '@postern/core'
import { native } from '@postern/daemon'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GatewayWorld, until } from '../fixtures/gateway/gateway-world.ts'
import type { HeldGrant, Reply, TestAgent } from '../fixtures/gateway/test-agent.ts'
import { seedOf } from '../fixtures/people.ts'

let world: GatewayWorld
let bot: TestAgent
let session = 0
beforeAll(async () => {
  world = await GatewayWorld.open()
  bot = await world.connect('@bot')
})
afterAll(() => world.close())

async function grantFor(...tools: string[]): Promise<HeldGrant> {
  const { grant, error } = await bot.ask(tools.map((tool) => ({ server: 'tools', tool })))
  if (!grant) throw new Error(error?.code)
  return grant
}
async function newSession(): Promise<string> {
  session += 1
  await bot.begin(`s${session}`, 'tools')
  return `s${session}`
}
function receiptOf({ header }: Reply): Receipt {
  const resolve = (_: string, kid: string) => world.branch.state.keys.get(kid as never)?.key
  return verifyReceipt(header.receipt as string, resolve as never, { org: world.branch.org, now: world.clock.seconds, suite: native })
}
const idOf = (name: string) => encodeBase64url(seedOf(name).subarray(0, 16))

describe('a call under a grant', () => {
  test('runs, and comes back with a receipt that the gateway signed and that fits the result', async () => {
    const sid = await newSession()
    const reply = await bot.call(sid, await grantFor('echo'), 'tools', 'echo', { a: [1, 'é', null] })
    expect(reply.type).toBe('RESULT')
    expect(reply.body?.result).toMatchObject({ content: [{ type: 'text', text: '{"a":[1,"é",null]}' }] })
    const receipt = receiptOf(reply)
    expect(receipt).toMatchObject({
      agent: '@bot',
      server: 'tools',
      tool: 'echo',
      decision: 'allow',
      code: 'OK',
      status: 'ok',
      rule: 'all',
    })
    expect(receipt.result).toBe(resultDigest(decodeBase64url(reply.header.salt as string), reply.body?.result as never))
  })
  test('fails as the server says, and the receipt says so', async () => {
    const sid = await newSession()
    const reply = await bot.call(sid, await grantFor('fail'), 'tools', 'fail', {})
    expect(reply.body?.result).toMatchObject({ isError: true })
    expect(receiptOf(reply)).toMatchObject({ code: 'OK', status: 'error' })
  })
  test('runs beside others of the same session', async () => {
    const sid = await newSession()
    const grant = await grantFor('slow', 'echo')
    const slow = bot.call(sid, grant, 'tools', 'slow', { ms: 60 })
    const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => bot.call(sid, grant, 'tools', 'echo', { i })))
    expect(replies.map(({ body }) => JSON.stringify(body?.result)).every((text, i) => text.includes(`{\\"i\\":${i}}`))).toBe(true)
    expect((await slow).body?.result).toMatchObject({ content: [{ text: 'at last' }] })
  })
  test('is refused with a result that a model can read, the rule, and a receipt', async () => {
    const sid = await newSession()
    const reply = await bot.call(sid, await grantFor('echo'), 'tools', 'write', {})
    expect(reply).toMatchObject({ type: 'REFUSED', header: { code: 'TOOL_NOT_GRANTED' }, body: { result: { isError: true } } })
    expect(receiptOf(reply)).toMatchObject({ decision: 'deny', status: 'not_run', code: 'TOOL_NOT_GRANTED', tool: 'write' })
  })
  test('is refused when it was changed on its way, without reaching the server', async () => {
    const sid = await newSession()
    const reply = await bot.call(sid, await grantFor('count'), 'tools', 'count', { mark: 'a' }, { sentArgs: { mark: 'b' } })
    expect(reply.header.code).toBe('ARGS_CHANGED')
    expect(existsSync(join(world.home, 'count'))).toBe(false)
  })
  test('is refused on another channel than it was signed for', async () => {
    const sid = await newSession()
    const grant = await grantFor('echo')
    const other = await world.connect('@bot')
    const stolen = other.signCall(sid, grant, 'tools', 'echo', {})
    bot.send('CALL', stolen.header, stolen.body)
    expect((await bot.reply(stolen.id)).header.code).toBe('CALL_BINDING')
  })
  test('is refused when its grant was given to somebody else', async () => {
    const eve = await world.connect('@eve')
    await eve.begin('e1', 'tools')
    const reply = await eve.call('e1', await grantFor('echo'), 'tools', 'echo', {})
    expect(reply.header.code).toBe('GRANT_FOREIGN')
  })
})

describe('one call id runs at most once', () => {
  const marks = () => (existsSync(join(world.home, 'count')) ? readFileSync(join(world.home, 'count'), 'utf8').trim().split('\n') : [])

  test('a retry gets the first result, under its own JSON-RPC id', async () => {
    const sid = await newSession()
    const grant = await grantFor('count')
    const first = await bot.call(sid, grant, 'tools', 'count', { mark: 'once' }, { claims: { id: idOf('once') } })
    const again = await bot.call(sid, grant, 'tools', 'count', { mark: 'once' }, { claims: { id: idOf('once') } })
    expect(again.type).toBe('RESULT')
    expect(again.body?.result).toEqual(first.body?.result)
    expect(again.body?.id).not.toBe(first.body?.id)
    expect(again.header.receipt).toBe(first.header.receipt)
    expect(marks().filter((mark) => mark === 'once')).toHaveLength(1)
  })
  test('a retry while the first still runs waits for it', async () => {
    const sid = await newSession()
    const grant = await grantFor('slow')
    const change = { claims: { id: idOf('slow') } }
    const [first, again] = await Promise.all([
      bot.call(sid, grant, 'tools', 'slow', { ms: 80 }, change),
      bot.call(sid, grant, 'tools', 'slow', { ms: 80 }, change),
    ])
    expect(again.header.receipt).toBe(first.header.receipt)
  })
  test('another call under the id is refused', async () => {
    const sid = await newSession()
    const grant = await grantFor('count')
    await bot.call(sid, grant, 'tools', 'count', { mark: 'x' }, { claims: { id: idOf('taken') } })
    const other = await bot.call(sid, grant, 'tools', 'count', { mark: 'y' }, { claims: { id: idOf('taken') } })
    expect(other.header.code).toBe('REPLAYED')
    expect(marks()).not.toContain('y')
  })
  test('the very same message again is refused as a replay', async () => {
    const sid = await newSession()
    const { header, body, id } = bot.signCall(sid, await grantFor('count'), 'tools', 'count', { mark: 'replay' })
    bot.send('CALL', header, body)
    await bot.reply(id)
    bot.send('CALL', header, body)
    expect((await bot.reply(id)).header.code).toBe('REPLAYED')
    expect(marks().filter((mark) => mark === 'replay')).toHaveLength(1)
  })
  test('a result is kept for ten minutes; after that the retry is refused and still runs nothing', async () => {
    const sid = await newSession()
    await bot.call(sid, await grantFor('count'), 'tools', 'count', { mark: 'late' }, { claims: { id: idOf('late') } })
    world.clock.advance(601)
    world.timers.tick()
    await world.sync()
    const late = await world.connect('@bot')
    await late.open(sid, 'tools')
    const { grant } = await late.ask([{ server: 'tools', tool: 'count' }])
    const again = await late.call(sid, grant!, 'tools', 'count', { mark: 'late' }, { claims: { id: idOf('late') } })
    expect(again.header.code).toBe('REPLAYED')
    expect(marks().filter((mark) => mark === 'late')).toHaveLength(1)
    bot = late
  })
  test('a call whose server died is reported as unknown, and stays so', async () => {
    const sid = await newSession()
    const change = { claims: { id: idOf('dies') } }
    const reply = await bot.call(sid, await grantFor('die'), 'tools', 'die', {}, change)
    expect(reply.header.code).toBe('OUTCOME_UNKNOWN')
    expect(receiptOf(reply)).toMatchObject({ status: 'unknown', decision: 'allow' })
    const next = await newSession()
    const again = await bot.call(next, await grantFor('die'), 'tools', 'die', {}, change)
    expect(again.header).toMatchObject({ code: 'OUTCOME_UNKNOWN', receipt: reply.header.receipt })
  })
})

test('receipts reach the control plane, each once and in order', async () => {
  world.timers.tick()
  await until(() => world.gateway.health().receipts_waiting === 0)
  const resolve = (_: string, kid: string) => world.branch.state.keys.get(kid as never)?.key
  const context = { org: world.branch.org, now: world.clock.seconds, suite: native }
  const rseqs = world.control.receipts.map((token) => verifyReceipt(token, resolve as never, context).rseq)
  expect(rseqs).toEqual(rseqs.map((_, i) => i + 1))
})

test('no line of the log has an argument or a result in it', () => {
  expect(world.lines.length).toBeGreaterThan(10)
  expect(world.logged('at last')).toEqual([])
  expect(world.logged('"mark"')).toEqual([])
})
