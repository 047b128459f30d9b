// Calls that wait for a person, and a control plane that cheats: it carries what is sealed, the decisions, and everything in between.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject, SignedJson } from '@postern/core'
import { decodeBase64url, encodeBase64url, keyIdOf, liveKey, openHold, parseAtSign, readHeld, sealHold, signHold } from '@postern/core'
import { native } from '@postern/daemon'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decideAs, enrolApprovers, nextHold, openAs, signDecision, stagesOf } from '../fixtures/gateway/approver.ts'
import type { PostedHold } from '../fixtures/gateway/fake-control.ts'
import { GatewayWorld, until } from '../fixtures/gateway/gateway-world.ts'
import type { Reply, TestAgent } from '../fixtures/gateway/test-agent.ts'
import { machineKey, passkey, seedOf, signKey, x25519Key } from '../fixtures/people.ts'
import { outcome } from '../read-vectors.ts'

const rules = [{ id: 'asks', who: ['*'], servers: ['tools'], tools: ['count'], effect: 'ask', approvers: ['@cy', '@dan', '@ben'] }]
let world: GatewayWorld
let bot: TestAgent
let sessions = 0
beforeAll(async () => {
  world = await GatewayWorld.open({ policy: { v: 1, name: 'main', rules } })
  enrolApprovers(world, '@cy', '@dan', '@eve-person')
  await world.sync()
  bot = await world.connect('@bot')
})
afterAll(() => world.close())

const ran = (mark: string) =>
  existsSync(join(world.home, 'count')) && readFileSync(join(world.home, 'count'), 'utf8').split(`${mark}\n`).length - 1
async function held(mark: string): Promise<{ hold: PostedHold; reply: Promise<Reply> }> {
  const sid = `h${++sessions}`
  await bot.begin(sid, 'tools')
  const { grant } = await bot.ask([{ server: 'tools', tool: 'count' }])
  const before = world.control.holds.length
  const reply = bot.call(sid, grant!, 'tools', 'count', { mark })
  return { hold: await nextHold(world, before), reply }
}
const push = (id: string, decision: unknown) => world.control.push('decision', { id, decision })
/** What the gateway said about decisions that it did not take. */
const missesOf = ({ id }: PostedHold) => world.control.stages.filter((stage) => stage.id === id && stage.status === 'waiting')
const untilMissed = (hold: PostedHold, count = 1) => until(() => missesOf(hold).length >= count)
/** It still waits, nothing ran, and an honest decision still counts. */
async function stillWaits({ hold, reply }: { hold: PostedHold; reply: Promise<Reply> }, mark: string): Promise<void> {
  expect(ran(mark) || 0).toBe(0)
  decideAs(world, hold, '@cy', 'approve')
  expect((await reply).type).toBe('RESULT')
  expect(ran(mark)).toBe(1)
}

test('an honest control plane: approved, run once', async () => {
  const { hold, reply } = await held('honest')
  decideAs(world, hold, '@cy', 'approve')
  expect((await reply).type).toBe('RESULT')
  expect(ran('honest')).toBe(1)
})

