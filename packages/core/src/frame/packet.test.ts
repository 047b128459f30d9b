import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromHex, outcome, readVectors } from '../../../../test/read-vectors.ts'
import { decodeFrame, encodeFrame, MAX_PAYLOAD_BYTES } from './frames.ts'
import type { PacketKind } from './packet.ts'
import {
  decodePacket,
  END_REASONS,
  encodeEnd,
  encodePacket,
  encodeSendPacket,
  endReasonOf,
  MAX_PACKET_CONTENT_BYTES,
  PACKET_KINDS,
} from './packet.ts'

const fill = (length: number, value: number) => new Uint8Array(length).fill(value)
const channel = fill(8, 0x77)

test('a packet stands on the wire as drawn', () => {
  expect([...encodePacket({ kind: 'DATA', channel, content: Uint8Array.of(1, 2) })]).toEqual([
    3, // kind
    ...channel, // which channel
    ...[1, 2], // content, to the end
  ])
})

test('the numbers on the wire are frozen', () => {
  expect(PACKET_KINDS).toEqual({ INIT: 1, RESPONSE: 2, DATA: 3, END: 4 })
  expect(END_REASONS).toEqual({
    DONE: 1,
    UNKNOWN_CHANNEL: 2,
    HANDSHAKE_FAILED: 3,
    BROKEN: 4,
    NOT_ADMITTED: 5,
    RENEWED: 6,
    CLOCK_JUMPED: 7,
    TOO_MANY: 8,
    STOPPING: 9,
  })
})

test.each(readVectors<{ bytes: string; packet?: { kind: PacketKind } }>('frame/packets.json'))(
  '$name → $expect',
  ({ bytes, packet, expect: code }) => {
    expect(outcome(() => decodePacket(fromHex(bytes)))).toBe(code)
    if (packet) expect(decodePacket(fromHex(bytes)).kind).toBe(packet.kind)
  },
)

test('a whole SEND frame made at once is the same as one made in two steps', () => {
  const packet = { kind: 'DATA', channel, content: fill(100, 9) } as const
  const [kid, conn] = [fill(32, 1), fill(8, 2)]
  expect(encodeSendPacket(kid, conn, packet)).toEqual(encodeFrame({ type: 'SEND', kid, conn, payload: encodePacket(packet) }))
})

test('the longest content fits into a frame, one byte more is refused', () => {
  const longest = { kind: 'DATA', channel, content: fill(MAX_PACKET_CONTENT_BYTES, 1) } as const
  const frame = decodeFrame(encodeSendPacket(fill(32, 1), fill(8, 2), longest), 'peer')
  expect(frame.type === 'SEND' && decodePacket(frame.payload)).toEqual(longest)
  expect(() => encodePacket({ ...longest, content: fill(MAX_PACKET_CONTENT_BYTES + 1, 1) })).toThrow(RangeError)
  expect(() => encodeSendPacket(fill(31, 1), fill(8, 2), longest)).toThrow(RangeError)
  const tooLong = fill(9 + MAX_PACKET_CONTENT_BYTES + 1, 1)
  expect(outcome(() => decodePacket(tooLong))).toBe('TOO_LARGE')
  expect(outcome(() => decodePacket(fill(MAX_PAYLOAD_BYTES + 1, 1)))).toBe('TOO_LARGE')
})

test('an unknown reason still ends the channel', () => {
  expect(endReasonOf(encodeEnd('RENEWED'))).toBe('RENEWED')
  expect(endReasonOf(Uint8Array.of(99))).toBeUndefined()
})

test('whatever bytes arrive, they are a packet that encodes to the same bytes, or refused with a code', () => {
  const bytes = fc
    .tuple(fc.integer({ min: 0, max: 5 }), fc.uint8Array({ maxLength: 20 }))
    .map(([kind, rest]) => Uint8Array.of(kind, ...rest))
  fc.assert(
    fc.property(bytes, (input) => {
      const code = outcome(() => decodePacket(input))
      expect(['ok', 'MALFORMED']).toContain(code)
      if (code === 'ok') expect(encodePacket(decodePacket(input))).toEqual(input)
    }),
  )
})
