import { native } from '@postern/daemon'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, outcome, readVectors } from '../../../../test/read-vectors.ts'
import type { AtSign } from '../key/atsign.ts'
import { portable } from '../key/portable.ts'
import { x25519PublicKey } from '../key/x25519.ts'
import { CipherState, REKEY_AFTER_MESSAGES } from './cipher.ts'
import { channelPrologue, createInitiator, createResponder } from './handshake.ts'
import { NoiseInitiator } from './noise.ts'
import { MAX_FRAGMENT_BYTES, MAX_MESSAGE_BYTES, Session } from './session.ts'

const fill = (length: number, value: number) => new Uint8Array(length).fill(value)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const text = (value: string) => new Uint8Array(Buffer.from(value))
const NO_AAD = new Uint8Array(0)
const prologue = text('a prologue')

const agentKeys = { staticSecret: fill(32, 1), ephemeralSecret: fill(32, 2), prologue, suite: portable }
const gatewayKeys = { staticSecret: fill(32, 3), ephemeralSecret: fill(32, 4), prologue, suite: portable }
const gatewayStatic = x25519PublicKey(gatewayKeys.staticSecret)

/** One handshake is enough for most tests: sessions are made anew from its two keys. */
const keysOfChannel = { toGateway: fill(32, 5), toAgent: fill(32, 6) }
function openChannel(suite = portable): { agent: Session; gateway: Session } {
  const cipher = (key: Uint8Array) => new CipherState(key.slice(), suite)
  const { toGateway, toAgent } = keysOfChannel
  return {
    agent: new Session(cipher(toGateway), cipher(toAgent), fill(32, 7), gatewayStatic),
    gateway: new Session(cipher(toAgent), cipher(toGateway), fill(32, 7), gatewayStatic),
  }
}
/** The gateway's end, and a way to send it authentic fragments with anything inside. */
function openForged(): { gateway: Session; fragment: (plaintext: Uint8Array) => Uint8Array } {
  const { gateway } = openChannel()
  const sending = new CipherState(keysOfChannel.toGateway.slice(), portable)
  return { gateway, fragment: (plaintext) => sending.encrypt(NO_AAD, plaintext) }
}
const deliver = (to: Session, fragments: readonly Uint8Array[]) => fragments.map((fragment) => to.open(fragment)).at(-1)

