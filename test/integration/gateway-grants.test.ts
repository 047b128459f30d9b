// Asking for grants: over a channel and, sealed, over the control plane. Both doors lead to the same decision.
import { randomBytes } from 'node:crypto'
import type { Exporter, Grant, GrantAnswer } from '@postern/core'
import { encodeBase64url, intentOf, keyIdOf, openAnswer, parseAtSign, sealAsk, tokenHash, verifyGrant } from '@postern/core'
import { native } from '@postern/daemon'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GatewayWorld, until } from '../fixtures/gateway/gateway-world.ts'
import type { TestAgent } from '../fixtures/gateway/test-agent.ts'
import { machineKey, seedOf, x25519Key } from '../fixtures/people.ts'

let world: GatewayWorld
let bot: TestAgent
beforeAll(async () => {
  const rules = [
    { id: 'reads', who: ['@bot'], servers: ['tools'], tools: ['risk:read'], effect: 'allow', limits: { ttl_seconds: 300 } },
    { id: 'count', who: ['@bot'], servers: ['tools'], tools: ['count'], effect: 'allow', limits: { calls: 5, ttl_seconds: 20 } },
    { id: 'never', who: ['*'], servers: ['tools'], tools: ['die'], effect: 'deny' },
    { id: 'person', who: ['@bot'], servers: ['tools'], tools: ['slow'], effect: 'ask', approvers: ['@ana'] },
  ]
  world = await GatewayWorld.open({ policy: { v: 1, name: 'grants', rules } })
  bot = await world.connect('@bot')
})
afterAll(() => world.close())

const random = (n: number) => new Uint8Array(randomBytes(n))
const jti = (name: string) => encodeBase64url(seedOf(name).subarray(0, 16))
const context = () => ({ org: world.branch.org, now: world.clock.seconds, suite: native })
const resolve = (_: string, kid: string) => world.branch.state.keys.get(kid as never)?.key
const read = (token: string): Grant => verifyGrant(token, resolve as never, context())
const code = async (...asked: Parameters<TestAgent['ask']>) => (await bot.ask(...asked)).error?.code
const detail = (tool: string, args: { arg: string; is: object }[] = []) => ({ server: 'tools', tool, args: args as never })

describe('a grant', () => {
  test('is signed by the issue key, for this agent and its owner, under this policy and log, bound to its call key', async () => {
    const { grant } = await bot.ask([detail('echo')], { intent: 'read my notes', jti: jti('intent') })
    const claims = read(grant!.token)
    expect(claims).toMatchObject({
      ...{ iss: '@gw', aud: '@gw', sub: '@bot', obo: '@ben', pol: world.branch.state.policy!.sha256 },
      ...{ log: { seq: world.branch.state.seq, head: world.branch.state.head }, nbf: world.clock.seconds, exp: world.clock.seconds + 300 },
      intent: intentOf('read my notes', jti('intent'), native),
    })
    expect(claims.cnf.jkt).toBe(keyIdOf(machineKey('@bot', 'call').publicKey))
    expect(claims.authorization_details).toEqual([{ ...detail('echo'), type: 'mcp_tool', schema: pinOf('echo') }])
  })
  const pinOf = (tool: string) => world.branch.state.servers.get('tools')!.tools.get(tool)!.digest

  test('has the conditions that the agent itself asked for, and the strictest of the rules’ limits', async () => {
    const { grant } = await bot.ask([detail('echo', [{ arg: 'path', is: { prefix: '/notes' } }]), detail('count')])
    const claims = read(grant!.token)
    expect(claims.authorization_details[0]?.args).toEqual([{ arg: 'path', is: { prefix: '/notes' } }])
    expect(claims.exp - claims.nbf).toBe(20)
  })
  test('of a rule for five calls is for five calls', async () => {
    const { grant } = await bot.ask([detail('count')])
    expect(read(grant!.token).max).toBe(5)
  })
  test('is given where a person will be asked, since the call itself is asked about', async () => {
    expect(await code([detail('slow')])).toBeUndefined()
  })
})

