// What the control plane and the relay say without a signature is a hint. A false one can keep edges apart, and can do nothing else.
import type { Packet, RelayAddress, RelayLink } from '@postern/core'
import { channelPrologue, createResponder, keyIdOf, openRelayLink, parseAtSign } from '@postern/core'
import { native } from '@postern/daemon'
import { describe, expect, test } from 'vitest'
import { machineKey, seedOf } from '../fixtures/people.ts'
import { until } from '../fixtures/processes.ts'
import { House } from './house.ts'

describe('relay addresses', () => {
  test.each([
    ['that are none', ['file:///etc/passwd', 'javascript:alert(1)', 'http://relay.test', 'relay', '']],
    ['of nobody', []],
    ['of another type', [7, null, {}]],
  ])('%s are not dialled, and what was signed stays in force', async (_, relays: readonly unknown[]) => {
    await using house = await House.open()
    house.liar.relays = relays as string[]
    house.timers.tick()
    await until('the gateway to have left its relay', 5000, () => house.gateway.health().relays === 0 || undefined)
    expect(house.gateway.health().status).toBe('ok')
    house.liar.relays = ['ws://relay.test/relay']
    house.timers.tick()
    await until('the gateway to be back', 5000, () => house.gateway.health().relays_up === 1 || undefined)
    expect((await house.connect()).atsign).toBe('@bot')
  })

  test('without number are cut off after the fourth', async () => {
    await using house = await House.open()
    house.liar.relays = Array.from({ length: 1000 }, (_, i) => `ws://relay-${i}.test/relay`)
    house.timers.tick()
    await until('the new relays', 5000, () => house.gateway.health().relays === 4 || undefined)
  })

  test.each([null, 7, { relays: 'ws://relay.test' }, {}])('as nonsense (%j) change nothing', async (answer) => {
    await using house = await House.open()
    house.liar.lies.presence = () => answer
    const before = house.liar.presence.length
    house.timers.tick()
    await until('the next report', 5000, () => house.liar.presence.length > before || undefined)
    await house.liar.round()
    expect(house.gateway.health()).toMatchObject({ status: 'ok', relays_up: 1 })
    expect(await house.ask()).toBe('GRANTED')
  })
})

describe('somebody in the place of the gateway', () => {
  /** Gets everything that is meant for the gateway: the relay hands it over. */
  const impersonate = async (house: House, answer: (link: RelayLink, from: RelayAddress, packet: Packet) => void) => {
    const { publicKey } = machineKey('@gw', 'auth')
    const seed = seedOf('a relay operator has no key')
    const auth = { kid: keyIdOf(publicKey), public: publicKey, secret: { expose: () => seed } }
    const events = { onPacket: (from: RelayAddress, packet: Packet) => answer(link, from, packet), onGone() {}, onDown() {} }
    const net = { openSocket: house.relay.openSocket.bind(house.relay) } as never
    const link = openRelayLink('ws://relay.test/relay', house.branch.org, auth, events, { net, suite: native })
    await until('the relay', 5000, () => link.isUp || undefined)
    return link
  }

  test('with another channel key cannot read the first message, and gets no second one', async () => {
    await using house = await House.open()
    const heard: string[] = []
    const read: unknown[] = []
    const link = await impersonate(house, (own, from, { kind, channel, content }) => {
      heard.push(kind)
      if (kind !== 'INIT') return
      const prologue = channelPrologue(house.branch.org, parseAtSign('@bot'), parseAtSign('@gw'))
      const secrets = { staticSecret: seedOf('mine'), ephemeralSecret: seedOf('mine too') }
      const mine = createResponder({ ...secrets, prologue, suite: native })
      try {
        read.push(mine.read(content))
      } catch (error) {
        read.push((error as { code: string }).code)
      }
      own.send(from, { kind: 'RESPONSE', channel: channel.slice(), content: new Uint8Array(48).fill(1) })
    })
    const connector = await house.connector()
    expect(await connector.call('write')).toBe('GATEWAY_UNREACHABLE')
    expect([new Set(heard), new Set(read)]).toEqual([new Set(['INIT']), new Set(['BAD_HANDSHAKE'])])
    expect(house.ran).toEqual([])
    await link.close()
    await until('the real gateway', 10_000, async () => (await connector.call('write')) === 'RAN' || undefined)
  })

  test('who ends every channel in its name only denies service', async () => {
    await using house = await House.open()
    const link = await impersonate(house, (own, from, { channel }) => {
      own.send(from, { kind: 'END', channel: channel.slice(), content: Uint8Array.of(1) })
    })
    const connector = await house.connector()
    expect(await connector.call('write')).toBe('GATEWAY_UNREACHABLE')
    await link.close()
    await until('the real gateway', 10_000, async () => (await connector.call('write')) === 'RAN' || undefined)
    expect(house.ran).toEqual(['write'])
  })
})
