import { once } from 'node:events'
import { get } from 'node:http'
import { GONE_REASONS, MAX_FRAME_BYTES, RELAY_REFUSALS } from '@postern/core/frame'
import { createLog } from '@postern/daemon'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FakeAdmission, PeerKey } from '../../../test/fixtures/relay-peer.ts'
import { keyOf, openFakeAdmission, TestPeer } from '../../../test/fixtures/relay-peer.ts'
import { readRelayConfig } from './config.ts'
import type { RelayDeps, RunningRelay } from './start.ts'
import { start } from './start.ts'

const QUEUE_BYTES = 128 << 10
let control: FakeAdmission
let relay: RunningRelay
/** The relay's clock and its second hand are ours: nothing here waits. */
let now = 0
let tick = () => {}

async function startRelay(deps: Partial<RelayDeps> = {}, environment: Record<string, string> = {}): Promise<RunningRelay> {
  const options = { POSTERN_RELAY_PORT: '0', POSTERN_RELAY_CONTROL_URL: control.url, POSTERN_RELAY_MAX_QUEUE_BYTES: String(QUEUE_BYTES) }
  const config = readRelayConfig({ ...options, ...environment })
  const everySecond = (call: () => void) => {
    tick = call
    return () => {}
  }
  return await start(config, { log: createLog('relay', { level: 'silent' }), now: () => now, everySecond, ...deps })
}

beforeEach(async () => {
  now = 1000
  control = await openFakeAdmission()
  relay = await startRelay()
})
afterEach(async () => {
  await relay.close()
  await control[Symbol.asyncDispose]()
})

const [ana, bob, eve] = [keyOf(1, 1), keyOf(2, 1), keyOf(3, 1)]
const admit = (...keys: PeerKey[]) => {
  for (const { kidText, orgText } of keys) control.admitted.set(kidText, orgText)
}
async function join(key: PeerKey, options = {}): Promise<TestPeer> {
  admit(key)
  const peer = new TestPeer(relay.port, options)
  expect(await peer.authenticate(key)).toMatchObject({ type: 'WELCOME' })
  return peer
}
const refusal = (code: keyof typeof RELAY_REFUSALS) => ({ type: 'REFUSED', code: RELAY_REFUSALS[code] })
const gone = (key: PeerKey, conn: Uint8Array, reason: keyof typeof GONE_REASONS) => ({
  ...{ type: 'GONE', kid: key.kid, conn, reason: GONE_REASONS[reason] },
})
const payloadOf = (frame: { type: string; payload?: Uint8Array }) => Buffer.from(frame.payload ?? []).toString()
async function health(): Promise<Record<string, unknown>> {
  const [response] = await once(get({ port: relay.port, path: '/health' }), 'response')
  return JSON.parse((await response.toArray()).join(''))
}
/** Until what another process (here: the network) does has happened. */
async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve))
}

