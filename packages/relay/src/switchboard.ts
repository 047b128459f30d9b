import type { GoneReason } from '@postern/core/frame'
import { encodeFrame, FRAMES, GONE_REASONS, SEND_HEADER_BYTES } from '@postern/core/frame'
import { gather } from '@postern/daemon'
import WebSocket from 'ws'
import type { Org, Peer } from './peer.ts'

/** Partners remembered per connection; the oldest is forgotten, and then learns of an absence only when it next writes. */
const MAX_PARTNERS = 1024
export const MAX_CONNECTIONS_PER_KEY = 64
const KID_END = 33
/** A small frame is a view into everything that was read with it; queued, it would keep all of that. */
const COPY_BELOW_BYTES = 16 << 10

const latin1 = (bytes: Uint8Array, from = 0, to = bytes.length) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1', from, to)

/**
 * Who is connected, and the way from one to another. Back-pressure: when more than `maxQueueBytes` wait for a destination, whoever
 * writes to it is not read from until all of it is sent. What is not read waits at its sender, so memory stays bounded here.
 */
export class Switchboard {
  readonly orgs = new Map<string, Org>()
  readonly #maxQueueBytes: number
  readonly #now: () => number
  /** Destinations over their limit. */
  readonly congested = new Set<Peer>()

  constructor(maxQueueBytes: number, now: () => number) {
    this.#maxQueueBytes = maxQueueBytes
    this.#now = now
  }

  /** False when the key has too many connections already. */
  join(peer: Peer, org: Uint8Array, kid: Uint8Array, conn: Uint8Array): boolean {
    const id = latin1(org)
    const known = this.orgs.get(id) ?? { id, peers: new Map<string, Peer[]>() }
    const connections = known.peers.get(latin1(kid)) ?? []
    if (connections.length >= MAX_CONNECTIONS_PER_KEY) return false
    this.orgs.set(id, known)
    known.peers.set(latin1(kid), connections)
    connections.push(peer)
    peer.org = known
    peer.kid = kid
    peer.conn = conn
    return true
  }

  /** Takes a connection out, tells those it spoke with, and lets those go on who waited for it. Twice is once. */
  leave(peer: Peer): void {
    this.#release(peer)
    for (const other of this.congested) if (other.stalled?.delete(peer)) peer.pausedFor -= 1
    const { org, kid, conn } = peer
    if (!org || !kid || !conn) return
    remove(org, latin1(kid), peer)
    if (org.peers.size === 0) this.orgs.delete(org.id)
    const gone = goneFrame(kid, conn, 'LEFT')
    for (const partner of peer.partners ?? []) {
      partner.partners?.delete(peer)
      if (partner.latestPartner === peer) partner.latestPartner = undefined
      this.write(partner, gone, partner)
    }
    peer.partners = undefined
    peer.latestPartner = undefined
    peer.org = undefined
  }

  /** Forwards a SEND, whose header is rewritten in place: the bytes behind it are not touched. */
  forward(from: Peer, frame: Buffer): void {
    const to = this.#find(from.org!, frame)
    if (!to)
      return this.write(from, goneFrame(frame.subarray(1, KID_END), frame.subarray(KID_END, SEND_HEADER_BYTES), 'NO_SUCH_PEER'), from)
    if (from.latestPartner !== to) meet(from, to)
    frame[0] = FRAMES.DELIVER.number
    frame.set(from.kid!, 1)
    frame.set(from.conn!, KID_END)
    this.write(to, frame, from)
  }

  /** Sends on behalf of `origin`, who is paused if this is more than `to` takes. */
  write(to: Peer, bytes: Uint8Array, origin: Peer): void {
    if (to.readyState !== WebSocket.OPEN) return
    const waiting = to.bufferedAmount
    gather(to.wire)
    to.send(waiting > 0 && bytes.length < COPY_BELOW_BYTES ? Uint8Array.from(bytes) : bytes)
    if (waiting + bytes.length > this.#maxQueueBytes && to.bufferedAmount > this.#maxQueueBytes) this.#stall(to, origin)
  }

  #find(org: Org, frame: Buffer): Peer | undefined {
    const connections = org.peers.get(frame.toString('latin1', 1, KID_END))
    if (!connections) return undefined
    if (isZero(frame, KID_END, SEND_HEADER_BYTES)) return connections.at(-1)
    for (const peer of connections) if (frame.compare(peer.conn!, 0, 8, KID_END, SEND_HEADER_BYTES) === 0) return peer
    return undefined
  }

  #stall(to: Peer, origin: Peer): void {
    if (to.overSince === 0) {
      to.overSince = this.#now()
      this.congested.add(to)
      to.wire.once('drain', () => this.#release(to))
    }
    to.stalled ??= new Set()
    if (to.stalled.has(origin)) return
    to.stalled.add(origin)
    origin.pausedFor += 1
    origin.pause()
  }

  #release(to: Peer): void {
    to.overSince = 0
    this.congested.delete(to)
    const stalled = to.stalled
    to.stalled = undefined
    for (const origin of stalled ?? []) {
      origin.pausedFor -= 1
      if (origin.pausedFor === 0) origin.resume()
    }
  }
}

const goneFrame = (kid: Uint8Array, conn: Uint8Array, reason: GoneReason) =>
  encodeFrame({ type: 'GONE', kid, conn, reason: GONE_REASONS[reason] })

function remove(org: Org, kid: string, peer: Peer): void {
  const connections = org.peers.get(kid)
  const at = connections?.indexOf(peer) ?? -1
  if (!connections || at < 0) return
  connections.splice(at, 1)
  if (connections.length === 0) org.peers.delete(kid)
}

function meet(from: Peer, to: Peer): void {
  from.latestPartner = to
  remember(from, to)
  remember(to, from)
}

function remember(peer: Peer, partner: Peer): void {
  peer.partners ??= new Set()
  const { partners } = peer
  partners.add(partner)
  if (partners.size <= MAX_PARTNERS) return
  const oldest = partners.values().next().value!
  partners.delete(oldest)
  oldest.partners?.delete(peer)
  if (oldest.latestPartner === peer) oldest.latestPartner = undefined
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i += 1) if (bytes[i] !== 0) return false
  return true
}
