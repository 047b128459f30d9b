import { decodeBase64url } from '../bytes/base64url.ts'
import { parseUrl } from '../bytes/platform.ts'
import { challengeBytes } from '../frame/challenge.ts'
import type { Frame } from '../frame/frames.ts'
import { decodeFrame, encodeFrame, relayRefusalOf } from '../frame/frames.ts'
import type { Packet } from '../frame/packet.ts'
import { decodePacket, encodeSendPacket } from '../frame/packet.ts'
import { EdgeError } from './errors.ts'
import type { EdgeKey } from './keys.ts'
import type { EdgeSurroundings } from './surroundings.ts'

/** Where packets come from and go to at one relay: the key id of a peer's `auth` key, and one of its connections. */
export interface RelayAddress {
  readonly kid: Uint8Array
  /** Eight bytes; all zero = the newest connection of that key. */
  readonly conn: Uint8Array
}

export interface RelayEvents {
  /** Let in. Whatever was said over an earlier connection of this link is over. */
  onUp?(): void
  /** Parts of address and packet are views: copy what you keep. */
  onPacket(from: RelayAddress, packet: Packet): void
  /** Frames to that connection end nowhere any more. */
  onGone(who: RelayAddress): void
  /** The line broke, or could not be made; the next attempt comes by itself. */
  onDown(reason: { readonly code: string; readonly message: string }, retryInMs: number): void
}

/** One line to one relay, dialled out and kept up. What comes over it is ciphertext from strangers until a handshake says otherwise. */
export interface RelayLink {
  readonly url: string
  readonly isUp: boolean
  /** @returns false when it could not be sent; nothing is queued for later. */
  send(to: RelayAddress, packet: Packet): boolean
  /** Resolves when there is room for more; rejects when the line breaks first. */
  drained(): Promise<void>
  close(): Promise<void>
}

/** A large result is many frames at once. */
const MAX_BUFFERED_BYTES = 64 << 20

/**
 * Dials a relay and proves who we are: the challenge is answered only for the host that we dialled (frame.md §3).
 * @param org 43 base64url characters.
 */
export function openRelayLink(
  url: string,
  org: string,
  auth: EdgeKey,
  events: RelayEvents,
  deps: Pick<EdgeSurroundings, 'net' | 'suite'>,
): RelayLink {
  let isUp = false
  const handle = (frame: Frame): void => {
    if (frame.type === 'CHALLENGE') return socket.send(answerChallenge(url, org, auth, frame, deps))
    if (frame.type === 'REFUSED')
      throw new EdgeError('RELAY_REFUSED', `the relay refuses: ${relayRefusalOf(frame.code) ?? `code ${frame.code}`}`)
    if (frame.type === 'WELCOME') {
      isUp = true
      return events.onUp?.()
    }
    if (!isUp) throw new EdgeError('RELAY_MISBEHAVES', `the relay sent ${frame.type} before it let us in`)
    if (frame.type === 'DELIVER') deliver(frame, events)
    else if (frame.type === 'GONE') events.onGone(frame)
    else if (frame.type === 'PING') socket.send(encodeFrame({ type: 'PONG', token: frame.token }))
  }
  const socket = deps.net.openSocket(url, {
    maxBufferedBytes: MAX_BUFFERED_BYTES,
    isSealed: true,
    onOpen() {},
    onMessage: (bytes) => handle(decodeFrame(bytes, 'relay')),
    onDown(reason, retryInMs) {
      isUp = false
      events.onDown(reason, retryInMs)
    },
  })
  return {
    url,
    get isUp() {
      return isUp && socket.isOpen
    },
    send(to, packet) {
      if (!isUp) return false
      try {
        socket.send(encodeSendPacket(to.kid, to.conn, packet))
        return true
      } catch {
        return false
      }
    },
    drained: () => socket.drained(),
    close: () => socket.close(),
  }
}

type Challenge = { readonly host: string; readonly nonce: Uint8Array }

/** No relay can pass another's challenge on: the host in it is the one in our own URL. */
function answerChallenge(
  url: string,
  org: string,
  auth: EdgeKey,
  { host, nonce }: Challenge,
  { suite }: Pick<EdgeSurroundings, 'suite'>,
): Uint8Array {
  const dialled = parseUrl(url)?.host
  if (host !== dialled) throw new EdgeError('RELAY_MISBEHAVES', `the relay calls itself something else than ${dialled}`)
  const orgBytes = decodeBase64url(org)
  const signature = suite.signEd25519(auth.secret.expose(), challengeBytes(host, orgBytes, decodeBase64url(auth.kid), nonce))
  return encodeFrame({ type: 'AUTH', org: orgBytes, key: decodeBase64url(auth.public.key), signature })
}

/** A packet that cannot be read is its sender's fault, not the relay's: it is dropped and the line stays. */
function deliver(frame: RelayAddress & { readonly payload: Uint8Array }, events: RelayEvents): void {
  let packet: Packet
  try {
    packet = decodePacket(frame.payload)
  } catch {
    return
  }
  events.onPacket(frame, packet)
}

/** Fields of a frame are views into a buffer that carried ciphertext; what is kept is copied. */
export const copiedAddress = ({ kid, conn }: RelayAddress): RelayAddress => ({ kid: kid.slice(), conn: conn.slice() })
