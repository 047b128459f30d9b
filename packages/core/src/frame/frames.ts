// What peers and relay say to each other, one frame per binary WebSocket message.
//
//   peer A                           relay                            peer B
//     │ ◄─ CHALLENGE nonce, host ──────┤                                │   first frame on every connection
//     │ ── AUTH org, key, signature ──►│  asks the control plane        │   is SHA-256(key) enrolled in org?
//     │ ◄─ WELCOME conn ───────────────┤  (or REFUSED, and the end)     │
//     │                                │                                │
//     │ ── SEND   to B:  kid, conn ───►│ ── DELIVER from A: kid, conn ─►│   payload: a packet (packet.ts), ciphertext
//     │ ◄─ DELIVER from B: kid, conn ──┤◄── SEND   to A:  kid, conn ────│
//     │ ◄─ GONE   kid, conn, reason ───┤                                ✕   no such peer, or it went away
//     │ ── PING ──────────────────────►│                                │
//     │ ◄─ PONG ───────────────────────┤                                │
//
//   SEND and DELIVER:  │ type 1 │ kid 32 │ conn 8 │ payload ≤ 65,600 │    the relay forwards by rewriting the first 41 bytes
import { concatBytes, decodeUtf8, utf8 } from '../bytes/bytes.ts'
import { VerifyError } from '../errors.ts'

/** Raw key ids and connection ids are bytes here: text forms cost a conversion per frame. */
export interface Frames {
  /** @see packages/core/spec/frame.md §3 */
  CHALLENGE: { readonly nonce: Uint8Array; readonly host: string }
  AUTH: { readonly org: Uint8Array; readonly key: Uint8Array; readonly signature: Uint8Array }
  WELCOME: { readonly conn: Uint8Array }
  /** `code` is a number of `RELAY_REFUSALS`; newer relays may have more. */
  REFUSED: { readonly code: number }
  /** All-zero `conn`: the newest connection of that key. */
  SEND: { readonly kid: Uint8Array; readonly conn: Uint8Array; readonly payload: Uint8Array }
  DELIVER: { readonly kid: Uint8Array; readonly conn: Uint8Array; readonly payload: Uint8Array }
  /** `reason` is a number of `GONE_REASONS`. */
  GONE: { readonly kid: Uint8Array; readonly conn: Uint8Array; readonly reason: number }
  PING: { readonly token: Uint8Array }
  PONG: { readonly token: Uint8Array }
}
export type FrameType = keyof Frames
export type Frame = { [T in FrameType]: { readonly type: T } & Frames[T] }[FrameType]
export type FrameSender = 'relay' | 'peer'

/** How one field stands in the bytes: exactly n bytes, one number, or everything that is left (last field only). */
type Field = { readonly bytes: number } | { readonly number: 'u8' } | { readonly restBytes: number } | { readonly restText: number }
interface Row<T extends FrameType> {
  readonly number: number
  readonly from: readonly FrameSender[]
  readonly fields: { readonly [F in keyof Frames[T]]: Field } // in the order of the wire
}

/** Longest payload: one packet with a full channel fragment, and room for a later header. */
export const MAX_PAYLOAD_BYTES = 65_600
export const SEND_HEADER_BYTES = 41
export const MAX_FRAME_BYTES = SEND_HEADER_BYTES + MAX_PAYLOAD_BYTES
/** No peer of this type can be authenticated yet, so what it may send is small. */
export const MAX_AUTH_FRAME_BYTES = 129

const addressed = { kid: { bytes: 32 }, conn: { bytes: 8 }, payload: { restBytes: MAX_PAYLOAD_BYTES } } as const

export const FRAMES: { readonly [T in FrameType]: Row<T> } = {
  CHALLENGE: { number: 1, from: ['relay'], fields: { nonce: { bytes: 32 }, host: { restText: 255 } } },
  AUTH: { number: 2, from: ['peer'], fields: { org: { bytes: 32 }, key: { bytes: 32 }, signature: { bytes: 64 } } },
  WELCOME: { number: 3, from: ['relay'], fields: { conn: { bytes: 8 } } },
  REFUSED: { number: 4, from: ['relay'], fields: { code: { number: 'u8' } } },
  SEND: { number: 5, from: ['peer'], fields: addressed },
  DELIVER: { number: 6, from: ['relay'], fields: addressed },
  GONE: { number: 7, from: ['relay'], fields: { kid: { bytes: 32 }, conn: { bytes: 8 }, reason: { number: 'u8' } } },
  PING: { number: 8, from: ['peer', 'relay'], fields: { token: { bytes: 8 } } },
  PONG: { number: 9, from: ['peer', 'relay'], fields: { token: { bytes: 8 } } },
}

