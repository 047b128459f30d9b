import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, outcome, readVectors } from '../../../../test/read-vectors.ts'
import { challengeBytes } from './challenge.ts'
import type { Frame, FrameSender, FrameType } from './frames.ts'
import {
  decodeFrame,
  encodeFrame,
  FRAMES,
  GONE_REASONS,
  goneReasonOf,
  MAX_AUTH_FRAME_BYTES,
  MAX_FRAME_BYTES,
  MAX_PAYLOAD_BYTES,
  RELAY_REFUSALS,
  relayRefusalOf,
  SEND_HEADER_BYTES,
} from './frames.ts'

const fill = (length: number, value: number) => new Uint8Array(length).fill(value)
const repeat = (length: number, value: number): number[] => new Array(length).fill(value)
const kid = fill(32, 0x11)
const conn = fill(8, 0x22)

/** Every frame, byte for byte. */
const layouts: readonly [Frame, FrameSender, number[]][] = [
  [
    { type: 'CHALLENGE', nonce: fill(32, 0x33), host: 'r:1' },
    'relay',
    [
      1, // type
      ...repeat(32, 0x33), // nonce
      ...[0x72, 0x3a, 0x31], // host, to the end
    ],
  ],
  [
    { type: 'AUTH', org: fill(32, 0x44), key: fill(32, 0x55), signature: fill(64, 0x66) },
    'peer',
    [
      2, // type
      ...repeat(32, 0x44), // organisation
      ...repeat(32, 0x55), // raw Ed25519 public key
      ...repeat(64, 0x66), // signature over challengeBytes
    ],
  ],
  [{ type: 'WELCOME', conn }, 'relay', [3, ...repeat(8, 0x22)]], // type, this connection's id
  [{ type: 'REFUSED', code: 3 }, 'relay', [4, 3]], // type, why
  [
    { type: 'SEND', kid, conn, payload: Uint8Array.of(7, 8) },
    'peer',
    [
      5, // type
      ...repeat(32, 0x11), // key id of the destination
      ...repeat(8, 0x22), // which of its connections; zeros: the newest
      ...[7, 8], // payload, to the end
    ],
  ],
  [
    { type: 'DELIVER', kid, conn, payload: Uint8Array.of(7, 8) },
    'relay',
    [
      6, // type
      ...repeat(32, 0x11), // key id of the sender
      ...repeat(8, 0x22), // which of its connections
      ...[7, 8], // payload, to the end
    ],
  ],
  [
    { type: 'GONE', kid, conn, reason: 2 },
    'relay',
    [
      7, // type
      ...repeat(32, 0x11), // key id of who is not there
      ...repeat(8, 0x22), // its connection, as it was written to
      2, // why
    ],
  ],
  [{ type: 'PING', token: conn }, 'peer', [8, ...repeat(8, 0x22)]], // type, to be sent back
  [{ type: 'PONG', token: conn }, 'relay', [9, ...repeat(8, 0x22)]], // type, as it came
]

describe('layout', () => {
  test.each(layouts)('$type stands on the wire as drawn', (frame, from, bytes) => {
    expect([...encodeFrame(frame)]).toEqual(bytes)
    expect(decodeFrame(Uint8Array.from(bytes), from)).toEqual(frame)
  })

  test('every frame is drawn', () => {
    expect(layouts.map(([{ type }]) => type).sort()).toEqual((Object.keys(FRAMES) as FrameType[]).sort())
  })
})

test('the numbers on the wire are frozen', () => {
  expect(Object.fromEntries(Object.entries(FRAMES).map(([type, { number }]) => [type, number]))).toEqual({
    CHALLENGE: 1,
    AUTH: 2,
    WELCOME: 3,
    REFUSED: 4,
    SEND: 5,
    DELIVER: 6,
    GONE: 7,
    PING: 8,
    PONG: 9,
  })
  expect(RELAY_REFUSALS).toEqual({
    BAD_FRAME: 1,
    BAD_SIGNATURE: 2,
    NOT_ADMITTED: 3,
    CANNOT_ASK: 4,
    TOO_LATE: 5,
    TOO_MANY: 6,
    TOO_SLOW: 7,
    STOPPING: 8,
  })
  expect(GONE_REASONS).toEqual({ NO_SUCH_PEER: 1, LEFT: 2 })
  expect([MAX_PAYLOAD_BYTES, SEND_HEADER_BYTES, MAX_FRAME_BYTES, MAX_AUTH_FRAME_BYTES]).toEqual([65_600, 41, 65_641, 129])
})

test.each(readVectors<{ bytes: string; from: FrameSender; frame?: Record<string, string | number> }>('frame/frames.json'))(
  '$name → $expect',
  ({ bytes, from, frame, expect: code }) => {
    expect(outcome(() => decodeFrame(fromHex(bytes), from))).toBe(code)
    if (!frame) return
    const read = decodeFrame(fromHex(bytes), from)
    const shown = Object.entries(read).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ])
    expect(Object.fromEntries(shown)).toEqual(frame)
    expect(Buffer.from(encodeFrame(read)).toString('hex')).toBe(bytes)
  },
)

test('the longest payload passes, one byte more does not', () => {
  const longest = encodeFrame({ type: 'SEND', kid, conn, payload: fill(MAX_PAYLOAD_BYTES, 1) })
  expect(longest).toHaveLength(MAX_FRAME_BYTES)
  expect(decodeFrame(longest, 'peer')).toMatchObject({ type: 'SEND' })
  expect(outcome(() => decodeFrame(Uint8Array.of(...longest, 0), 'peer'))).toBe('TOO_LARGE')
  expect(() => encodeFrame({ type: 'SEND', kid, conn, payload: fill(MAX_PAYLOAD_BYTES + 1, 1) })).toThrow(RangeError)
})

test('a field of the wrong size is a defect of the caller', () => {
  expect(() => encodeFrame({ type: 'WELCOME', conn: fill(7, 0) })).toThrow(RangeError)
  expect(() => challengeBytes('r', fill(31, 0), kid, kid)).toThrow(RangeError)
})

test('whatever bytes arrive, they are a frame that encodes to the same bytes, or refused with a code', () => {
  const bytes = fc
    .tuple(fc.integer({ min: 0, max: 10 }), fc.uint8Array({ maxLength: 140 }))
    .map(([type, rest]) => Uint8Array.of(type, ...rest))
  fc.assert(
    fc.property(bytes, fc.constantFrom<FrameSender>('peer', 'relay'), (input, from) => {
      const code = outcome(() => decodeFrame(input, from))
      expect(['ok', 'MALFORMED', 'TOO_LARGE']).toContain(code)
      if (code === 'ok') expect(encodeFrame(decodeFrame(input, from))).toEqual(input)
    }),
  )
})

test('a refusal or reason of a newer relay has no name and is no error', () => {
  expect([relayRefusalOf(3), relayRefusalOf(99)]).toEqual(['NOT_ADMITTED', undefined])
  expect([goneReasonOf(2), goneReasonOf(99)]).toEqual(['LEFT', undefined])
})

test('what a peer signs names the context, the host, its organisation, itself and the nonce', () => {
  const signed = challengeBytes('r:1', fill(32, 1), fill(32, 2), fill(32, 3))
  expect([...signed]).toEqual([
    ...Buffer.from('postern-relay-v1'),
    0, // ends the context
    ...Buffer.from('r:1'),
    0, // ends the host
    ...repeat(32, 1), // organisation
    ...repeat(32, 2), // key id
    ...repeat(32, 3), // nonce
  ])
})
