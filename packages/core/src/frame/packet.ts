// What two ends put into the payload of SEND, one packet each:
//
//   │ kind 1 │ channel 8 │ content │        kind: 1 INIT · 2 RESPONSE · 3 DATA · 4 END
//
//   agent                                  gateway
//     │ ── INIT      Noise message 1 ───────► │    the agent draws the channel id
//     │ ◄─ RESPONSE  Noise message 2 ──────── │
//     │ ◄► DATA      one sealed fragment ◄──► │
//     │ ◄► END       reason 1 ◄─────────────► │    NOT protected: a relay can forge it, which is denial of service and nothing more
import { concatBytes } from '../bytes/bytes.ts'
import { VerifyError } from '../errors.ts'
import { FRAMES, MAX_PAYLOAD_BYTES, SEND_HEADER_BYTES } from './frames.ts'

export const PACKET_KINDS = { INIT: 1, RESPONSE: 2, DATA: 3, END: 4 } as const
export type PacketKind = keyof typeof PACKET_KINDS
export const PACKET_HEADER_BYTES = 9
/** Longest content of a packet: a Noise message is at most 65,535 bytes. */
export const MAX_PACKET_CONTENT_BYTES = 65_535

/** Why an end gives a channel up. */
export const END_REASONS = {
  DONE: 1,
  UNKNOWN_CHANNEL: 2, // a packet for a channel this end does not have, e.g. after a restart: make a new one
  HANDSHAKE_FAILED: 3,
  BROKEN: 4, // a fragment that did not open, or a message that made no sense
  NOT_ADMITTED: 5, // this end's authority log does not know the other, or has revoked it
  RENEWED: 6, // its hour is over; a new one exists
  CLOCK_JUMPED: 7,
  TOO_MANY: 8,
  STOPPING: 9,
} as const
export type EndReason = keyof typeof END_REASONS

export interface Packet {
  readonly kind: PacketKind
  readonly channel: Uint8Array
  readonly content: Uint8Array
}

const kindByNumber = new Map((Object.keys(PACKET_KINDS) as PacketKind[]).map((kind) => [PACKET_KINDS[kind], kind as PacketKind]))

export function encodePacket({ kind, channel, content }: Packet): Uint8Array {
  checkSizes(channel, content)
  return concatBytes(Uint8Array.of(PACKET_KINDS[kind]), channel, content)
}

/** A whole SEND frame with a packet inside, copied once: the path of every message. */
export function encodeSendPacket(kid: Uint8Array, conn: Uint8Array, { kind, channel, content }: Packet): Uint8Array {
  checkSizes(channel, content)
  if (kid.length !== 32 || conn.length !== 8) throw new RangeError('kid has 32 bytes, conn 8')
  const frame = new Uint8Array(SEND_HEADER_BYTES + PACKET_HEADER_BYTES + content.length)
  frame[0] = FRAMES.SEND.number
  frame.set(kid, 1)
  frame.set(conn, 33)
  frame[SEND_HEADER_BYTES] = PACKET_KINDS[kind]
  frame.set(channel, SEND_HEADER_BYTES + 1)
  frame.set(content, SEND_HEADER_BYTES + PACKET_HEADER_BYTES)
  return frame
}

function checkSizes(channel: Uint8Array, content: Uint8Array): void {
  if (channel.length !== 8) throw new RangeError('a channel id has 8 bytes')
  if (content.length > MAX_PACKET_CONTENT_BYTES) throw new RangeError(`a packet holds at most ${MAX_PACKET_CONTENT_BYTES} bytes`)
}

/**
 * Reads one packet. Its parts are views into `payload`. Says nothing about who sent it: the session does.
 * @throws {VerifyError} MALFORMED, TOO_LARGE
 * @see packages/core/spec/frame.md §4
 */
export function decodePacket(payload: Uint8Array): Packet {
  if (payload.length > MAX_PAYLOAD_BYTES) throw new VerifyError('TOO_LARGE', `a packet of ${payload.length} bytes`)
  if (payload.length < PACKET_HEADER_BYTES) throw new VerifyError('MALFORMED', 'a packet has at least 9 bytes')
  const kind = kindByNumber.get(payload[0] as (typeof PACKET_KINDS)[PacketKind])
  if (!kind) throw new VerifyError('MALFORMED', `no packet has kind ${payload[0]}`)
  const content = payload.subarray(PACKET_HEADER_BYTES)
  if (content.length > MAX_PACKET_CONTENT_BYTES) throw new VerifyError('TOO_LARGE', `a packet of ${payload.length} bytes`)
  if (kind === 'END' && content.length !== 1) throw new VerifyError('MALFORMED', 'END carries one byte')
  return { kind, channel: payload.subarray(1, PACKET_HEADER_BYTES), content }
}

/** Content of an END packet. */
export const encodeEnd = (reason: EndReason): Uint8Array => Uint8Array.of(END_REASONS[reason])

/** Undefined for a reason this version does not know; the channel has ended all the same. */
export const endReasonOf = (content: Uint8Array): EndReason | undefined =>
  (Object.keys(END_REASONS) as EndReason[]).find((reason) => END_REASONS[reason] === content[0])
