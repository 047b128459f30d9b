import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromHex, outcome, readVectors } from '../../../../test/read-vectors.ts'
import type { ChannelEnd, MessageHeader, MessageType } from './messages.ts'
import { decodeMessage, encodeMessage, MESSAGES } from './messages.ts'

type Case = { bytes: string; from: ChannelEnd; message?: { type: MessageType; header: MessageHeader<MessageType>; body: string } }
const vectors = readVectors<Case>('channel/messages.json')
const text = (value: string) => new Uint8Array(Buffer.from(value))

test.each(vectors)('$name → $expect', ({ bytes, from, message, expect: code }) => {
  expect(outcome(() => decodeMessage(fromHex(bytes), from))).toBe(code)
  if (!message) return
  const { type, header, body } = decodeMessage(fromHex(bytes), from)
  expect({ type, header, body: Buffer.from(body).toString() }).toEqual(message)
  expect(Buffer.from(encodeMessage(type, header, body)).toString('hex')).toBe(bytes)
})

test('every message has a vector', () => {
  const covered = new Set(vectors.map(({ message }) => message?.type))
  expect(Object.keys(MESSAGES).filter((type) => !covered.has(type as MessageType))).toEqual([])
})

test('a message stands in the channel as drawn', () => {
  expect([...encodeMessage('MESSAGE', { sid: 's' }, text('{}'))]).toEqual([
    8, // type
    ...[0, 0, 0, 11], // header length
    ...text('{"sid":"s"}'), // header
    ...text('{}'), // body, to the end
  ])
})

test('the numbers in the channel are frozen', () => {
  expect(Object.fromEntries(Object.entries(MESSAGES).map(([type, { number }]) => [type, number]))).toEqual({
    HELLO: 1,
    ASK: 2,
    GRANT: 3,
    OPEN: 4,
    OPENED: 5,
    CLOSE: 6,
    CALL: 7,
    MESSAGE: 8,
    RESULT: 9,
    REFUSED: 10,
    PING: 11,
    PONG: 12,
    HELD: 14,
  })
})

test('nothing is encoded that the other end would refuse', () => {
  expect(outcome(() => encodeMessage('CLOSE', { sid: 'not an id' }))).toBe('MALFORMED')
  expect(outcome(() => encodeMessage('CLOSE', { sid: 's', extra: 1 } as MessageHeader<'CLOSE'>))).toBe('UNKNOWN_FIELD')
  expect(outcome(() => encodeMessage('PING', { t: 1 }, text('x')))).toBe('TOO_LARGE')
  expect(outcome(() => encodeMessage('ASK', { rid: 'r' }, new Uint8Array(16_385)))).toBe('TOO_LARGE')
})

test('a header longer than 64 KiB is refused before it is parsed', () => {
  const bytes = new Uint8Array(5 + 65_537)
  bytes[0] = MESSAGES.HELLO.number
  new DataView(bytes.buffer).setUint32(1, 65_537)
  expect(outcome(() => decodeMessage(bytes, 'agent'))).toBe('TOO_LARGE')
})

test('a view into a larger buffer is read from where it begins', () => {
  const message = encodeMessage('PING', { t: 7 })
  const larger = new Uint8Array(message.length + 20).fill(0xff)
  larger.set(message, 9)
  expect(decodeMessage(larger.subarray(9, 9 + message.length), 'agent')).toMatchObject({ type: 'PING', header: { t: 7 } })
})

test('whatever bytes arrive, they are a message or refused with a code', () => {
  const anything = fc.uint8Array({ maxLength: 60 })
  const nearly = fc.tuple(fc.constantFrom(...vectors), fc.nat(), fc.integer({ min: 1, max: 255 })).map(([{ bytes }, at, by]) => {
    const changed = fromHex(bytes)
    if (changed.length > 0) changed[at % changed.length]! ^= by
    return changed
  })
  fc.assert(
    fc.property(fc.oneof(anything, nearly), fc.constantFrom<ChannelEnd>('agent', 'gateway'), (bytes, from) => {
      const allowed = ['ok', 'MALFORMED', 'UNKNOWN_FIELD', 'TOO_LARGE', 'TOO_DEEP', 'DUPLICATE_NAME']
      expect(allowed).toContain(outcome(() => decodeMessage(bytes, from)))
    }),
    { numRuns: 1000 },
  )
})