describe('a decision that the control plane makes, or carries elsewhere', () => {
  test('it cannot sign one itself, in whosever name', async () => {
    const waiting = await held('forged')
    const forged: SignedJson[] = [
      signDecision(world, waiting.hold, '@cy', {}, signKey('@mallory')),
      signDecision(world, waiting.hold, '@cy', {}, passkey('@mallory phone')),
      { ...signDecision(world, waiting.hold, '@cy'), signatures: [] },
      {
        ...signDecision(world, waiting.hold, '@mallory'),
        signatures: [{ ...signDecision(world, waiting.hold, '@mallory').signatures[0]!, kid: keyIdOf(signKey('@cy').publicKey) }],
      },
      signDecision(world, waiting.hold, '@cy', {}, machineKey('@gw', 'receipt')),
      signDecision(world, waiting.hold, '@cy', {}, machineKey('@bot', 'call')),
    ]
    for (const decision of forged) push(waiting.hold.id, decision)
    await untilMissed(waiting.hold, forged.length)
    expect(missesOf(waiting.hold).map(({ code }) => code)).toEqual(forged.map(() => 'BAD_SIGNATURE'))
    await stillWaits(waiting, 'forged')
  })

  test('one of somebody whom the rule does not name, of an administrator, or of the agent’s owner, counts for nothing', async () => {
    const waiting = await held('not entitled')
    for (const name of ['@eve-person', '@ana', '@ben']) push(waiting.hold.id, signDecision(world, waiting.hold, name))
    await untilMissed(waiting.hold, 3)
    expect(missesOf(waiting.hold).map(({ code }) => code)).toEqual(['NOT_ENTITLED', 'NOT_ENTITLED', 'NOT_ENTITLED'])
    await stillWaits(waiting, 'not entitled')
  })

  test('one about another call, even with the same arguments, runs nothing', async () => {
    const [first, second] = [await held('twin'), await held('twin')]
    push(second.hold.id, signDecision(world, first.hold, '@cy'))
    await untilMissed(second.hold)
    expect(missesOf(second.hold)[0]).toMatchObject({ code: 'WRONG_CALL' })
    expect(ran('twin') || 0).toBe(0)
    decideAs(world, first.hold, '@cy', 'approve')
    expect((await first.reply).type).toBe('RESULT')
    push(second.hold.id, signDecision(world, first.hold, '@cy'))
    await untilMissed(second.hold, 2)
    decideAs(world, second.hold, '@cy', 'refuse')
    await second.reply
    expect(ran('twin')).toBe(1)
  })

  test.each([
    ['another run of the gateway', { epoch: encodeBase64url(seedOf('other').subarray(0, 16)) }],
    ['other arguments', { a: encodeBase64url(seedOf('other')) }],
    ['another tool', { tool: 'echo' }],
    ['another server', { server: 'bank' }],
    ['another definition of the tool', { schema: encodeBase64url(seedOf('other')) }],
    ['another agent', { agent: parseAtSign('@eve') }],
    ['another gateway', { gateway: parseAtSign('@gw2') }],
    ['another grant', { gth: encodeBase64url(seedOf('other')) }],
  ])('one about %s runs nothing', async (what, change) => {
    const waiting = await held(what)
    push(waiting.hold.id, signDecision(world, waiting.hold, '@cy', change))
    await untilMissed(waiting.hold)
    expect(missesOf(waiting.hold)[0]).toMatchObject({ code: 'WRONG_CALL' })
    await stillWaits(waiting, what)
  })

  test('one of another organisation with the same people runs nothing', async () => {
    const waiting = await held('other org')
    push(waiting.hold.id, signDecision(world, waiting.hold, '@cy', { org: encodeBase64url(seedOf('other org')) }))
    await untilMissed(waiting.hold)
    expect(missesOf(waiting.hold)[0]).toMatchObject({ code: 'WRONG_ORG' })
    await stillWaits(waiting, 'other org')
  })

  test('a signature that the approver gave for something else is none', async () => {
    const waiting = await held('other namespace')
    const { bytes } = signDecision(world, waiting.hold, '@cy')
    const given = (['postern-login-v1', 'postern-statement-v1', 'postern-revocation-v1', 'postern-enrolment-v1'] as const).map(
      (namespace) => signKey('@cy').sign(namespace, decodeBase64url(bytes)),
    )
    for (const signature of given) push(waiting.hold.id, { bytes, signatures: [signature] })
    await untilMissed(waiting.hold, given.length)
    expect(new Set(missesOf(waiting.hold).map(({ code }) => code))).toEqual(new Set(['BAD_SIGNATURE']))
    await stillWaits(waiting, 'other namespace')
  })

  test('one that is changed in any place runs nothing, and an endless stream of them is not listened to', async () => {
    const waiting = await held('flipped')
    const { bytes, signatures } = signDecision(world, waiting.hold, '@cy')
    const original = decodeBase64url(bytes)
    for (let at = 0; at < original.length; at += Math.ceil(original.length / 60)) {
      const changed = original.map((byte, i) => (i === at ? byte ^ 1 : byte))
      push(waiting.hold.id, { bytes: encodeBase64url(changed), signatures })
    }
    await untilMissed(waiting.hold, 55)
    for (let n = 0; n < 500; n++) push(waiting.hold.id, { bytes: 'AAAA', signatures: [] })
    await until(() => missesOf(waiting.hold).length === 64)
    await world.sync()
    expect(missesOf(waiting.hold)).toHaveLength(64)
    expect(ran('flipped') || 0).toBe(0)
    world.revoke({ kind: 'grant', id: waiting.hold.gth })
    expect(await waiting.reply).toMatchObject({ header: { code: 'REVOKED' } })
  })

  test('one that is delivered again and again runs the call once', async () => {
    const { hold, reply } = await held('replayed')
    const decision = signDecision(world, hold, '@cy')
    for (let n = 0; n < 20; n++) push(hold.id, decision)
    expect((await reply).type).toBe('RESULT')
    for (let n = 0; n < 20; n++) push(hold.id, decision)
    await world.sync()
    expect(ran('replayed')).toBe(1)
  })

  test('one that is kept back until the deadline is over runs nothing', async () => {
    const { hold, reply } = await held('kept back')
    const decision = signDecision(world, hold, '@cy')
    for (let left = 300; left > 0; left -= 20) {
      world.clock.advance(20)
      bot.send('PING', { t: left })
      await bot.next((m) => m.type === 'PONG' && m.header.t === left)
      await world.fresh()
      world.timers.tick(1_000)
    }
    expect(await reply).toMatchObject({ header: { code: 'APPROVAL_TIMED_OUT' } })
    push(hold.id, decision)
    await world.sync()
    expect(ran('kept back') || 0).toBe(0)
  })

  test('one that is kept back until the gateway has restarted runs nothing', async () => {
    const { hold, reply } = await held('restart')
    const decision = signDecision(world, hold, '@cy')
    await world.restart()
    expect(await reply).toMatchObject({ header: { code: 'APPROVAL_ENDED' } })
    world.control.missed = [{ id: hold.id, decision }]
    world.control.reconnect()
    push(hold.id, decision)
    await world.sync()
    bot = await world.connect('@bot')
    const twin = await held('restart')
    push(twin.hold.id, decision)
    await untilMissed(twin.hold)
    expect(missesOf(twin.hold)[0]).toMatchObject({ code: 'WRONG_CALL' })
    await stillWaits(twin, 'restart')
  })

  test('one of an approver who was revoked meanwhile runs nothing', async () => {
    const { hold, reply } = await held('revoked approver')
    const decision = signDecision(world, hold, '@dan')
    world.revoke({ kind: 'enrolment', id: world.enrolmentOf('@dan') })
    await until(() => (world.gateway.health().revocations as number) >= world.control.revocations.length)
    push(hold.id, decision)
    await untilMissed(hold)
    expect(missesOf(hold)[0]).toMatchObject({ code: 'NOT_ENTITLED' })
    await stillWaits({ hold, reply }, 'revoked approver')
  })

  test('what is no decision at all does no harm', async () => {
    const waiting = await held('garbage')
    for (const data of [
      null,
      [],
      'x',
      { id: 7 },
      { id: waiting.hold.id },
      { id: waiting.hold.id, decision: { bytes: '!', signatures: 'x' } },
    ])
      world.control.push('decision', data)
    await world.sync()
    await stillWaits(waiting, 'garbage')
  })
})