describe('handshake', () => {
  function connect(agent = agentKeys, gateway = gatewayKeys, remoteStatic = gatewayStatic) {
    const initiator = createInitiator({ ...agent, remoteStatic })
    const responder = createResponder(gateway)
    const agentStatic = responder.read(initiator.message)
    const { message, session } = responder.respond()
    return { agentStatic, agent: initiator.finish(message), gateway: session }
  }

  test('both ends learn who the other is and share a hash that no other channel has', () => {
    const { agent, gateway, agentStatic } = connect()
    expect(agentStatic).toEqual(x25519PublicKey(agentKeys.staticSecret))
    expect(gateway.remoteStatic).toEqual(agentStatic)
    expect(agent.remoteStatic).toEqual(gatewayStatic)
    expect(agent.handshakeHash).toEqual(gateway.handshakeHash)
    expect(connect({ ...agentKeys, ephemeralSecret: fill(32, 9) }).agent.handshakeHash).not.toEqual(agent.handshakeHash)
    expect(deliver(gateway, agent.seal(text('hello')))).toEqual(text('hello'))
    expect(deliver(agent, gateway.seal(text('hello yourself')))).toEqual(text('hello yourself'))
  })

  test('a responder that does not hold the expected key cannot read message 1', () => {
    expect(outcome(() => connect(agentKeys, { ...gatewayKeys, staticSecret: fill(32, 8) }))).toBe('BAD_HANDSHAKE')
  })

  test('an initiator with another key is another agent: the key returned tells', () => {
    expect(connect({ ...agentKeys, staticSecret: fill(32, 8) }).agentStatic).not.toEqual(x25519PublicKey(agentKeys.staticSecret))
  })

  test('another organisation or another atSign is another prologue, and fails', () => {
    expect(outcome(() => connect(agentKeys, { ...gatewayKeys, prologue: text('another') }))).toBe('BAD_HANDSHAKE')
    const org = 'BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU'
    const of = (agent: string, gateway: string) => hex(channelPrologue(org, agent as AtSign, gateway as AtSign))
    expect(new Set([of('@a', '@bc'), of('@ab', '@c'), of('@bc', '@a')]).size).toBe(3)
  })

  test('an all-zero shared secret is refused at both ends', () => {
    expect(outcome(() => createInitiator({ ...agentKeys, remoteStatic: fill(32, 0) }))).toBe('BAD_HANDSHAKE')
    const { message } = createInitiator({ ...agentKeys, remoteStatic: gatewayStatic })
    const smallOrder = Uint8Array.of(...fill(32, 0), ...message.subarray(32))
    expect(outcome(() => createResponder(gatewayKeys).read(smallOrder))).toBe('BAD_HANDSHAKE')
  })

  test('a handshake message that carries anything is refused, for it could be replayed', () => {
    const message = new NoiseInitiator(agentKeys, gatewayStatic).writeMessage1(text('run this'))
    expect(outcome(() => createResponder(gatewayKeys).read(message))).toBe('BAD_HANDSHAKE')
  })

  test('a replayed message 1 gives a channel in which the replayer can say nothing', () => {
    const { message } = createInitiator({ ...agentKeys, remoteStatic: gatewayStatic })
    const first = createResponder(gatewayKeys)
    first.read(message)
    const recorded = createInitiator({ ...agentKeys, remoteStatic: gatewayStatic })
      .finish(first.respond().message)
      .seal(text('pay'))
    const replayed = createResponder({ ...gatewayKeys, ephemeralSecret: fill(32, 10) })
    replayed.read(message)
    expect(outcome(() => replayed.respond().session.open(recorded[0]!))).toBe('CANNOT_OPEN')
  })

  test('each step is made once and in order', () => {
    const responder = createResponder(gatewayKeys)
    expect(() => responder.respond()).toThrow(TypeError)
    const initiator = createInitiator({ ...agentKeys, remoteStatic: gatewayStatic })
    responder.read(initiator.message)
    expect(() => responder.read(initiator.message)).toThrow(TypeError)
    const { message } = responder.respond()
    expect(() => responder.respond()).toThrow(TypeError)
    initiator.finish(message)
    expect(() => initiator.finish(message)).toThrow(TypeError)
  })

  test('any change of one byte of a handshake message is refused', () => {
    const responder = createResponder(gatewayKeys)
    const { message: message1 } = createInitiator({ ...agentKeys, remoteStatic: gatewayStatic })
    responder.read(message1)
    const message2 = responder.respond().message
    for (let at = 0; at < message1.length; at += 7) {
      expect(outcome(() => createResponder(gatewayKeys).read(changed(message1, at)))).toBe('BAD_HANDSHAKE')
    }
    for (let at = 0; at < message2.length; at += 7) {
      const initiator = createInitiator({ ...agentKeys, remoteStatic: gatewayStatic })
      expect(outcome(() => initiator.finish(changed(message2, at)))).toBe('BAD_HANDSHAKE')
    }
  })
})

function changed(bytes: Uint8Array, at: number, by = 1): Uint8Array {
  const copy = bytes.slice()
  copy[at]! ^= by
  return copy
}

describe('vectors', () => {
  type Piece = { message1?: string; message2?: string; fragment?: string }
  type Whole = { org: string; agent: AtSign; gateway: AtSign; prologue: string; keys: Record<string, string>; handshake_hash: string }
  type Said = { messages: { from: 'agent' | 'gateway'; message: string; fragment: string }[] }
  const [whole, ...refused] = readVectors<Piece & Whole & Said>('channel/conversation.json')
  const { keys, org, agent, gateway, messages } = whole!
  const key = (name: string) => fromHex(keys[name]!)

  /** The conversation up to the first fragment, with one piece replaced. */
  function play(suite: typeof portable, piece: Piece = {}) {
    const prologue = channelPrologue(org, agent, gateway)
    const remoteStatic = x25519PublicKey(key('gateway_static'))
    const initiator = createInitiator({
      ...{ staticSecret: key('agent_static'), ephemeralSecret: key('agent_ephemeral'), remoteStatic, prologue, suite },
    })
    const responder = createResponder({ staticSecret: key('gateway_static'), ephemeralSecret: key('gateway_ephemeral'), prologue, suite })
    responder.read(fromHex(piece.message1 ?? hex(initiator.message)))
    const { message, session } = responder.respond()
    const agentEnd = initiator.finish(fromHex(piece.message2 ?? hex(message)))
    if (piece.fragment !== undefined) session.open(fromHex(piece.fragment))
    return { prologue, message1: initiator.message, message2: message, ends: { agent: agentEnd, gateway: session } }
  }

  test.each([
    ['plain JavaScript', portable],
    ['Node', native],
  ] as const)('the whole conversation comes out byte for byte, with %s', (_, suite) => {
    const { prologue, message1, message2, ends } = play(suite)
    expect([hex(prologue), hex(message1), hex(message2)]).toEqual([whole!.prologue, whole!.message1, whole!.message2])
    expect(hex(ends.agent.handshakeHash)).toBe(whole!.handshake_hash)
    for (const { from, message, fragment } of messages) {
      expect(ends[from].seal(fromHex(message)).map(hex)).toEqual([fragment])
      expect(hex(ends[from === 'agent' ? 'gateway' : 'agent'].open(fromHex(fragment))!)).toBe(message)
    }
  })

  test.each(refused)('$name → $expect', ({ expect: code, ...piece }) => {
    expect(outcome(() => play(portable, piece))).toBe(code)
  })
})

