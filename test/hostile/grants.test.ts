// Grants and calls: what a control plane could mint, swap, carry elsewhere, or have a relay do.
import type { Grant, JsonObject, Packet } from '@postern/core'
import {
  decodeBase64url,
  END_REASONS,
  encodeBase64url,
  keyIdOf,
  openAnswer,
  openRelayLink,
  parseAtSign,
  signGrant,
  tokenHash,
} from '@postern/core'
import { native } from '@postern/daemon'
import { describe, expect, test } from 'vitest'
import type { TestAgent } from '../fixtures/gateway/test-agent.ts'
import { machineKey, x25519Key } from '../fixtures/people.ts'
import { until } from '../fixtures/processes.ts'
import { House } from './house.ts'

const write = [{ server: 'tools', tool: 'write' }]
const payloadOf = (token: string): Grant => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
const held = (token: string) => ({ token, hash: tokenHash(token), n: 0 })

async function session(house: House, atsign = '@bot'): Promise<{ agent: TestAgent; honest: Grant }> {
  const agent = await house.connect(atsign)
  const { grant } = await agent.ask(write)
  await agent.begin('s1', 'tools')
  return { agent, honest: payloadOf(grant!.token) }
}
const codeOf = ({ header }: { header: JsonObject | Record<string, unknown> }) => header.code

