// Calls that wait for a person, at a real gateway in front of a real MCP server process; control plane, relay and time in memory.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject, MessageHeader, Receipt } from '@postern/core'
import { encodeBase64url, verifyReceipt } from '@postern/core'
import { native } from '@postern/daemon'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decideAs, enrolApprovers, nextHold, openAs, signDecision, stagesOf } from '../fixtures/gateway/approver.ts'
import type { PostedHold } from '../fixtures/gateway/fake-control.ts'
import { GatewayWorld, until } from '../fixtures/gateway/gateway-world.ts'
import type { CallChange, HeldGrant, Reply, TestAgent } from '../fixtures/gateway/test-agent.ts'
import { seedOf } from '../fixtures/people.ts'

const rules = [
  {
    id: 'writes',
    who: ['*'],
    servers: ['tools'],
    tools: ['count', 'slow'],
    effect: 'ask',
    approvers: ['@cy', '@dan', '@ben'],
    wait_seconds: 120,
  },
  { id: 'owner', who: ['*'], servers: ['tools'], tools: ['fail'], effect: 'ask', approvers: ['@ben'] },
  { id: 'rest', who: ['*'], servers: ['tools'], tools: ['echo'], effect: 'allow' },
]
const policy = { v: 1, name: 'main', rules }

let world: GatewayWorld
let bot: TestAgent
let made = 0
beforeAll(async () => {
  world = await GatewayWorld.open({ policy })
  enrolApprovers(world, '@cy', '@dan')
  await world.sync()
  bot = await world.connect('@bot')
})
afterAll(() => world.close())

async function grantFor(tool: string): Promise<HeldGrant> {
  const { grant, error } = await bot.ask([{ server: 'tools', tool }], { intent: 'tidy up' })
  if (!grant) throw new Error(error?.code)
  return grant
}
async function newSession(): Promise<string> {
  made += 1
  await bot.begin(`s${made}`, 'tools')
  return `s${made}`
}
const written = () => (existsSync(join(world.home, 'count')) ? readFileSync(join(world.home, 'count'), 'utf8') : '')

interface Waiting {
  readonly sid: string
  readonly hold: PostedHold
  readonly grant: HeldGrant
  readonly reply: Promise<Reply>
}
/** A call of `count` that waits; it leaves its mark when it runs. */
async function held(args: JsonObject = { mark: `w${made};` }, change: CallChange = {}): Promise<Waiting> {
  const sid = await newSession()
  const grant = await grantFor('count')
  const before = world.control.holds.length
  const reply = bot.call(sid, grant, 'tools', 'count', args, change)
  const hold = await nextHold(world, before)
  return { sid, hold, grant, reply }
}
function receiptOf({ header }: Reply): Receipt {
  const resolve = (_: string, kid: string) => world.branch.state.keys.get(kid as never)?.key
  return verifyReceipt(header.receipt as string, resolve as never, { org: world.branch.org, now: world.clock.seconds, suite: native })
}
const textOf = ({ body }: Reply) => (body as unknown as { result: { content: { text: string }[] } }).result.content[0]!.text
/** Time passes, and everybody goes on to be heard of. */
async function pass(seconds: number): Promise<void> {
  for (let left = seconds; left > 0; left -= 10) {
    world.clock.advance(Math.min(10, left))
    bot.send('PING', { t: left })
    await bot.next((m) => m.type === 'PONG' && m.header.t === left)
    await world.fresh()
    world.timers.tick(1_000)
  }
}
const until_ = (hold: PostedHold, status: string) => until(() => stagesOf(world, hold).includes(status))

