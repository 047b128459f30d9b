import type { ChannelMessage, Packet, Refusal, RelayAddress, RelayLink, Session } from '@postern/core'
import { endReasonOf, VerifyError } from '@postern/core'
import type { Backoff } from '@postern/daemon'
import { createBackoff, createJumpDetector } from '@postern/daemon'
import type { Agent } from '../agent/agent.ts'
import type { AgentAuthority, Place } from '../agent/authority.ts'
import type { ConnectorDeps } from '../deps.ts'
import type { Events } from '../events.ts'
import { InTrouble, trouble } from '../trouble.ts'
import type { ChannelEnding } from './channel.ts'
import { AgentChannel } from './channel.ts'
import { Introduction } from './introduction.ts'
import type { RelayBook } from './relays.ts'
import { Dialler } from './relays.ts'

export interface LineListener {
  /** A channel on which both have said HELLO; new sessions begin on it. */
  onReady(channel: AgentChannel): void
  onMessage(channel: AgentChannel, message: ChannelMessage): void
  onEnd(channel: AgentChannel): void
  /** No channel could be made. `isFinal`: only people can change that, so nobody need wait for the next attempt. */
  onTrouble(trouble: Refusal, isFinal: boolean): void
  /** Whether somebody waits for an answer on it. */
  isBusy(channel: AgentChannel): boolean
}

export interface LineParts {
  readonly server: string
  readonly agent: Agent
  readonly authority: AgentAuthority
  readonly relays: RelayBook
  readonly deps: ConnectorDeps
  readonly events: Events
}

const minuteMs = 60_000
const tickMs = 1_000
const probeIdleMs = 30_000
/** A silent channel is found dead before those who wait on it are told that nobody answers. */
const probeBusyMs = 2_000
const deadMs = 3_000
/** A gateway that stops, or has no room for us, is left alone at least this long. */
const restMs = 1_500
const renewAfterMs = 50 * minuteMs
const renewWithinMs = 8 * minuteMs
const lingerMs = 10 * minuteMs
const refreshMs = 5 * minuteMs
/** A request that waits may hurry the next attempt, but not more often than this. */
const hurryMs = 1_000
const FINAL = new Set(['NOT_ENROLLED', 'REVOKED', 'SERVER_UNKNOWN', 'LOG_FORKED'])

/** Keeps one channel to the gateway in front of one server: makes it, watches it, renews it, makes it again. */
export class Line {
  readonly #parts: LineParts
  readonly #listener: LineListener
  readonly #dialler: Dialler
  readonly #introduction: Introduction
  readonly #channels = new Map<string, AgentChannel>()
  readonly #backoff: Backoff
  readonly #jumps: ReturnType<typeof createJumpDetector>
  readonly #timers: Disposable[] = []
  #current: AgentChannel | undefined
  #wanted = Promise.withResolvers<void>()
  #pause: { resolve(): void; sinceMs: number } | undefined
  #trouble: Refusal | undefined
  #closed = false