describe('what approvers are shown', () => {
  const openWith = (hold: PostedHold, change: Partial<PostedHold> & { asked?: PostedHold }) => {
    const { asked = hold, ...served } = change
    return outcome(() => openAs(world, { ...asked, ...served }, '@cy'))
  }

  test('the control plane cannot read it', async () => {
    const { hold, reply } = await held('secret mark 4711')
    expect(JSON.stringify(world.control.holds.at(-1))).not.toContain('4711')
    expect(Buffer.from(decodeBase64url(hold.content)).includes('4711')).toBe(false)
    decideAs(world, hold, '@cy', 'refuse')
    await reply
  })

  test('the sealed bytes of another call under this one’s name do not open, nor pass for it', async () => {
    const [first, second] = [await held('first'), await held('second')]
    const other = second.hold
    expect(openWith(first.hold, {})).toBe('ok')
    expect(openWith(first.hold, { content: other.content })).toBe('CANNOT_OPEN')
    expect(openWith(first.hold, { sealed: other.sealed })).toBe('CANNOT_OPEN')
    expect(openWith(first.hold, { content: other.content, sealed: other.sealed })).toBe('CANNOT_OPEN')
    expect(openWith(first.hold, { ...other, id: first.hold.id })).toBe('WRONG_CALL') // the whole of it, but for the name
    for (const { hold, reply } of [first, second]) {
      decideAs(world, hold, '@cy', 'refuse')
      await reply
    }
  })

  test('what it seals itself is not believed: no gateway signed it, or not for these arguments', async () => {
    const { hold, reply } = await held('true')
    const key = x25519Key('@cy seal', 'seal')
    const at = { org: world.branch.org, gateway: parseAtSign('@gw'), cth: hold.cth }
    const mine = hold.sealed.find(({ kid }) => kid === keyIdOf(key))!
    const parts = { content: decodeBase64url(hold.content), key: decodeBase64url(mine.bytes) }
    const opened = openHold(parts, seedOf('@cy seal'), { ...at, key }, native) // an approver who works with it told it
    const random = (n: number) => crypto.getRandomValues(new Uint8Array(n))
    const { state } = world.branch
    const read = (request: { hold: string; params: JsonObject; salt: string }) => {
      const sealed = sealHold(request, at, [key], random, native)
      const again = openHold({ content: sealed.content, key: sealed.keys[0]!.bytes }, seedOf('@cy seal'), { ...at, key }, native)
      const context = { org: state.org, now: world.clock.seconds, suite: native }
      return outcome(() => readHeld(again, hold as never, (iss, kid, use) => liveKey(state, iss, kid, use), context))
    }
    const honest = { id: hold.id, gateway: at.gateway, cth: hold.cth }
    expect(honest.id).toBe(hold.id)
    const { hold: claims } = openAs(world, hold, '@cy')
    const forgedBy = (seed: Uint8Array, change: object = {}) => signHold({ ...claims, ...change } as never, seed, native)
    const asked = { ...hold, gateway: at.gateway }
    Object.assign(hold, { gateway: asked.gateway })
    expect(read(opened)).toBe('ok')
    expect(read({ ...opened, params: { ...opened.params, arguments: { mark: 'harmless' } } })).toBe('WRONG_DIGEST')
    expect(read({ ...opened, hold: forgedBy(seedOf('the control plane')) })).toBe('BAD_SIGNATURE')
    expect(
      read({ ...opened, hold: forgedBy(machineKey('@gw', 'issue').seed, { kid: keyIdOf(machineKey('@gw', 'issue').publicKey) }) }),
    ).toBe('UNKNOWN_KEY')
    expect(
      read({
        ...opened,
        hold: forgedBy(machineKey('@bot', 'call').seed, { iss: '@bot', kid: keyIdOf(machineKey('@bot', 'call').publicKey) }),
      }),
    ).toBe('UNKNOWN_KEY')
    decideAs(world, hold, '@cy', 'refuse')
    await reply
  })

  test('a stage that it invents changes nothing for the gateway', async () => {
    const waiting = await held('invented')
    world.control.push('approval', { id: waiting.hold.id, status: 'executed' })
    await world.sync()
    expect(stagesOf(world, waiting.hold)).toEqual([])
    await stillWaits(waiting, 'invented')
  })
})
