// What the two ends of a channel say to each other, inside it:
//
//   │ type 1 │ header length 4 │ header: JSON │ body │
//
//   agent                                            gateway
//     │ ◄─ HELLO ─────────────────────────── HELLO ─► │   first, both ways: heads of the log
//     │ ── ASK rid ─────────────────────────────────► │   ◄─ GRANT rid
//     │ ── OPEN sid, server ────────────────────────► │   ◄─ OPENED sid          one client session
//     │ ── CALL sid ────────────────────────────────► │   ◄─ RESULT sid, or REFUSED sid; HELD sid before, when a person is asked
//     │ ◄─ MESSAGE sid ─────────────────── MESSAGE ─► │   any other JSON-RPC
//     │ ── CLOSE sid ───────────────────────────────► │   either may
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import type { JsonValue } from '../bytes/json.ts'
import { parseStrictJson } from '../bytes/json.ts'
import type { Infer, Shape } from '../bytes/shape.ts'
import { bytesOf, digest, integer, list, object, oneOf, pattern, refuse, unixSeconds } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import { atSignShape } from '../key/atsign.ts'
import type { SignedJson } from '../key/signature.ts'
import { decodeSigned } from '../key/signature.ts'
import { MAX_MESSAGE_BYTES } from './session.ts'

const PREFIX_BYTES = 5
/** A head statement of 16 KiB with its signatures, in base64url. */
const MAX_HEADER_BYTES = 64 << 10
const MAX_HEADER_DEPTH = 8
const MAX_TOKEN_BYTES = 16_384
/** Arguments of 1 MiB, written with escapes, and what stands around them. */
const MAX_CALL_BYTES = 2 << 20
const MAX_RPC_BYTES = MAX_MESSAGE_BYTES - MAX_HEADER_BYTES - PREFIX_BYTES
const NOTHING = new Uint8Array(0)

/** Any text: it may quote what a server or a peer wrote. Whoever shows it makes it safe for the screen first. */
const said =
  (max: number): Shape<string> =>
  (value, path) =>
    typeof value === 'string' && value.length <= max ? value : refuse(path, `expected text of at most ${max} characters`)
const id = pattern(/^[A-Za-z0-9_-]{1,43}$/, 'an id of 1–43 base64url characters')
const code = pattern(/^[A-Z][A-Z0-9_]{0,63}$/, 'a code')
const serverName = pattern(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'a server name')
const token: Shape<string> = (value, path) =>
  typeof value === 'string' && value.length <= MAX_TOKEN_BYTES && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(value)
    ? value
    : refuse(path, 'expected a signed token')
const signed: Shape<SignedJson> = (value, path) => {
  decodeSigned(value)
  return typeof value === 'object' ? (value as unknown as SignedJson) : refuse(path, 'expected signed bytes')
}
const failure = object({ code, message: said(2_000) }, { fix: said(2_000) })

/** One message: its number, who sends it, its header, and how long a body may be. */
interface Row<H> {
  readonly number: number
  readonly from: 'agent' | 'gateway' | 'both'
  readonly header: Shape<H>
  readonly maxBodyBytes: number
}
const row = <H>(number: number, from: Row<H>['from'], header: Shape<H>, maxBodyBytes = 0): Row<H> => ({
  number,
  from,
  header,
  maxBodyBytes,
})

/**
 * Every message of the channel. Headers are closed: an unknown field is refused. 13 is reserved (LOG).
 * @see packages/core/spec/channel-messages.md §3
 */
