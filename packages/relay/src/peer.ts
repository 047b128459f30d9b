import type { Socket } from 'node:net'
import type { RelayRefusal } from '@postern/core/frame'
import { encodeFrame, RELAY_REFUSALS } from '@postern/core/frame'
import WebSocket from 'ws'

/** What a peer must sign; kept until it has. */
export interface Challenge {
  readonly host: string
  readonly nonce: Uint8Array
  /** Monotonic milliseconds. */
  readonly expires: number
}

/** All connections of one organisation: nothing is ever looked up across two of them. */
export interface Org {
  /** Raw 32 bytes as latin1: the cheapest map key for bytes. */
  readonly id: string
  /** Raw key id as latin1 → its connections, oldest first. */
  readonly peers: Map<string, Peer[]>
}

const POLICY_VIOLATION = 1008
/** Ends the connection even if the last bytes cannot be sent. */
const CLOSE_WITHIN_MS = 2000

/**
 * One connection. A WebSocket of `ws` with what the relay knows about it; idle ones are many, so fields that few need are undefined
 * until then, and listeners are shared functions that use `this`.
 */
export class Peer extends WebSocket {
  /** Until the challenge is answered. */
  challenge: Challenge | undefined
  isAsking = false
  /** Set together when it is admitted. `kid` and `conn` stand in frames, `kidText` is base64url. */
  org: Org | undefined
  kid: Uint8Array | undefined
  conn: Uint8Array | undefined
  /** When the control plane last said that it is enrolled. Monotonic milliseconds. */
  admittedAt = 0

  /** Something came since the last look. */
  wasHeard = true
  isProbed = false

  /** Peers it exchanged frames with, to be told when it goes; the latest is also kept apart, since most frames are for it. */
  partners: Set<Peer> | undefined
  latestPartner: Peer | undefined

  /** Since when more waits for it than may. 0: no. Monotonic milliseconds. */
  overSince = 0
  /** Senders that are paused because of it. */
  stalled: Set<Peer> | undefined
  /** How many destinations it is paused for. */
  pausedFor = 0

  get wire(): Socket {
    return (this as unknown as { _socket: Socket })._socket
  }

  /** Says why, then ends the connection. */
  refuse(code: RelayRefusal): void {
    if (this.readyState !== WebSocket.OPEN) return
    this.send(encodeFrame({ type: 'REFUSED', code: RELAY_REFUSALS[code] }))
    this.close(POLICY_VIOLATION, code)
    if (this.isPaused) this.resume() // or the other side's close is never read
    setTimeout(() => this.terminate(), CLOSE_WITHIN_MS).unref()
  }
}