describe('letting in', () => {
  test('an enrolled peer is let in, and its frames arrive under its address', async () => {
    const [a, b] = [await join(ana), await join(bob)]
    a.sendTo(b, bob.kid, 'hello')
    expect(await b.next()).toEqual({ type: 'DELIVER', kid: ana.kid, conn: a.conn, payload: new Uint8Array(Buffer.from('hello')) })
    b.sendTo(a, ana.kid, 'hello yourself')
    expect(payloadOf(await a.next())).toBe('hello yourself')
  })

  test('a stranger with a good signature is refused', async () => {
    expect(await new TestPeer(relay.port).authenticate(eve)).toEqual(refusal('NOT_ADMITTED'))
  })

  test('a key enrolled in one organisation is a stranger in every other', async () => {
    admit(keyOf(1, 2))
    expect(await new TestPeer(relay.port).authenticate(ana)).toEqual(refusal('NOT_ADMITTED'))
  })

  test.each([
    ['for another host', { host: 'relay.example.com' }],
    ['for another nonce, e.g. one that was recorded', { nonce: new Uint8Array(32) }],
  ])('a signature %s is refused, and the control plane is not asked', async (_, change) => {
    admit(ana)
    expect(await new TestPeer(relay.port).authenticate(ana, change)).toEqual(refusal('BAD_SIGNATURE'))
    expect(control.asked).toEqual([])
  })

  test("another peer's key is of no use without its signature", async () => {
    admit(ana)
    expect(await new TestPeer(relay.port).authenticate({ ...ana, seed: eve.seed })).toEqual(refusal('BAD_SIGNATURE'))
  })

  test('nothing is routed before the challenge is answered', async () => {
    const b = await join(bob)
    const stranger = new TestPeer(relay.port)
    await stranger.next()
    stranger.sendTo(b, bob.kid, 'let me in')
    expect(await stranger.next()).toEqual(refusal('BAD_FRAME'))
    const a = await join(ana)
    a.sendTo(b, bob.kid, 'after you')
    expect(payloadOf(await b.next())).toBe('after you')
  })

  test('who does not answer the challenge within 10 s is sent away', async () => {
    const peer = new TestPeer(relay.port)
    await peer.next()
    now += 9_999
    tick()
    expect((await health()).waiting).toBe(1)
    now += 1
    tick()
    expect(await peer.next()).toEqual(refusal('TOO_LATE'))
    expect(await peer.closed).toBe('TOO_LATE')
  })

  test('strangers take only so many connections', async () => {
    await relay.close()
    relay = await startRelay({ maxWaiting: 2 })
    const strangers = [new TestPeer(relay.port), new TestPeer(relay.port)]
    await Promise.all(strangers.map((peer) => peer.next()))
    expect(await new TestPeer(relay.port).closed).toContain('503')
    admit(ana)
    const [first] = strangers
    first!.socket.close()
    await first!.closed
    await until(async () => (await health()).waiting === 1)
    expect(await new TestPeer(relay.port).authenticate(ana)).toMatchObject({ type: 'WELCOME' })
  })

  test('many peers that come at once are one question, and none within the next minute', async () => {
    const keys = [1, 2, 3, 4, 5].map((number) => keyOf(number, 1))
    await Promise.all(keys.map((key) => join(key)))
    expect(control.asked.flatMap(({ ids }) => ids).sort()).toEqual(keys.map(({ kidText }) => kidText).sort())
    const questions = control.asked.length
    await join(ana)
    expect(control.asked).toHaveLength(questions)
  })
})

describe('the control plane', () => {
  test('when it does not answer, nobody new is let in and nobody is thrown out', async () => {
    const [a, b] = [await join(ana), await join(bob)]
    control.isDown = true
    admit(eve)
    expect(await new TestPeer(relay.port).authenticate(eve)).toEqual(refusal('CANNOT_ASK'))
    expect((await health()).status).toBe('degraded')
    now += 4 * 60_000
    tick()
    a.sendTo(b, bob.kid, 'still here')
    expect(payloadOf(await b.next())).toBe('still here')
  })

  test('after five minutes without an answer, connected peers have to go', async () => {
    const a = await join(ana)
    control.isDown = true
    now += 5 * 60_000 + 1
    tick()
    tick() // the first begins the round, and a round of one peer has one visit per second
    expect(await a.next()).toEqual(refusal('CANNOT_ASK'))
  })

  test('who is no longer admitted is disconnected, and those it spoke with learn that it left', async () => {
    const [a, b] = [await join(ana), await join(bob)]
    a.sendTo(b, bob.kid, 'hello')
    await b.next()
    control.admitted.delete(ana.kidText)
    now += 60_000
    tick()
    tick()
    expect(await a.next()).toEqual(refusal('NOT_ADMITTED'))
    expect(await b.next()).toEqual(gone(ana, a.conn, 'LEFT'))
  })
})