describe('a grant that the control plane mints', () => {
  const invented = machineKey('@mallory', 'issue')
  const minted: [string, (honest: Grant) => string, string][] = [
    [
      'with a key of its own',
      (grant) => signGrant({ ...grant, kid: keyIdOf(invented.publicKey) }, invented.seed, native),
      'GRANT_SIGNATURE',
    ],
    ['with a key of its own under the name of the real one', (grant) => signGrant(grant, invented.seed, native), 'GRANT_SIGNATURE'],
    [
      'with the issue key of another gateway',
      (grant) => signGrant({ ...grant, kid: keyIdOf(machineKey('@gw2', 'issue').publicKey) }, machineKey('@gw2', 'issue').seed, native),
      'GRANT_SIGNATURE',
    ],
    [
      'in the name of another gateway, with its key',
      (grant) => {
        const { publicKey, seed } = machineKey('@gw2', 'issue')
        return signGrant({ ...grant, iss: parseAtSign('@gw2'), aud: parseAtSign('@gw2'), kid: keyIdOf(publicKey) }, seed, native)
      },
      'GRANT_SIGNATURE',
    ],
    [
      'with the receipt key of the gateway, which is for receipts',
      (grant) => signGrant({ ...grant, kid: keyIdOf(machineKey('@gw', 'receipt').publicKey) }, machineKey('@gw', 'receipt').seed, native),
      'GRANT_SIGNATURE',
    ],
    [
      'with the auth key of the gateway, which signs requests and opens nothing',
      (grant) => signGrant({ ...grant, kid: keyIdOf(machineKey('@gw', 'auth').publicKey) }, machineKey('@gw', 'auth').seed, native),
      'GRANT_SIGNATURE',
    ],
    [
      'by editing a real one',
      (grant) => edited(signGrant(grant, machineKey('@gw', 'issue').seed, native), { exp: grant.exp + 500 }),
      'GRANT_SIGNATURE',
    ],
    [
      'under another header',
      (grant) =>
        `${encodeBase64url(Buffer.from('{"alg":"none"}'))}.${signGrant(grant, machineKey('@gw', 'issue').seed, native).split('.').slice(1).join('.')}`,
      'GRANT_MALFORMED',
    ],
  ]
  const edited = (token: string, change: object) => {
    const [header, payload, signature] = token.split('.')
    const claims = { ...JSON.parse(Buffer.from(payload!, 'base64url').toString()), ...change }
    return [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.')
  }

  test.each(minted)('%s runs nothing', async (_, mint, code) => {
    await using house = await House.open()
    const { agent, honest } = await session(house)
    expect(codeOf(await agent.call('s1', held(mint(honest)), 'tools', 'write', {}))).toBe(code)
    expect(house.ran).toEqual([])
  })

  test('and one that the gateway itself signed runs once', async () => {
    await using house = await House.open()
    const { agent, honest } = await session(house)
    const real = held(signGrant(honest, machineKey('@gw', 'issue').seed, native))
    expect((await agent.call('s1', real, 'tools', 'write', {})).type).toBe('RESULT')
    expect(house.ran).toEqual(['write'])
  })
})

test("a real grant of another agent runs nothing in somebody else's hands", async () => {
  await using house = await House.open()
  const bot = await house.connect('@bot')
  const { grant } = await bot.ask(write)
  const { agent } = await session(house, '@eve')
  expect(codeOf(await agent.call('s1', { ...grant! }, 'tools', 'write', {}))).toBe('GRANT_FOREIGN')
  expect(house.ran).toEqual([])
})

describe('asks that the control plane carries', () => {
  test('come back with an answer that only the asker can open', async () => {
    await using house = await House.open()
    const ask = house.carryAsk(house.sealedAsk('@bot'))
    expect(await house.answer(ask.id, ask.exporter)).toHaveProperty('grant')
  })

  test('with the answers of two agents swapped: neither opens', async () => {
    await using house = await House.open()
    const asks = [house.sealedAsk('@bot'), house.sealedAsk('@eve')].map((ask) => house.carryAsk(ask))
    const answers = await Promise.all(asks.map(({ id }) => until('answers', 5000, () => house.liar.answers.get(id))))
    const at = { org: house.branch.org, gateway: parseAtSign('@gw'), key: x25519Key('@gw seal 1', 'seal') }
    const open = (answer: string, i: number) => openAnswer(decodeBase64url(answer), asks[i]!.exporter, at, native)
    expect(answers.map((answer, i) => 'grant' in open(answer, i))).toEqual([true, true])
    expect(() => open(answers[1]!, 0)).toThrow(expect.objectContaining({ code: 'CANNOT_OPEN' }))
    expect(() => open(answers[0]!, 1)).toThrow(expect.objectContaining({ code: 'CANNOT_OPEN' }))
  })

  test('changed by one byte on the way back do not open', async () => {
    await using house = await House.open()
    const ask = house.carryAsk(house.sealedAsk('@bot'))
    const answer = await until('the answer', 5000, () => house.liar.answers.get(ask.id))
    house.liar.answers.set(ask.id, encodeBase64url(decodeBase64url(answer).map((byte, i) => (i === 40 ? byte ^ 1 : byte))))
    await expect(house.answer(ask.id, ask.exporter)).rejects.toMatchObject({ code: 'CANNOT_OPEN' })
  })

  test('to another gateway than the one they are sealed to cannot be opened there, and are not answered', async () => {
    await using house = await House.open()
    const stray = house.carryAsk(house.sealedAsk('@bot', 'write', { to: '@gw2' }))
    expect(await house.ask('@bot')).toBe('GRANTED')
    expect(house.liar.answers.has(stray.id)).toBe(false)
    expect(house.lines.some(({ code, msg }) => code === 'CANNOT_OPEN' && msg.includes('ask'))).toBe(true)
  })

  test('sealed to one gateway, but signed for another, are refused', async () => {
    await using house = await House.open()
    const ask = house.carryAsk(house.sealedAsk('@bot', 'write', { to: '@gw', aud: '@gw2' }))
    expect(await house.answer(ask.id, ask.exporter)).toMatchObject({ refused: { code: 'ASK_MALFORMED' } })
  })

  test('that the control plane seals itself, with a key of its own, are refused', async () => {
    await using house = await House.open()
    expect(await house.ask('@bot', 'write', { generation: 2 })).toBe('ASK_SIGNATURE')
  })

  test('that are carried twice get the same answer, not a second grant', async () => {
    await using house = await House.open()
    const sealed = house.sealedAsk('@bot')
    const [first, second] = [house.carryAsk(sealed), house.carryAsk(sealed)]
    expect(await house.answer(first.id, first.exporter)).toEqual(await house.answer(second.id, second.exporter))
  })

  test('that are kept for later are refused', async () => {
    await using house = await House.open()
    const sealed = house.sealedAsk('@bot')
    house.clock.advance(200)
    const ask = house.carryAsk(sealed)
    expect(await house.answer(ask.id, ask.exporter)).toMatchObject({ refused: { code: 'ASK_EXPIRED' } })
  })

  test.each(['', '{}', '{"id":"x"}', '{"id":"x","sealed":"!"}', `{"id":"x","sealed":"${'A'.repeat(40_000)}"}`, '[['])(
    'as nonsense (%#) do no harm',
    async (data) => {
      await using house = await House.open()
      house.liar.push('ask', data)
      expect(await house.ask('@bot')).toBe('GRANTED')
    },
  )
})

describe('a relay under the same hands', () => {
  test('sees no word of what is asked, called or answered', async () => {
    await using house = await House.open()
    const { agent, honest } = await session(house)
    const real = held(signGrant(honest, machineKey('@gw', 'issue').seed, native))
    await agent.call('s1', real, 'tools', 'write', { text: 'planted secret 4711' })
    const wire = Buffer.concat(house.relay.seen).toString('latin1')
    for (const secret of ['planted secret', 'tools/call', '"write"', honest.jti, real.token]) expect(wire).not.toContain(secret)
  })

  test('that changes a byte ends the channel, and nothing runs', async () => {
    await using house = await House.open()
    const { agent, honest } = await session(house)
    house.relay.tamper = (payload) => payload.map((byte, i) => (i === payload.length - 1 ? byte ^ 1 : byte))
    const { header, body } = agent.signCall('s1', held(signGrant(honest, machineKey('@gw', 'issue').seed, native)), 'tools', 'write', {})
    agent.send('CALL', header, body)
    await agent.ended
    expect(house.ran).toEqual([])
  })

  test('that repeats what passed ends the channel, and nothing runs twice', async () => {
    await using house = await House.open()
    const { agent, honest } = await session(house)
    await agent.call('s1', held(signGrant(honest, machineKey('@gw', 'issue').seed, native)), 'tools', 'write', {})
    const data = house.relay.seen.filter((payload) => payload[0] === 3)
    for (const payload of data) agent.sendRaw('DATA', payload.subarray(9))
    await agent.ended
    expect(house.ran).toEqual(['write'])
  })

  test('that plays a whole old conversation again gets a channel on which nothing of it opens', async () => {
    await using house = await House.open()
    const { agent, honest } = await session(house)
    await agent.call('s1', held(signGrant(honest, machineKey('@gw', 'issue').seed, native)), 'tools', 'write', {})
    const spoken = house.relay.seen.filter((payload) => payload[0] === 1 || payload[0] === 3)
    const heard: Packet[] = []
    const { publicKey, seed } = machineKey('@bot', 'auth')
    const auth = { kid: keyIdOf(publicKey), public: publicKey, secret: { expose: () => seed } }
    const events = { onPacket: (_: unknown, packet: Packet) => void heard.push(packet), onGone() {}, onDown() {} }
    const net = { openSocket: house.relay.openSocket.bind(house.relay) } as never
    const link = openRelayLink('ws://relay.test/relay', house.branch.org, auth, events, { net, suite: native })
    await until('the relay', 5000, () => link.isUp || undefined)
    const channel = new Uint8Array(8).fill(7)
    const gateway = { kid: decodeBase64url(keyIdOf(machineKey('@gw', 'auth').publicKey)), conn: new Uint8Array(8) }
    for (const payload of spoken) link.send(gateway, { kind: payload[0] === 1 ? 'INIT' : 'DATA', channel, content: payload.subarray(9) })
    const end = await until('the end', 5000, () => heard.find(({ kind }) => kind === 'END'))
    expect(end.content[0]).toBe(END_REASONS.BROKEN)
    expect(house.ran).toEqual(['write'])
    await link.close()
  })

  test('that speaks as an agent without its channel key is turned away', async () => {
    await using house = await House.open()
    await expect(house.connect('@bot', undefined, '@eve')).rejects.toThrow(`ended: ${END_REASONS.NOT_ADMITTED}`)
    await expect(house.connect('@bot', undefined, '@nobody')).rejects.toThrow(`ended: ${END_REASONS.NOT_ADMITTED}`)
  })
})
