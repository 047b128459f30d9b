import { randomBytes } from 'node:crypto'
import type { RelayRefusal } from '@postern/core/frame'
import {
  challengeBytes,
  decodeFrame,
  encodeFrame,
  FRAMES,
  MAX_AUTH_FRAME_BYTES,
  MAX_FRAME_BYTES,
  SEND_HEADER_BYTES,
} from '@postern/core/frame'
import { verifyEd25519 } from '@postern/core/key'
import { native } from '@postern/daemon'
import type { RawData } from 'ws'
import WebSocket from 'ws'
import type { Admission } from './admission.ts'
import type { Events } from './events.ts'
import { Peer } from './peer.ts'
import { Switchboard } from './switchboard.ts'

export const AUTH_MS = 10_000
/** How long connected peers stay while the control plane cannot be asked. */
export const GRACE_MS = 5 * 60_000
/** A destination over its limit for longer is closed. */
export const SHED_MS = 10_000
const ASK_AGAIN_MS = 60_000
const SEND = FRAMES.SEND.number

export interface RelayOptions {
  readonly admission: Admission
  readonly events: Events
  readonly maxQueueBytes: number
  readonly idleSeconds: number
  /** Monotonic milliseconds. */
  readonly now: () => number
}

const text = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url')

/** Lets peers in, reads their frames, and looks after those that are silent, slow or no longer admitted. */
export class Relay {
  readonly board: Switchboard
  /** In the order they came, so that the first is the first to run out of time. */
  readonly waiting = new Set<Peer>()
  readonly peers = new Set<Peer>()
  readonly #options: RelayOptions
  /** One listener for all peers: `ws` says whose message it is by `this`. */
  readonly #onMessage: (this: WebSocket, data: RawData, isBinary: boolean) => void
  readonly #onClose: (this: WebSocket) => void
  #round: SetIterator<Peer> | undefined