describe('routing', () => {
  test('the same key in another organisation is out of reach', async () => {
    const a = await join(ana)
    const elsewhere = await join(keyOf(2, 2))
    a.sendTo(elsewhere, bob.kid, 'over there?')
    expect(await a.next()).toEqual(gone(bob, elsewhere.conn, 'NO_SUCH_PEER'))
    a.sendTo({ kid: bob.kid }, bob.kid, 'anybody?')
    expect(await a.next()).toEqual(gone(bob, new Uint8Array(8), 'NO_SUCH_PEER'))
  })

  test('one key may have several connections: each has its id, and zeros mean the newest', async () => {
    const a = await join(ana)
    const [older, newer] = [await join(bob), await join(bob)]
    a.sendTo(older, bob.kid, 'to the older')
    a.sendTo({ kid: bob.kid }, bob.kid, 'to the newest')
    expect(payloadOf(await older.next())).toBe('to the older')
    expect(payloadOf(await newer.next())).toBe('to the newest')
    newer.socket.close()
    await newer.closed
    a.sendTo({ kid: bob.kid }, bob.kid, 'to the newest that is left')
    expect(payloadOf(await older.next())).toBe('to the newest that is left')
  })

  test('a key has at most 64 connections', async () => {
    const peers = await Promise.all(Array.from({ length: 64 }, () => join(bob)))
    expect(await new TestPeer(relay.port).authenticate(bob)).toEqual(refusal('TOO_MANY'))
    expect(new Set(peers.map(({ conn }) => Buffer.from(conn).toString('hex'))).size).toBe(64)
  })

  test('when a peer is killed, those it exchanged frames with are told, and no others', async () => {
    const [a, b, e] = [await join(ana), await join(bob), await join(eve)]
    b.sendTo(a, ana.kid, 'hello')
    await a.next()
    b.socket.terminate()
    expect(await a.next()).toEqual(gone(bob, b.conn, 'LEFT'))
    a.sendTo(b, bob.kid, 'are you there?')
    expect(await a.next()).toEqual(gone(bob, b.conn, 'NO_SUCH_PEER'))
    e.send({ type: 'PING', token: new Uint8Array(8).fill(7) })
    expect(await e.next()).toEqual({ type: 'PONG', token: new Uint8Array(8).fill(7) })
  })

  test('the longest frame passes; a longer one ends the connection of who sent it, and no other', async () => {
    const [a, b, e] = [await join(ana), await join(bob), await join(eve)]
    a.send({ type: 'SEND', kid: bob.kid, conn: b.conn, payload: new Uint8Array(65_600).fill(1) })
    expect((await b.next()) as { payload: Uint8Array }).toMatchObject({ payload: { length: 65_600 } })
    e.socket.send(new Uint8Array(MAX_FRAME_BYTES + 1).fill(5))
    await e.closed
    b.sendTo(a, ana.kid, 'unharmed')
    expect(payloadOf(await a.next())).toBe('unharmed')
  })

  test.each([
    ['text', 'hello'],
    ['nothing', new Uint8Array(0)],
    ['an unknown type', Uint8Array.of(99)],
    ["a relay's frame", Uint8Array.of(6, ...new Uint8Array(40))],
    ['half an address', Uint8Array.of(5, ...new Uint8Array(20))],
    ['a second AUTH', Uint8Array.of(2, ...new Uint8Array(128))],
  ])('%s is not a frame and ends the connection', async (_, message) => {
    const a = await join(ana)
    a.socket.send(message)
    expect(await a.next()).toEqual(refusal('BAD_FRAME'))
    expect(await a.closed).toBe('BAD_FRAME')
  })
})