export const MESSAGES = {
  HELLO: row(
    1,
    'both',
    object(
      {
        v: oneOf(1),
        log: object({ seq: integer(0, Number.MAX_SAFE_INTEGER), head: digest }),
        head: signed,
        revocations: digest,
        now: unixSeconds,
      },
      { epoch: bytesOf(16) }, // the gateway's
    ),
  ),
  ASK: row(2, 'agent', object({ rid: id }), MAX_TOKEN_BYTES),
  GRANT: row(3, 'gateway', object({ rid: id }, { error: failure }), MAX_TOKEN_BYTES),
  OPEN: row(4, 'agent', object({ sid: id, server: serverName })),
  OPENED: row(5, 'gateway', object({ sid: id }, { error: failure })),
  CLOSE: row(6, 'both', object({ sid: id }, { reason: said(200) })),
  CALL: row(
    7,
    'agent',
    object({ sid: id, salt: bytesOf(16), call: token }, { gth: digest, grant: token, held: bytesOf(16) }),
    MAX_CALL_BYTES,
  ),
  MESSAGE: row(8, 'both', object({ sid: id }), MAX_RPC_BYTES),
  RESULT: row(9, 'gateway', object({ sid: id, salt: bytesOf(16), receipt: token }), MAX_RPC_BYTES),
  REFUSED: row(
    10,
    'gateway',
    object(
      { code, message: said(2_000) },
      { sid: id, rid: id, fix: said(2_000), rule: said(200), trace: list(said(500), 100), receipt: token },
    ),
    MAX_CALL_BYTES,
  ),
  PING: row(11, 'both', object({ t: integer(0, Number.MAX_SAFE_INTEGER) })),
  PONG: row(12, 'both', object({ t: integer(0, Number.MAX_SAFE_INTEGER) })),
  HELD: row(
    14,
    'gateway',
    object({ sid: id, call: bytesOf(16), id: bytesOf(16), until: unixSeconds, approvers: list(atSignShape, 64, 1) }, { rule: said(200) }),
  ),
} as const

export type MessageType = keyof typeof MESSAGES
export type MessageHeader<T extends MessageType> = Infer<(typeof MESSAGES)[T]['header']>
/** A message as read. `body` is empty where the type has none, and a view into what was opened. */
export type ChannelMessage = {
  [T in MessageType]: { readonly type: T; readonly header: MessageHeader<T>; readonly body: Uint8Array }
}[MessageType]
export type ChannelEnd = 'agent' | 'gateway'

const byNumber = new Map((Object.keys(MESSAGES) as MessageType[]).map((type) => [MESSAGES[type].number as number, type]))

/**
 * Bytes of one message, for `Session.seal`. The header is checked first, so that nothing is sent which the other end would refuse.
 * @throws {VerifyError} what the header's shape finds; TOO_LARGE
 */
export function encodeMessage<T extends MessageType>(type: T, header: MessageHeader<T>, body: Uint8Array = NOTHING): Uint8Array {
  const { number, maxBodyBytes, header: shape } = MESSAGES[type] as Row<unknown>
  shape(header as unknown as JsonValue, type)
  const json = utf8(JSON.stringify(header))
  checkSizes(type, json.length, body.length, maxBodyBytes)
  const prefix = new Uint8Array(PREFIX_BYTES)
  prefix[0] = number
  new DataView(prefix.buffer).setUint32(1, json.length)
  return concatBytes(prefix, json, body)
}

/**
 * Reads one message that the other end (`from`) sent. The body is NOT looked into, and tokens in the header are NOT verified.
 * @throws {VerifyError} MALFORMED, UNKNOWN_FIELD, TOO_LARGE, TOO_DEEP, DUPLICATE_NAME
 * @see packages/core/spec/channel-messages.md §2
 */
export function decodeMessage(bytes: Uint8Array, from: ChannelEnd): ChannelMessage {
  if (bytes.length < PREFIX_BYTES) throw new VerifyError('MALFORMED', 'a message has at least 5 bytes')
  const type = byNumber.get(bytes[0]!)
  if (!type) throw new VerifyError('MALFORMED', `no message has type ${bytes[0]}`)
  const row = MESSAGES[type] as Row<unknown>
  if (row.from !== 'both' && row.from !== from) throw new VerifyError('MALFORMED', `a ${from} does not send ${type}`)
  const bodyStart = PREFIX_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint32(1)
  if (bodyStart > bytes.length) throw new VerifyError('MALFORMED', `${type}: the header is longer than the message`)
  checkSizes(type, bodyStart - PREFIX_BYTES, bytes.length - bodyStart, row.maxBodyBytes)
  const limits = { maxBytes: MAX_HEADER_BYTES, maxDepth: MAX_HEADER_DEPTH }
  const header = row.header(parseStrictJson(bytes.subarray(PREFIX_BYTES, bodyStart), limits), type)
  return { type, header, body: bytes.subarray(bodyStart) } as ChannelMessage
}

function checkSizes(type: string, headerBytes: number, bodyBytes: number, maxBodyBytes: number): void {
  if (headerBytes > MAX_HEADER_BYTES) throw new VerifyError('TOO_LARGE', `${type}: a header of ${headerBytes} bytes`)
  if (bodyBytes > maxBodyBytes) throw new VerifyError('TOO_LARGE', `${type}: a body of ${bodyBytes} bytes, at most ${maxBodyBytes}`)
}