describe('messages of any size', () => {
  test.each([0, 1, 253, 254, 65_516, 65_517, 200_000, MAX_MESSAGE_BYTES])('%i bytes arrive whole', (size) => {
    const { agent, gateway } = openChannel(native)
    const message = fill(size, 0xab)
    const fragments = agent.seal(message)
    expect(Math.max(...fragments.map(({ length }) => length))).toBeLessThanOrEqual(MAX_FRAGMENT_BYTES)
    expect(fragments.slice(0, -1).every((fragment) => gateway.open(fragment) === undefined)).toBe(true)
    expect(Buffer.compare(gateway.open(fragments.at(-1)!)!, message)).toBe(0)
  })

  test('one byte more than 8 MiB is not sealed, and the session goes on', () => {
    const { agent, gateway } = openChannel()
    expect(outcome(() => agent.seal(fill(MAX_MESSAGE_BYTES + 1, 0)))).toBe('TOO_LARGE')
    expect(deliver(gateway, agent.seal(text('still here')))).toEqual(text('still here'))
  })

  test('what Node seals, plain JavaScript opens, and the reverse', () => {
    const [ours, theirs] = [openChannel(native), openChannel(portable)]
    for (const size of [10, 5_000, 100_000]) {
      expect(deliver(theirs.gateway, ours.agent.seal(fill(size, 1)))).toEqual(fill(size, 1))
      expect(deliver(ours.agent, theirs.gateway.seal(fill(size, 2)))).toEqual(fill(size, 2))
    }
  })

  test('up to 253 bytes all look alike from outside; longer ones grow by at most an eighth', () => {
    const { agent } = openChannel()
    const sealedLength = (size: number) => agent.seal(fill(size, 0))[0]!.length
    expect(new Set([0, 1, 100, 253].map(sealedLength)).size).toBe(1)
    for (const size of [254, 300, 1_000, 1_001, 10_000, 40_000, 65_516]) {
      expect(sealedLength(size)).toBeLessThanOrEqual(Math.max(272, (size + 3) * 1.125 + 16))
      expect(sealedLength(size)).toBeLessThanOrEqual(MAX_FRAGMENT_BYTES)
    }
  })
})

describe('only complete, unchanged, once and in order', () => {
  test('any change of one byte of any fragment ends the session', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (message, at, by) => {
        const { agent, gateway } = openChannel()
        const [fragment] = agent.seal(message)
        expect(outcome(() => gateway.open(changed(fragment!, at % fragment!.length, by)))).toBe('CANNOT_OPEN')
        expect(outcome(() => gateway.open(fragment!))).toBe('SESSION_ENDED')
      }),
    )
  })

  const sealed = (agent: Session, ...messages: string[]) => messages.flatMap((message) => agent.seal(text(message)))

  test('a repeated fragment ends the session', () => {
    const { agent, gateway } = openChannel()
    const [first] = sealed(agent, 'pay 5')
    gateway.open(first!)
    expect(outcome(() => gateway.open(first!))).toBe('CANNOT_OPEN')
    expect(gateway.hasEnded).toBe(true)
  })

  test('a lost fragment ends the session with the next one', () => {
    const { agent, gateway } = openChannel()
    const [, second] = sealed(agent, 'first', 'second')
    expect(outcome(() => gateway.open(second!))).toBe('CANNOT_OPEN')
  })

  test('exchanged fragments end the session', () => {
    const { agent, gateway } = openChannel()
    const [first, second, third] = sealed(agent, 'first', 'second', 'third')
    gateway.open(first!)
    expect(outcome(() => gateway.open(third!))).toBe('CANNOT_OPEN')
    expect(outcome(() => gateway.open(second!))).toBe('SESSION_ENDED')
  })

  test('a fragment reflected to its sender does not open: each direction has its key', () => {
    const { agent } = openChannel()
    const [fragment] = sealed(agent, 'to you')
    expect(outcome(() => agent.open(fragment!))).toBe('CANNOT_OPEN')
  })

  test('after the end nothing is sealed either, and nothing half received is kept', () => {
    const { agent, gateway } = openChannel()
    const [first] = agent.seal(fill(100_000, 1))
    expect(gateway.open(first!)).toBeUndefined()
    gateway.end()
    expect(outcome(() => gateway.seal(text('x')))).toBe('SESSION_ENDED')
    expect(outcome(() => gateway.open(first!))).toBe('SESSION_ENDED')
  })
})

