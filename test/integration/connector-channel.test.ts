// The life of a channel as time passes: renewed after its hour, found dead when it is, given up when the clock jumps.
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { TestConnector } from '../fixtures/connector/connector-world.ts'
import { ConnectorWorld } from '../fixtures/connector/connector-world.ts'
import { newClient, StreamTransport } from '../fixtures/connector/sdk-clients.ts'
import { FakeTimers } from '../fixtures/gateway/fake-clock.ts'

let world: ConnectorWorld
let timers: FakeTimers
let connector: TestConnector
const client = { legacy: newClient('legacy') }
beforeEach(async () => {
  world = await ConnectorWorld.open()
  timers = new FakeTimers()
  connector = await world.connector({}, { every: timers.every })
  client.legacy = newClient('legacy')
  await client.legacy.connect(new StreamTransport(connector))
})
afterEach(() => world.close())

const echo = async (i: number) => (await client.legacy.callTool({ name: 'echo', arguments: { i } })).content
const answer = (i: number) => [{ type: 'text', text: `{"i":${i}}` }]
const connections = () => connector.lines.filter(({ msg }) => msg === 'connected to the gateway').length
const pass = (seconds: number) => {
  world.gateway.clock.advance(seconds)
  timers.tick()
}

test('after its hour a channel is replaced, and the session goes on with the same server', async () => {
  await client.legacy.callTool({ name: 'slow', arguments: { ms: 0 } }) // its grant is there, so the next one is sent at once
  const running = client.legacy.callTool({ name: 'slow', arguments: { ms: 400 } })
  await expect.poll(() => connector.running.connection.pendingCount).toBe(1)
  pass(59 * 60)
  await expect.poll(connections).toBe(2)
  expect(world.gateway.gateway.health()).toMatchObject({ channels: 2, sessions: 1 }) // the old one finishes its call
  expect((await running).content).toEqual([{ type: 'text', text: 'at last' }])
  await expect.poll(() => world.gateway.gateway.health().channels).toBe(1)
  expect(await echo(2)).toEqual(answer(2))
  expect(world.gateway.gateway.health().sessions).toBe(1)
})

test('a channel that says nothing any more is found dead, and what waited on it is asked again', async () => {
  const { relay } = world.gateway
  await echo(1)
  relay.tamper = () => undefined
  const waiting = echo(2)
  await expect.poll(() => connector.running.connection.pendingCount).toBe(1)
  pass(2.5) // probed, and the probe is lost
  relay.tamper = (payload) => payload
  expect(connections()).toBe(1)
  pass(3.5)
  expect(await waiting).toEqual(answer(2))
  expect(connections()).toBe(2)
})

test('an idle channel is probed now and then, and kept', async () => {
  for (let i = 0; i < 6; i += 1) {
    pass(31)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(await echo(1)).toEqual(answer(1))
  expect(connections()).toBe(1)
})

test('a clock that jumps ends the channel, and the next one serves', async () => {
  timers.tick()
  world.gateway.clock.jump(30)
  timers.tick()
  await expect.poll(connections).toBe(2)
  expect(await echo(1)).toEqual(answer(1)) // the gateway has forgotten what it trusted, and refuses until it has asked again
})