describe('slow and silent peers', () => {
  const CHUNK = new Uint8Array(60_000).fill(9)
  const flood = (from: TestPeer, to: TestPeer, kid: Uint8Array, frames: number) => {
    for (let i = 0; i < frames; i += 1) from.send({ type: 'SEND', kid, conn: to.conn, payload: CHUNK })
  }

  test('while one does not read, what waits for it is bounded, and nothing is lost', async () => {
    const [a, b] = [await join(ana), await join(bob)]
    b.socket.pause()
    flood(a, b, bob.kid, 400) // 24 MB, far beyond what the kernel buffers
    await until(async () => (await health()).congested === 1)
    for (let i = 0; i < 20; i += 1) expect((await health()).queued_bytes).toBeLessThan(4 * QUEUE_BYTES)
    expect(a.socket.bufferedAmount).toBeGreaterThan(10_000_000) // the rest waits at its sender
    b.socket.resume()
    for (let i = 0; i < 400; i += 1) expect((await b.next()) as { payload: Uint8Array }).toMatchObject({ payload: { length: 60_000 } })
    expect((await health()).congested).toBe(0)
  })

  test('one that does not read for 10 s is closed, and its senders go on', async () => {
    const [a, b, e] = [await join(ana), await join(bob), await join(eve)]
    b.socket.pause()
    flood(a, b, bob.kid, 400)
    await until(async () => (await health()).congested === 1)
    now += 10_000
    tick()
    expect((await health()).congested).toBe(1)
    now += 1
    tick()
    expect(await a.next()).toEqual(gone(bob, b.conn, 'LEFT'))
    a.sendTo(e, eve.kid, 'and you?')
    await until(async () => payloadOf(await e.next()) === 'and you?')
    expect((await health()).congested).toBe(0)
  })

  test('one that asks and does not read the answers is not read from either', async () => {
    const a = await join(ana)
    a.socket.pause()
    for (let i = 0; i < 300_000; i += 1) a.sendTo({ kid: bob.kid }, bob.kid, '')
    await until(async () => (await health()).congested === 1)
    expect((await health()).queued_bytes).toBeLessThan(4 * QUEUE_BYTES)
    now += 10_001
    tick()
    await until(async () => (await health()).peers === 0)
  })

  test('a silent peer is probed, and one that does not answer is taken out', async () => {
    const [a, b] = [await join(ana, { autoPong: false }), await join(bob)]
    const pings = once(a.socket, 'ping')
    for (let i = 0; i < 4; i += 1) tick() // one round of two visits hears, the next one probes
    await pings
    b.sendTo(a, ana.kid, 'are you well?')
    await a.next()
    for (let i = 0; i < 6; i += 1) tick()
    await a.closed
    expect(await b.next()).toEqual(gone(ana, a.conn, 'LEFT'))
  })
})

describe('the door', () => {
  const status = async (options: object) => {
    const [response] = await once(get({ port: relay.port, ...options }), 'response')
    return response.resume().statusCode
  }

  test('health answers on the same port, everything else is not found', async () => {
    expect(await health()).toMatchObject({ status: 'ok', name: 'relay', peers: 0, congested: 0 })
    expect(await status({ path: '/relay' })).toBe(404)
    expect(await status({ path: '/' })).toBe(404)
  })

  test('a WebSocket on another path is turned away', async () => {
    expect(await new TestPeer(relay.port, {}, '/other').closed).toContain('404')
  })

  test('one that dialled another name is turned away, so that no relay can lend its challenge to another', async () => {
    expect(await new TestPeer(relay.port, { headers: { host: 'relay.example.com' } }).closed).toContain('421')
    await relay.close()
    relay = await startRelay({}, { POSTERN_RELAY_NAMES: 'relay.example.com' })
    expect(await new TestPeer(relay.port).closed).toContain('421')
    expect(await new TestPeer(relay.port, { headers: { host: 'relay.example.com' } }).next()).toMatchObject({ host: 'relay.example.com' })
  })

  test('a taken port is named, with the way around it', async () => {
    const taken = startRelay({}, { POSTERN_RELAY_PORT: String(relay.port) })
    await expect(taken).rejects.toMatchObject({ code: 'PORT_TAKEN', message: expect.stringContaining(`port ${relay.port} `) })
    await expect(startRelay({}, { POSTERN_RELAY_PORT: String(relay.port) })).rejects.toThrow('POSTERN_RELAY_PORT=')
  })

  test('when it stops, everybody is told and let go', async () => {
    const [a, waiting] = [await join(ana), new TestPeer(relay.port)]
    await waiting.next()
    await relay.close()
    expect([await a.next(), await waiting.next()]).toEqual([refusal('STOPPING'), refusal('STOPPING')])
    expect([await a.closed, await waiting.closed]).toEqual(['STOPPING', 'STOPPING'])
  })
})