describe('an authentic peer that does not keep to the format ends its session', () => {
  const framed = (last: number, length: number, total: number) => {
    const plaintext = fill(total, 0)
    plaintext.set([last, length >> 8, length & 0xff])
    return plaintext
  }
  test.each([
    ['nothing inside', fill(0, 0), 'MALFORMED'],
    ['half a header', fill(2, 0), 'MALFORMED'],
    ['a flag that is neither 0 nor 1', framed(2, 0, 256), 'MALFORMED'],
    ['a length beyond the fragment', framed(1, 300, 256), 'MALFORMED'],
    ['a short fragment that is not the last', framed(0, 10, 256), 'MALFORMED'],
    ['an empty fragment that is not the last', framed(0, 0, 256), 'MALFORMED'],
    ['too little padding', framed(1, 0, 255), 'MALFORMED'],
    ['too much padding', framed(1, 0, 257), 'MALFORMED'],
    ['padding that says something', changed(framed(1, 0, 256), 255), 'MALFORMED'],
  ])('%s', (_, plaintext, code) => {
    const { gateway, fragment } = openForged()
    expect(outcome(() => gateway.open(fragment(plaintext)))).toBe(code)
    expect(gateway.hasEnded).toBe(true)
  })

  test('a message that never ends, at 8 MiB', () => {
    const { gateway, fragment } = openForged()
    const full = MAX_FRAGMENT_BYTES - 16 - 3
    const endless = () => {
      for (let i = 0; i <= MAX_MESSAGE_BYTES / full + 1; i += 1) gateway.open(fragment(framed(0, full, full + 3)))
    }
    expect(outcome(endless)).toBe('TOO_LARGE')
    expect(gateway.hasEnded).toBe(true)
  })

  test('a fragment longer than a Noise message', () => {
    const { gateway, fragment } = openForged()
    expect(outcome(() => gateway.open(fragment(framed(1, 0, MAX_FRAGMENT_BYTES - 15))))).toBe('TOO_LARGE')
  })
})

describe('rekey', () => {
  test('both ends change keys after 65,536 messages of a direction and go on', () => {
    const { agent, gateway } = openChannel()
    for (let i = 0; i < REKEY_AFTER_MESSAGES; i += 1) gateway.open(agent.seal(NO_AAD)[0]!)
    expect(deliver(gateway, agent.seal(text('after the boundary')))).toEqual(text('after the boundary'))
    expect(deliver(agent, gateway.seal(text('the other direction has not moved')))).toBeDefined()
  })

  test('the new key is the one that Noise derives, and the counter goes on', () => {
    const old = fill(32, 5)
    const sending = new CipherState(old.slice(), portable)
    for (let i = 0; i < REKEY_AFTER_MESSAGES; i += 1) sending.encrypt(NO_AAD, NO_AAD)
    const next = portable.sealChaCha(old, Uint8Array.of(0, 0, 0, 0, ...fill(8, 0xff)), NO_AAD, fill(32, 0)).slice(0, 32)
    const nonce = Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0) // 65,536, little-endian
    expect(sending.encrypt(NO_AAD, text('x'))).toEqual(portable.sealChaCha(next, nonce, NO_AAD, text('x')))
  })

  test('an end that did not change its key is not understood', () => {
    const [sending, receiving] = [new CipherState(fill(32, 5), portable), new CipherState(fill(32, 5), portable)]
    for (let i = 0; i < REKEY_AFTER_MESSAGES; i += 1) sending.encrypt(NO_AAD, NO_AAD)
    expect(receiving.decrypt(NO_AAD, sending.encrypt(NO_AAD, text('x')))).toBeUndefined()
  })
})