/** Why a relay refuses a peer or ends its connection; sent last, before it closes. */
export const RELAY_REFUSALS = {
  BAD_FRAME: 1, // not a frame, or not now
  BAD_SIGNATURE: 2,
  NOT_ADMITTED: 3, // the key is not, or no longer, enrolled in that organisation
  CANNOT_ASK: 4, // the control plane does not answer; try again
  TOO_LATE: 5, // no AUTH in time
  TOO_MANY: 6, // the relay is full; try again
  TOO_SLOW: 7, // frames for this peer waited too long
  STOPPING: 8,
} as const
export type RelayRefusal = keyof typeof RELAY_REFUSALS

/** Why frames to a peer end nowhere. */
export const GONE_REASONS = {
  NO_SUCH_PEER: 1, // not connected here, or not in this organisation: the relay does not say which
  LEFT: 2, // it was connected and is not any more
} as const
export type GoneReason = keyof typeof GONE_REASONS

const named = <N extends string>(table: Readonly<Record<N, number>>, found: number): N | undefined =>
  (Object.keys(table) as N[]).find((name) => table[name] === found)

/** Undefined for a code of a newer relay. */
export const relayRefusalOf = (code: number): RelayRefusal | undefined => named(RELAY_REFUSALS, code)
export const goneReasonOf = (reason: number): GoneReason | undefined => named(GONE_REASONS, reason)

const byNumber = new Map((Object.keys(FRAMES) as FrameType[]).map((type) => [FRAMES[type].number, type]))

/** @throws {RangeError} for a field of the wrong size: that is a defect of the caller. */
export function encodeFrame(frame: Frame): Uint8Array {
  const { number, fields } = FRAMES[frame.type]
  const values = frame as unknown as Readonly<Record<string, unknown>>
  const parts = Object.entries(fields).map(([name, field]) => encodeField(name, field as Field, values[name]))
  return concatBytes(Uint8Array.of(number), ...parts)
}

function encodeField(name: string, field: Field, value: unknown): Uint8Array {
  if ('number' in field) return Uint8Array.of(value as number)
  const bytes = 'restText' in field ? utf8(value as string) : (value as Uint8Array)
  const fits = 'bytes' in field ? bytes.length === field.bytes : bytes.length <= restLimit(field)
  if (!fits) throw new RangeError(`${name}: ${bytes.length} bytes do not fit`)
  return bytes
}

const restLimit = (field: Field) => ('restBytes' in field ? field.restBytes : 'restText' in field ? field.restText : 0)

/**
 * Reads one frame that the other side (`from`) sent. Fields are views into `bytes`, not copies.
 * @throws {VerifyError} MALFORMED: unknown type, a type that side does not send, or not exactly its layout. TOO_LARGE
 * @see packages/core/spec/frame.md §2
 */
export function decodeFrame(bytes: Uint8Array, from: FrameSender): Frame {
  const type = byNumber.get(bytes[0] ?? 0)
  if (!type) throw new VerifyError('MALFORMED', `no frame has type ${bytes[0] ?? 'nothing'}`)
  const row = FRAMES[type]
  if (!row.from.includes(from)) throw new VerifyError('MALFORMED', `a ${from} does not send ${type}`)
  const frame: Record<string, unknown> = { type }
  let at = 1
  for (const [name, field] of Object.entries(row.fields)) {
    const end = endOf(type, field as Field, at, bytes.length)
    frame[name] = decodeField(field as Field, bytes.subarray(at, end))
    at = end
  }
  if (at !== bytes.length) throw new VerifyError('MALFORMED', `${type}: ${bytes.length - at} bytes too many`)
  return frame as unknown as Frame
}

function endOf(type: string, field: Field, at: number, length: number): number {
  const end = 'bytes' in field ? at + field.bytes : 'number' in field ? at + 1 : length
  if (end > length) throw new VerifyError('MALFORMED', `${type}: ${end - length} bytes too few`)
  if (!('bytes' in field || 'number' in field) && end - at > restLimit(field)) {
    throw new VerifyError('TOO_LARGE', `${type}: ${end - at} bytes, at most ${restLimit(field)}`)
  }
  return end
}

const decodeField = (field: Field, bytes: Uint8Array) => ('number' in field ? bytes[0] : 'restText' in field ? decodeUtf8(bytes) : bytes)
