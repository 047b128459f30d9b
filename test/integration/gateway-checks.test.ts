// Arguments and results, as a real gateway checks them in front of a real MCP server.
import type { Receipt } from '@postern/core'
import { decodeBase64url, resultDigest, verifyReceipt } from '@postern/core'
import { native } from '@postern/daemon'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultRisks, GatewayWorld } from '../fixtures/gateway/gateway-world.ts'
import type { HeldGrant, Reply, TestAgent } from '../fixtures/gateway/test-agent.ts'

const rule = { who: ['*'], servers: ['tools'], effect: 'allow' }
const policyWith = (output: 'redact' | 'refuse') => ({
  v: 1,
  name: 'test',
  rules: [
    { id: 'plain', ...rule, tools: ['typed', 'echo'] },
    { id: 'checked', ...rule, tools: ['leak'], output },
  ],
})

let world: GatewayWorld
let bot: TestAgent
beforeAll(async () => {
  world = await GatewayWorld.open({ policy: policyWith('redact'), risks: { ...defaultRisks, typed: 'write', leak: 'read' } })
  bot = await world.connect('@bot')
  await bot.begin('s', 'tools')
})
afterAll(() => world.close())

async function grantFor(tool: string): Promise<HeldGrant> {
  const { grant, error } = await bot.ask([{ server: 'tools', tool }])
  if (!grant) throw new Error(error?.code)
  return grant
}
const call = async (tool: string, args = {}) => bot.call('s', await grantFor(tool), 'tools', tool, args)
function receiptOf({ header }: Reply): Receipt {
  const resolve = (_: string, kid: string) => world.branch.state.keys.get(kid as never)?.key
  return verifyReceipt(header.receipt as string, resolve as never, { org: world.branch.org, now: world.clock.seconds, suite: native })
}

describe('arguments', () => {
  test('that fit the pinned schema run', async () =>
    expect((await call('typed', { amount: 7 })).body?.result).toMatchObject({ content: [{ text: 'amount 7' }] }))

  test.each([
    ['of another type', { amount: '7' }, '/amount: must be integer'],
    ['beyond a maximum', { amount: 51 }, '/amount: must be <= 50'],
    ['that are missing', {}, "must have required property 'amount'"],
  ])('%s never reach the server, and the refusal names the place and not the value', async (_, args, why) => {
    const reply = await call('typed', args)
    expect(reply).toMatchObject({ type: 'REFUSED', header: { code: 'ARGUMENT_REFUSED' } })
    expect(reply.header.message).toContain(why)
    expect(receiptOf(reply)).toMatchObject({ decision: 'deny', code: 'ARGUMENT_REFUSED', status: 'not_run' })
  })
})

describe('a result with a secret', () => {
  test('comes back without it, under a receipt that fits what came', async () => {
    const reply = await call('leak')
    expect(reply.body?.result).toMatchObject({
      content: [{ text: expect.stringMatching(/^GITHUB_TOKEN=\[redacted: [\w-]+\] done$/) }],
      _meta: { 'dev.postern/checks': { secrets: 1, hidden: 1 } },
    })
    const receipt = receiptOf(reply)
    expect(receipt).toMatchObject({ decision: 'allow', code: 'OK', status: 'ok' })
    expect(receipt.result).toBe(resultDigest(decodeBase64url(reply.header.salt as string), reply.body?.result as never))
  })

  test('is withheld where the policy says so; the receipt says that the call ran', async () => {
    world.setPolicy(policyWith('refuse'))
    await world.sync()
    const reply = await call('leak')
    expect(reply).toMatchObject({ type: 'REFUSED', header: { code: 'OUTPUT_REFUSED' } })
    expect(JSON.stringify(reply)).not.toContain('ghp_')
    expect(receiptOf(reply)).toMatchObject({ decision: 'allow', code: 'OUTPUT_REFUSED', status: 'ok' })
  })
})

test('a rule that asks for no check changes nothing: what the server wrote is what arrives', async () => {
  const reply = await call('echo', { token: 'AKIA' })
  expect(reply.body?.result).toEqual({ content: [{ type: 'text', text: '{"token":"AKIA"}' }] })
})