describe('a call that waits for a person', () => {
  test('is shown to approvers with its exact arguments, runs once when one approves, and its receipt says who', async () => {
    const { hold, reply, sid } = await held({ mark: 'approved;' })
    const told = (await bot.next((m) => m.type === 'HELD')).header as MessageHeader<'HELD'>
    expect(told).toMatchObject({ sid, id: hold.id, until: world.clock.seconds + 120, approvers: ['@cy', '@dan'], rule: 'writes' })
    expect(written()).not.toContain('approved;')
    expect(openAs(world, hold, '@dan').hold).toMatchObject({
      intent: 'tidy up',
      owner: '@ben',
      risk: 'write',
      rule: 'writes',
      policy: 'main',
    })
    expect(decideAs(world, hold, '@cy', 'approve')).toEqual({ mark: 'approved;' })
    const answer = await reply
    expect(answer.type).toBe('RESULT')
    expect(receiptOf(answer)).toMatchObject({ decision: 'allow', code: 'OK', rule: 'writes', cth: hold.cth, approval: { by: '@cy' } })
    await until_(hold, 'executed')
    expect(world.control.stages.filter(({ id }) => id === hold.id)).toMatchObject([
      { status: 'approved', by: '@cy' },
      { status: 'executed', outcome: 'ok' },
    ])
    expect(written().split('approved;')).toHaveLength(2)
  })

  test('is refused when one refuses, and everybody hears who and why', async () => {
    const { hold, reply } = await held({ mark: 'refused;' })
    decideAs(world, hold, '@dan', 'refuse', 'wrong customer')
    const answer = await reply
    expect(answer).toMatchObject({
      type: 'REFUSED',
      header: { code: 'APPROVAL_REFUSED', rule: 'writes' },
      body: { result: { isError: true } },
    })
    expect(textOf(answer)).toContain('refused by @dan: wrong customer')
    expect(receiptOf(answer)).toMatchObject({ decision: 'deny', code: 'APPROVAL_REFUSED', status: 'not_run', approval: { by: '@dan' } })
    await until_(hold, 'refused')
    expect(written()).not.toContain('refused;')
  })

  test('is refused at the deadline, not before, and a signature that comes later runs nothing', async () => {
    const { hold, reply } = await held({ mark: 'late;' })
    await pass(119)
    expect(stagesOf(world, hold)).toEqual([])
    const decision = signDecision(world, hold, '@cy')
    await pass(1)
    const answer = await reply
    expect(answer).toMatchObject({ type: 'REFUSED', header: { code: 'APPROVAL_TIMED_OUT' } })
    expect(receiptOf(answer)).toMatchObject({ decision: 'deny', code: 'APPROVAL_TIMED_OUT' })
    world.control.push('decision', { id: hold.id, decision })
    await until(() => world.logged('a decision about a call that is not held').length > 0)
    expect(written()).not.toContain('late;')
  })

  test('of two who decide, the first counts', async () => {
    const { hold, reply } = await held({ mark: 'race;' })
    const [yes, no] = [signDecision(world, hold, '@cy'), signDecision(world, hold, '@dan', { decision: 'refuse' })]
    world.control.push('decision', { id: hold.id, decision: yes })
    world.control.push('decision', { id: hold.id, decision: no })
    expect((await reply).type).toBe('RESULT')
    await until_(hold, 'executed')
    expect(stagesOf(world, hold)).toEqual(['approved', 'executed'])
    expect(written().split('race;')).toHaveLength(2)
  })

  test('the grant may end meanwhile; a revocation of the agent ends the wait at once', async () => {
    const slow = await held({ mark: 'slow;' })
    await pass(90) // the grant is for 60 seconds
    decideAs(world, slow.hold, '@cy', 'approve')
    expect((await slow.reply).type).toBe('RESULT')
    const { hold, reply } = await held({ mark: 'suspended;' })
    world.revoke({ kind: 'grant', id: hold.gth })
    expect(await reply).toMatchObject({ type: 'REFUSED', header: { code: 'REVOKED' } })
    await until_(hold, 'ended')
    world.control.push('decision', { id: hold.id, decision: signDecision(world, hold, '@cy') })
    expect(written()).not.toContain('suspended;')
  })

  test('the same call again joins the one that waits, and gets its result', async () => {
    const id = encodeBase64url(seedOf('one id').subarray(0, 16))
    const { sid, hold, grant, reply } = await held({ mark: 'joined;' }, { claims: { id } })
    const before = world.control.holds.length
    const again = bot.call(sid, grant, 'tools', 'count', { mark: 'joined;' }, { claims: { id } })
    decideAs(world, hold, '@cy', 'approve')
    expect((await reply).type).toBe('RESULT')
    expect((await again).body?.result).toEqual((await reply).body?.result)
    expect(world.control.holds.length).toBe(before)
    expect(written().split('joined;')).toHaveLength(2)
    const other = await bot.call(sid, grant, 'tools', 'count', { mark: 'another;' }, { claims: { id } })
    expect(other).toMatchObject({ type: 'REFUSED', header: { code: 'REPLAYED' } })
  })

  test('a refused call stays refused under its id', async () => {
    const id = encodeBase64url(seedOf('refused id').subarray(0, 16))
    const { sid, hold, grant, reply } = await held({ mark: 'again;' }, { claims: { id } })
    decideAs(world, hold, '@cy', 'refuse')
    await reply
    const again = await bot.call(sid, grant, 'tools', 'count', { mark: 'again;' }, { claims: { id } })
    expect(again).toMatchObject({ type: 'REFUSED', header: { code: 'APPROVAL_REFUSED' } })
  })

  test('a client that cancels ends it, and so does one that goes', async () => {
    const first = await held({ mark: 'cancelled;' }, { rpcId: 'to cancel' })
    bot.notify(first.sid, 'notifications/cancelled', { requestId: 'to cancel' })
    await until_(first.hold, 'ended')
    const second = await held({ mark: 'gone;' })
    bot.send('CLOSE', { sid: second.sid })
    await until_(second.hold, 'ended')
    for (const { hold } of [first, second]) world.control.push('decision', { id: hold.id, decision: signDecision(world, hold, '@cy') })
    await world.sync()
    expect(written()).not.toMatch(/cancelled;|gone;/)
  })

  test('a client that asked for progress hears that it waits', async () => {
    const { hold, reply } = await held({ mark: 'progress;' }, { params: { _meta: { progressToken: 'p1' } } })
    const isProgress = (m: { type: string; body: Uint8Array }) =>
      m.type === 'MESSAGE' && Buffer.from(m.body).toString().includes('progress')
    const said = JSON.parse(Buffer.from((await bot.next(isProgress)).body).toString())
    expect(said).toMatchObject({ method: 'notifications/progress', params: { progressToken: 'p1', progress: 0, total: 120 } })
    await pass(10)
    expect(JSON.parse(Buffer.from((await bot.next(isProgress)).body).toString()).params.progress).toBe(10)
    decideAs(world, hold, '@cy', 'approve')
    expect((await reply).type).toBe('RESULT')
  })

  test('nobody who could be asked is told at once, with what to do', async () => {
    const sid = await newSession()
    const answer = await bot.call(sid, await grantFor('fail'), 'tools', 'fail', {}) // @ben owns @bot
    expect(answer).toMatchObject({ type: 'REFUSED', header: { code: 'APPROVAL_IMPOSSIBLE', rule: 'owner' } })
    expect(textOf(answer)).toContain('seal key')
  })

  test('an agent cannot have more than so many wait', async () => {
    const sid = await newSession()
    const grant = await grantFor('count')
    const before = world.control.holds.length
    const replies = Array.from({ length: 17 }, (_, n) => bot.call(sid, grant, 'tools', 'count', { mark: `many${n};` }))
    await until(() => world.control.holds.length === before + 16)
    expect(await replies[16]).toMatchObject({ type: 'REFUSED', header: { code: 'BUSY' } })
    for (const hold of world.control.holds.slice(before)) decideAs(world, hold, '@cy', 'refuse')
    for (const reply of replies.slice(0, 16)) expect(await reply).toMatchObject({ header: { code: 'APPROVAL_REFUSED' } })
  })

  test('a control plane that is away hears of it when it is back, and what it missed is made up for', async () => {
    world.control.isReachable = false
    const sid = await newSession()
    world.control.isReachable = true
    const grant = await grantFor('count')
    world.control.isReachable = false
    const before = world.control.holds.length
    const reply = bot.call(sid, grant, 'tools', 'count', { mark: 'away;' })
    await bot.next((m) => m.type === 'HELD' && m.header.sid === sid)
    expect(world.control.holds.length).toBe(before)
    world.control.isReachable = true
    await until(() => {
      world.timers.tick(1_000)
      return world.control.holds.length > before
    })
    const hold = await nextHold(world, before)
    decideAs(world, hold, '@dan', 'approve')
    expect((await reply).type).toBe('RESULT')
  })

  test('a restart ends it visibly, and a signature that comes later runs nothing', async () => {
    const { hold, reply } = await held({ mark: 'restart;' })
    await world.restart()
    expect((await reply.catch(() => undefined))?.header).toMatchObject({ code: 'APPROVAL_ENDED' })
    expect(stagesOf(world, hold)).toEqual(['ended'])
    await until(() => world.control.held.at(-1)?.epoch !== hold.epoch)
    expect(world.control.held.at(-1)!.ids).toEqual([])
    world.control.push('decision', { id: hold.id, decision: signDecision(world, hold, '@cy') })
    await world.sync()
    expect(written()).not.toContain('restart;')
    bot = await world.connect('@bot')
    const sid = await newSession()
    const again = await bot.call(sid, await grantFor('count'), 'tools', 'count', { mark: 'restart;' }, { header: { held: hold.id } })
    expect(again).toMatchObject({ type: 'REFUSED', header: { code: 'APPROVAL_ENDED' } })
  })

  test('one that was approved and had begun is said to be unknown, and is neither run nor asked about again', async () => {
    const id = encodeBase64url(seedOf('begun').subarray(0, 16))
    const [sid, grant, before] = [await newSession(), await grantFor('slow'), world.control.holds.length]
    void bot.call(sid, grant, 'tools', 'slow', { ms: 60_000 }, { claims: { id } }) // its answer is lost with the channel
    const hold = await nextHold(world, before)
    decideAs(world, hold, '@cy', 'approve')
    await until_(hold, 'approved')
    await world.restart()
    expect(world.control.stages.findLast((stage) => stage.id === hold.id)).toMatchObject({ status: 'executed', outcome: 'unknown' })
    bot = await world.connect('@bot')
    const again = await bot.call(
      await newSession(),
      await grantFor('slow'),
      'tools',
      'slow',
      { ms: 60_000 },
      { claims: { id }, header: { held: hold.id } },
    )
    expect(again).toMatchObject({ header: { code: 'OUTCOME_UNKNOWN' } })
    expect(receiptOf(again)).toMatchObject({ decision: 'allow', status: 'unknown', approval: { by: '@cy' } })
    expect(world.control.holds.length).toBe(before + 1)
  })

  test('a decision that was made while the gateway was not connected reaches it with what it holds', async () => {
    const { hold, reply } = await held({ mark: 'missed;' })
    world.control.missed = [{ id: hold.id, decision: signDecision(world, hold, '@cy') }]
    world.control.reconnect()
    expect((await reply).type).toBe('RESULT')
  })
})