describe('no grant is given', () => {
  test.each([
    ['that no rule allows', 'write', 'POLICY_DENIED'],
    ['that a rule denies', 'die', 'POLICY_DENIED'],
    ['that nobody pinned', 'unpinned', 'TOOL_NOT_PINNED'],
    ['that is not there', 'nothing', 'TOOL_NOT_PINNED'],
  ])('for a tool %s', async (_, tool, expected) => {
    expect(await code([detail('echo'), detail(tool)])).toBe(expected)
  })
  test('for an ask of another agent', async () => {
    const eve = await world.connect('@eve')
    expect((await bot.askWith(eve.signAsk([detail('echo')]))).error?.code).toBe('ASK_SIGNATURE')
  })
  test('for an ask to another gateway', async () => {
    expect((await bot.askWith(bot.signAsk([detail('echo')], { aud: '@other-gw' }))).error?.code).toBe('ASK_MALFORMED')
  })
  test('for an ask that is changed, or is none', async () => {
    const ask = bot.signAsk([detail('echo')])
    expect((await bot.askWith(`${ask.slice(0, -5)}AAAAA`)).error?.code).toMatch(/ASK_(SIGNATURE|MALFORMED)/)
    expect((await bot.askWith('a.b.c')).error?.code).toBe('ASK_MALFORMED')
  })
  test('for an ask that is too old', async () => {
    const ask = bot.signAsk([detail('echo')])
    world.clock.advance(181)
    bot = await world.connect('@bot')
    expect((await bot.askWith(ask)).error?.code).toBe('ASK_EXPIRED')
  })
})

describe('an ask that is repeated', () => {
  test('gets the same grant', async () => {
    const ask = bot.signAsk([detail('echo')])
    const first = await bot.askWith(ask)
    expect((await bot.askWith(ask)).grant?.token).toBe(first.grant?.token)
  })
  test('with another content under its jti gets none', async () => {
    await bot.ask([detail('echo')], { jti: jti('twice') })
    expect(await code([detail('count')], { jti: jti('twice') })).toBe('ASK_MALFORMED')
  })
})

describe('the REST door', () => {
  const at = () => ({ org: world.branch.org, gateway: parseAtSign('@gw'), key: x25519Key('@gw seal 1', 'seal') })
  async function post(id: string, ask: string): Promise<GrantAnswer> {
    const { sealed, exporter } = sealAsk(ask, at(), random, native)
    world.control.push('ask', { id, sealed: encodeBase64url(sealed) })
    return answerTo(id, exporter)
  }
  async function answerTo(id: string, exporter: Exporter): Promise<GrantAnswer> {
    await until(() => world.control.answers.has(id))
    return openAnswer(new Uint8Array(Buffer.from(world.control.answers.get(id)!, 'base64url')), exporter, at(), native)
  }

  test('gives a grant that is used like one from a channel', async () => {
    const answer = await post('r1', bot.signAsk([detail('echo')]))
    if (!('grant' in answer)) throw new Error('refused')
    await bot.begin('rest', 'tools')
    const reply = await bot.call('rest', { token: answer.grant, hash: tokenHash(answer.grant), n: 0 }, 'tools', 'echo', { via: 'rest' })
    expect(reply.type).toBe('RESULT')
  })
  test('says why not, sealed as well', async () => {
    expect(await post('r2', bot.signAsk([detail('write')]))).toMatchObject({ refused: { code: 'POLICY_DENIED' } })
  })
  test('gives the same grant as the channel for the same ask', async () => {
    const ask = bot.signAsk([detail('echo')])
    const answer = await post('r3', ask)
    expect((await bot.askWith(ask)).grant?.token).toBe('grant' in answer && answer.grant)
  })
  test('answers many at once', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => post(`many-${i}`, bot.signAsk([detail('echo')]))))
    expect(new Set(answers.map((answer) => 'grant' in answer && answer.grant)).size).toBe(50)
  })
  test('leaves alone what is not sealed to this gateway', async () => {
    const other = { ...at(), key: x25519Key('@other seal 1', 'seal') }
    const { sealed } = sealAsk(bot.signAsk([detail('echo')]), other, random, native)
    world.control.push('ask', { id: 'lost', sealed: encodeBase64url(sealed) })
    world.control.push('ask', { id: 'noise', sealed: '!!!' })
    world.control.push('ask', 'nonsense')
    await post('r4', bot.signAsk([detail('echo')]))
    expect(world.control.answers.has('lost') || world.control.answers.has('noise')).toBe(false)
  })
})