  constructor(options: RelayOptions) {
    this.#options = options
    this.board = new Switchboard(options.maxQueueBytes, options.now)
    const relay = this
    this.#onMessage = function (data, isBinary) {
      if (this instanceof Peer) relay.#receive(this, data as Buffer, isBinary)
    }
    this.#onClose = function () {
      if (this instanceof Peer) relay.#drop(this)
    }
  }

  /** Takes a new connection. `host` is the name by which the peer dialled. */
  accept(peer: Peer, host: string): void {
    const nonce = randomBytes(32)
    peer.challenge = { host, nonce, expires: this.#options.now() + AUTH_MS }
    this.waiting.add(peer)
    peer.on('message', this.#onMessage).on('pong', onPong).on('close', this.#onClose).on('error', ignore)
    peer.send(encodeFrame({ type: 'CHALLENGE', nonce, host }))
  }

  /** Once a second: the only timer there is, however many peers. */
  tick(): void {
    const now = this.#options.now()
    for (const peer of this.waiting) {
      if (peer.challenge && peer.challenge.expires > now) break
      this.#refuse(peer, 'TOO_LATE')
    }
    for (const peer of this.board.congested) if (now - peer.overSince > SHED_MS) this.#shed(peer)
    this.#visitSome(now)
  }

  /** Says goodbye to everybody. */
  stop(): void {
    for (const peer of [...this.waiting, ...this.peers]) peer.refuse('STOPPING')
  }

  /** A share of the peers each second, so that each has its turn once per `idleSeconds`. */
  #visitSome(now: number): void {
    for (let left = Math.ceil(this.peers.size / this.#options.idleSeconds); left > 0; left -= 1) {
      this.#round ??= this.peers.values()
      const { value: peer } = this.#round.next()
      if (!peer) this.#round = undefined
      else this.#visit(peer, now)
    }
  }

  #visit(peer: Peer, now: number): void {
    if (now - peer.admittedAt >= ASK_AGAIN_MS && !peer.isAsking) void this.#askAgain(peer)
    if (peer.wasHeard || peer.pausedFor > 0) {
      peer.wasHeard = false
      peer.isProbed = false
    } else if (peer.isProbed) peer.terminate()
    else {
      peer.isProbed = true
      peer.ping()
    }
  }

  async #askAgain(peer: Peer): Promise<void> {
    const verdict = await this.#ask(peer, Buffer.from(peer.org!.id, 'latin1'), peer.kid!)
    if (verdict === 'admitted') peer.admittedAt = this.#options.now()
    else if (verdict === 'refused') this.#refuse(peer, 'NOT_ADMITTED')
    else if (this.#options.now() - peer.admittedAt > GRACE_MS) this.#refuse(peer, 'CANNOT_ASK')
  }

  async #ask(peer: Peer, org: Uint8Array, kid: Uint8Array) {
    peer.isAsking = true
    try {
      return await this.#options.admission.ask(text(org), text(kid))
    } finally {
      peer.isAsking = false
    }
  }

  #receive(peer: Peer, frame: Buffer, isBinary: boolean): void {
    peer.wasHeard = true
    if (peer.readyState !== WebSocket.OPEN) return // already refused; what was read together with that does not count
    if (!isBinary || frame.length > MAX_FRAME_BYTES) return this.#refuse(peer, 'BAD_FRAME')
    if (!peer.org) return this.#receiveAuth(peer, frame)
    if (frame[0] !== SEND || frame.length < SEND_HEADER_BYTES) return this.#receiveOther(peer, frame)
    this.#options.events.forwarded(frame.length)
    this.board.forward(peer, frame)
  }

  #drop(peer: Peer): void {
    this.waiting.delete(peer)
    this.board.leave(peer)
    if (this.peers.delete(peer)) this.#options.events.left()
  }

  #receiveOther(peer: Peer, bytes: Buffer): void {
    const frame = decodeOr(bytes)
    if (frame?.type === 'PING') this.board.write(peer, encodeFrame({ type: 'PONG', token: frame.token }), peer)
    else if (frame?.type !== 'PONG') this.#refuse(peer, 'BAD_FRAME')
  }

  #receiveAuth(peer: Peer, bytes: Buffer): void {
    const { challenge } = peer
    const frame = bytes.length <= MAX_AUTH_FRAME_BYTES ? decodeOr(bytes) : undefined
    if (frame?.type !== 'AUTH' || !challenge || peer.isAsking) return this.#refuse(peer, 'BAD_FRAME')
    const kid = native.sha256(frame.key)
    const signed = challengeBytes(challenge.host, frame.org, kid, challenge.nonce)
    if (!verifyEd25519(frame.key, signed, frame.signature, native)) return this.#refuse(peer, 'BAD_SIGNATURE')
    void this.#admit(peer, frame.org.slice(), kid)
  }

  async #admit(peer: Peer, org: Uint8Array, kid: Uint8Array): Promise<void> {
    const verdict = await this.#ask(peer, org, kid)
    if (peer.readyState !== WebSocket.OPEN || !this.waiting.delete(peer)) return
    peer.challenge = undefined
    if (verdict !== 'admitted') return this.#refuse(peer, verdict === 'refused' ? 'NOT_ADMITTED' : 'CANNOT_ASK')
    const conn = Uint8Array.from(randomBytes(8)) // a copy: a slice of Node's pool would keep the pool
    if (!this.board.join(peer, org, kid, conn)) return this.#refuse(peer, 'TOO_MANY')
    peer.admittedAt = this.#options.now()
    this.peers.add(peer)
    this.#options.events.joined()
    peer.send(encodeFrame({ type: 'WELCOME', conn }))
  }

  #shed(peer: Peer): void {
    this.#options.events.shed()
    peer.terminate() // it does not read, so it would not read why either
  }

  #refuse(peer: Peer, code: RelayRefusal): void {
    this.#drop(peer)
    this.#options.events.refused(code)
    peer.refuse(code)
  }
}

function onPong(this: WebSocket): void {
  if (this instanceof Peer) this.wasHeard = true
}

/** `ws` closes the connection by itself after an error; `close` follows. */
function ignore(): void {}

function decodeOr(bytes: Uint8Array) {
  try {
    return decodeFrame(bytes, 'peer')
  } catch {
    return undefined
  }
}
