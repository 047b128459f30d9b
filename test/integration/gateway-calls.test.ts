// A real gateway in front of a real MCP server process; control plane, relay and time in memory.
import { decodeBase64url, resultDigest, verifyReceipt } from '@postern/core'
import { native } from '@postern/daemon'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GatewayWorld } from '../fixtures/gateway/gateway-world.ts'
import type { HeldGrant, TestAgent } from '../fixtures/gateway/test-agent.ts'

let world: GatewayWorld
let bot: TestAgent
beforeAll(async () => {
  world = await GatewayWorld.open()
  bot = await world.connect('@bot')
  await bot.begin('s1', 'tools')
})
afterAll(() => world.close())

async function grantFor(tool: string): Promise<HeldGrant> {
  const { grant, error } = await bot.ask([{ server: 'tools', tool }])
  if (!grant) throw new Error(error?.code)
  return grant
}

describe('a call under a grant', () => {
  test('runs, and comes back with a receipt that the gateway signed and that fits the result', async () => {
    const reply = await bot.call('s1', await grantFor('echo'), 'tools', 'echo', { a: [1, 'é', null] })
    expect(reply.type).toBe('RESULT')
    expect(reply.body?.result).toMatchObject({ content: [{ type: 'text', text: '{"a":[1,"é",null]}' }] })
    const { receipt, salt } = reply.header as { receipt: string; salt: string }
    const resolve = (_: string, kid: string) => world.branch.state.keys.get(kid as never)?.key
    const verified = verifyReceipt(receipt, resolve as never, { org: world.branch.org, now: world.clock.seconds, suite: native })
    expect(verified).toMatchObject({ agent: '@bot', server: 'tools', tool: 'echo', decision: 'allow', code: 'OK', status: 'ok', rule: 'all' })
    expect(verified.result).toBe(resultDigest(decodeBase64url(salt), reply.body?.result as never))
  })
})