  constructor(parts: LineParts, listener: LineListener) {
    this.#parts = parts
    this.#listener = listener
    const { deps, agent } = parts
    this.#backoff = createBackoff({ firstMs: 200, maxMs: 5_000, random: () => deps.random(1)[0]! / 256 })
    this.#jumps = createJumpDetector({ clock: deps.clock })
    this.#introduction = new Introduction({
      ...parts,
      establish: (link, place, id, from, session) => this.#establish(link, place, id, from, session),
    })
    this.#dialler = new Dialler(agent.org, agent.keys.auth, deps, {
      onPacket: (from, packet) => this.#received(from, packet),
      onGone: (who) => this.#gone(who),
      onDown: (reason, retryInMs) => {
        parts.events.relayDown(reason.code, reason.message, retryInMs)
        this.#introduction.relayDown(reason.message)
        for (const channel of [...this.#channels.values()]) channel.forget('GONE')
      },
    })
  }

  /** Where new sessions begin; undefined while there is none. */
  get channel(): AgentChannel | undefined {
    return this.#current
  }

  /** Why there is no channel; undefined while there is one, or before the first attempt is over. */
  get trouble(): Refusal | undefined {
    return this.#current ? undefined : this.#trouble
  }

  open(): void {
    const { deps, authority, relays, events } = this.#parts
    this.#timers.push(deps.every(tickMs, () => this.#tick()))
    const refresh = () => {
      void authority.refresh()
      relays.ask().catch((error) => events.relaysUnknown(error))
    }
    this.#timers.push(deps.every(refreshMs, refresh))
    if (relays.known.length > 0) refresh() // meanwhile what is known suffices to begin
    void this.#run()
  }

  /** Somebody waits: do not sit out a long pause. */
  hurry(): void {
    if (this.#pause && this.#now() - this.#pause.sinceMs > hurryMs) this.#pause.resolve()
  }

  /** A session has left a channel. */
  leave(channel: AgentChannel, sid: string): void {
    channel.users.delete(sid)
    if (channel.isRetiring && channel.users.size === 0) channel.end('RENEWED')
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const timer of this.#timers.splice(0)) timer[Symbol.dispose]()
    this.#wanted.resolve()
    this.#pause?.resolve()
    for (const channel of [...this.#channels.values()]) channel.end('DONE')
    await this.#dialler.close()
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        this.#adopt(await this.#connect())
        await this.#wanted.promise
      } catch (error) {
        if (this.#closed) return
        await this.#sitOut(error)
      }
    }
  }

  async #connect(): Promise<AgentChannel> {
    const place = await this.#find()
    const link = await this.#dial()
    return this.#introduction.meet(link, place)
  }

  async #find(): Promise<Place> {
    const { authority, server } = this.#parts
    let found = authority.locate(server)
    if ('code' in found) {
      await authority.refresh()
      found = authority.locate(server)
    }
    if ('code' in found) throw new InTrouble(found)
    return found
  }

  async #dial(): Promise<RelayLink> {
    const { relays, authority } = this.#parts
    try {
      return await this.#dialler.up(relays.known.length > 0 ? relays.known : await relays.ask())
    } catch (error) {
      if (relays.known.length > 0) relays.ask().catch(() => {}) // perhaps they have moved
      const { message } = error as Error
      const why = message.includes('NOT_ADMITTED') ? await authority.whyNotAdmitted() : undefined
      throw new InTrouble(why ?? trouble('RELAY_UNREACHABLE', message))
    }
  }

  #establish(link: RelayLink, { gateway }: Place, id: Uint8Array, address: RelayAddress, session: Session): AgentChannel {
    const openedMs = this.#now()
    const renewAtMs = openedMs + renewAfterMs + (this.#parts.deps.random(1)[0]! / 256) * renewWithinMs
    const onEnd = (ended: AgentChannel, reason: ChannelEnding) => this.#ended(latin1(id), ended, reason)
    const channel = new AgentChannel({ gateway, link, address, id, session, openedMs, renewAtMs, onEnd })
    this.#channels.set(latin1(id), channel)
    return channel
  }

  #adopt(channel: AgentChannel): void {
    if (this.#closed) return channel.end('DONE')
    if (channel.hasEnded) throw new InTrouble(trouble('GATEWAY_UNREACHABLE', 'it ended the channel'))
    const before = this.#current
    this.#backoff.reset()
    this.#trouble = undefined
    this.#wanted = Promise.withResolvers()
    this.#wanted.promise.catch(() => {}) // heard of below, or the line is closed
    this.#current = channel
    if (before) before.isRetiring = true
    this.#parts.events.channelOpened(channel.gateway)
    this.#listener.onReady(channel)
    if (before && before.users.size === 0) before.end('RENEWED')
  }

  async #sitOut(error: unknown): Promise<void> {
    const found = error instanceof InTrouble ? error.trouble : trouble('INTERNAL')
    if (!(error instanceof InTrouble)) this.#parts.events.failed(error, 'no channel could be made')
    const ms = Math.max(this.#backoff.next(), error instanceof InTrouble ? error.restMs : 0)
    if (found.code !== this.#trouble?.code || found.why !== this.#trouble.why) this.#parts.events.inTrouble(found, ms)
    this.#trouble = found
    if (!this.#current) this.#listener.onTrouble(found, FINAL.has(found.code))
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#pause = { resolve, sinceMs: this.#now() }
    using _ = this.#parts.deps.after(ms, resolve)
    await promise
    this.#pause = undefined
  }

  #received(from: RelayAddress, packet: Packet): void {
    const { kind, content } = packet
    const channel = this.#channels.get(latin1(packet.channel))
    if (!channel) return this.#introduction.received(from, packet)
    if (kind === 'DATA') this.#data(channel, content)
    else if (kind === 'END') channel.forget(endReasonOf(content) ?? 'DONE')
  }

  #data(channel: AgentChannel, fragment: Uint8Array): void {
    let message: ChannelMessage | undefined
    try {
      message = channel.open(fragment, this.#now())
      if (message) this.#checkOrder(channel, message)
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      return channel.end('BROKEN')
    }
    if (message) this.#handle(channel, message)
  }

  #checkOrder(channel: AgentChannel, { type }: ChannelMessage): void {
    if (type === 'PING' || type === 'PONG') return
    if (channel.hasGreeted === (type === 'HELLO')) throw new VerifyError('MALFORMED', 'HELLO is the first message, and comes once')
    channel.hasGreeted = true
  }

  #handle(channel: AgentChannel, message: ChannelMessage): void {
    if (message.type === 'PING') channel.send('PONG', message.header)
    else if (message.type === 'HELLO') this.#introduction.heardHello(channel, message.header)
    else if (message.type !== 'PONG') this.#listener.onMessage(channel, message)
  }

  #gone(who: RelayAddress): void {
    const isSame = (address: RelayAddress) => latin1(address.kid) === latin1(who.kid) && latin1(address.conn) === latin1(who.conn)
    for (const channel of [...this.#channels.values()]) if (isSame(channel.address)) channel.forget('GONE')
    this.#introduction.gone(who)
  }

  #ended(id: string, channel: AgentChannel, reason: ChannelEnding): void {
    this.#channels.delete(id)
    if (this.#introduction.ended(channel, reason)) return
    if (!this.#closed) this.#parts.events.channelEnded(channel.gateway, reason)
    if (reason === 'NOT_ADMITTED') void this.#parts.authority.refresh()
    if (channel === this.#current) {
      this.#current = undefined
      if (reason !== 'STOPPING' && reason !== 'TOO_MANY') this.#wanted.resolve()
      else this.#wanted.reject(new InTrouble(trouble('GATEWAY_UNREACHABLE', `${channel.gateway} ended the channel: ${reason}`), restMs))
    }
    this.#listener.onEnd(channel)
  }

  #tick(): void {
    if (this.#jumps.check() !== 0) for (const channel of [...this.#channels.values()]) channel.end('CLOCK_JUMPED')
    const now = this.#now()
    for (const channel of [...this.#channels.values()]) this.#watch(channel, now)
    const { renewAtMs = Number.POSITIVE_INFINITY } = this.#current ?? {}
    if (now > renewAtMs) this.#wanted.resolve()
  }

  #watch(channel: AgentChannel, now: number): void {
    const silentMs = now - channel.heardMs
    if (channel.isRetiring && now - channel.openedMs > renewAfterMs + renewWithinMs + lingerMs) return channel.end('RENEWED')
    if (channel.probedMs > channel.heardMs) {
      if (now - channel.probedMs > deadMs) channel.end('DONE')
    } else if (silentMs > (this.#listener.isBusy(channel) ? probeBusyMs : probeIdleMs)) {
      channel.probedMs = now
      channel.send('PING', { t: Math.floor(now) })
    }
  }

  #now(): number {
    return this.#parts.deps.clock.monotonic()
  }
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
