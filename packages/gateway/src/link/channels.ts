import type {
  AtSign,
  ChannelMessage,
  EdgeKey,
  EndReason,
  KeyId,
  Packet,
  RelayAddress,
  RelayEvents,
  RelayLink,
  Session,
} from '@postern/core'
import { channelPrologue, copiedAddress, createResponder, encodeBase64url, encodeEnd, keyId, VerifyError } from '@postern/core'
import type { GatewayDeps } from '../deps.ts'
import type { Channel } from './channel.ts'
import { EstablishedChannel } from './channel.ts'

/** What the channels need to know of authority, asked anew each time. */
export interface Admission {
  /** The live, unrevoked agent that has this `auth` key, or undefined: whom a relay's address claims to be. */
  agentOfAuthKey(kid: KeyId): AtSign | undefined
  /** Whether this is the `channel` key of that agent, live and unrevoked. */
  isChannelKey(agent: AtSign, kid: KeyId): boolean
}

export interface ChannelEvents {
  /** A new channel, before any message on it. */
  onOpen(channel: Channel): void
  /** Messages in their order; the first one is a HELLO. */
  onMessage(channel: Channel, message: ChannelMessage): void
  onEnd(channel: Channel, reason: EndReason | 'GONE'): void
}

export interface ChannelsOptions {
  readonly org: string
  readonly self: AtSign
  readonly key: EdgeKey
  readonly maxPerAgent: number
  readonly admission: Admission
  readonly events: ChannelEvents
  readonly deps: GatewayDeps
}

const minuteMs = 60_000
/** After this a new handshake; calls that are open may finish for `lingerMs` more. */
const lifetimeMs = 60 * minuteMs
const lingerMs = 10 * minuteMs
const probeAfterMs = 30_000
const deadAfterMs = 90_000
/** Handshakes cost us four scalar multiplications, and whoever starts one has proven nothing yet. */
const handshakesPerMinute = 60
const maxChannels = 8_192

/** All channels of this gateway, over all its relays: makes them, bounds them, ends them. It decides nothing about calls. */
export class Channels {
  readonly #options: ChannelsOptions
  readonly #channels = new Map<string, EstablishedChannel>()
  readonly #handshakes = new Map<string, { since: number; count: number }>()

  constructor(options: ChannelsOptions) {
    this.#options = options
  }

  /** What a relay link hands its packets to. */
  eventsFor(link: () => RelayLink): RelayEvents {
    return {
      onPacket: (from, packet) => this.#received(link(), from, packet),
      onGone: (who) => this.#forgetWhere((channel) => channel.link === link() && isSame(channel.address, who)),
      onDown: () => this.#forgetWhere((channel) => channel.link === link()),
    }
  }

  get count(): number {
    return this.#channels.size
  }

  of(agent: AtSign): Channel[] {
    return [...this.#channels.values()].filter((channel) => channel.agent === agent)
  }

  /** Ends every channel whose agent is not admitted any more. Call after each change of authority. */
  endInadmissible(): void {
    const { admission } = this.#options
    for (const channel of [...this.#channels.values()]) {
      if (!admission.isChannelKey(channel.agent, channel.key)) channel.end('NOT_ADMITTED')
    }
  }

  endAll(reason: EndReason): void {
    for (const channel of [...this.#channels.values()]) channel.end(reason)
  }

  /** Probes silent channels, ends dead and old ones. Call every few seconds. @param isBusy Whether calls of the channel are running. */
  sweep(isBusy: (channel: Channel) => boolean): void {
    const now = this.#now()
    for (const channel of [...this.#channels.values()]) {
      const age = now - channel.openedMs
      const silent = now - channel.heardMs
      if (silent > deadAfterMs) channel.end('DONE')
      else if (age > lifetimeMs + lingerMs || (age > lifetimeMs && !isBusy(channel))) channel.end('RENEWED')
      else if (silent > probeAfterMs) channel.send('PING', { t: Math.floor(now) })
    }
    for (const [who, { since }] of this.#handshakes) if (now - since > minuteMs) this.#handshakes.delete(who)
  }

  #received(link: RelayLink, from: RelayAddress, packet: Packet): void {
    const id = idOf(link, from, packet.channel)
    if (packet.kind === 'INIT') return this.#handshake(link, from, packet, id)
    if (packet.kind === 'RESPONSE') return // we never begin a channel
    const channel = this.#channels.get(id)
    if (!channel) return packet.kind === 'END' ? undefined : refuse(link, from, packet.channel, 'UNKNOWN_CHANNEL')
    if (packet.kind === 'END') return channel.forget('DONE')
    this.#data(channel, packet.content)
  }

  #data(channel: EstablishedChannel, fragment: Uint8Array): void {
    try {
      const message = channel.open(fragment, this.#now())
      if (message) this.#message(channel, message)
    } catch (error) {
      const why = error instanceof VerifyError ? { code: error.code } : { err: error }
      this.#options.deps.log.warn({ agent: channel.agent, ...why }, 'channel ended: what came on it makes no sense')
      channel.end('BROKEN')
    }
  }

  #message(channel: EstablishedChannel, message: ChannelMessage): void {
    if (message.type === 'PING') return void channel.send('PONG', message.header)
    if (message.type === 'PONG') return
    if (channel.hasGreeted === (message.type === 'HELLO')) throw new VerifyError('MALFORMED', 'HELLO is the first message, and comes once')
    channel.hasGreeted = true
    this.#options.events.onMessage(channel, message)
  }

  #handshake(link: RelayLink, from: RelayAddress, packet: Packet, id: string): void {
    const { admission, deps } = this.#options
    const agent = admission.agentOfAuthKey(encodeBase64url(from.kid) as KeyId)
    if (!agent) return refuse(link, from, packet.channel, 'NOT_ADMITTED')
    if (this.#channels.has(id) || !this.#mayHandshake(agent)) return refuse(link, from, packet.channel, 'TOO_MANY')
    try {
      const { key, session, message } = this.#respond(agent, packet.content)
      this.#open(link, { id, agent, key, session, address: copiedAddress(from), channelId: packet.channel.slice() }, message)
    } catch (error) {
      const code = error instanceof VerifyError ? error.code : 'INTERNAL'
      deps.log.warn({ agent, code }, 'handshake refused')
      refuse(link, from, packet.channel, code === 'WRONG_KEY_USE' ? 'NOT_ADMITTED' : 'HANDSHAKE_FAILED')
    }
  }

  /** The prologue binds both names, and the key must be the one enrolled for the name: the relay's word about who this is counts for nothing. */
  #respond(agent: AtSign, message1: Uint8Array): { key: KeyId; session: Session; message: Uint8Array } {
    const { org, self, key: own, admission, deps } = this.#options
    const responder = createResponder({
      staticSecret: own.secret.expose(),
      ephemeralSecret: deps.random(32),
      prologue: channelPrologue(org, agent, self),
      suite: deps.suite,
    })
    const key = keyId(responder.read(message1))
    if (!admission.isChannelKey(agent, key)) throw new VerifyError('WRONG_KEY_USE', `not the channel key of ${agent}`)
    return { key, ...responder.respond() }
  }

  #open(
    link: RelayLink,
    made: { id: string; agent: AtSign; key: KeyId; session: Session; address: RelayAddress; channelId: Uint8Array },
    response: Uint8Array,
  ): void {
    this.#makeRoom(made.agent)
    const onEnd = (ended: EstablishedChannel, reason: EndReason | 'GONE') => {
      this.#channels.delete(ended.id)
      this.#options.events.onEnd(ended, reason)
    }
    const channel = new EstablishedChannel({ ...made, link, openedMs: this.#now(), onEnd })
    this.#channels.set(made.id, channel)
    link.send(made.address, { kind: 'RESPONSE', channel: made.channelId, content: response })
    this.#options.events.onOpen(channel)
  }

  /** The newest counts: a connector that lost its line comes again before we notice. */
  #makeRoom(agent: AtSign): void {
    const own = this.of(agent)
    if (own.length >= this.#options.maxPerAgent) own[0]?.end('TOO_MANY')
    if (this.#channels.size >= maxChannels) this.#channels.values().next().value?.end('TOO_MANY')
  }

  #mayHandshake(agent: AtSign): boolean {
    const now = this.#now()
    const recent = this.#handshakes.get(agent)
    if (!recent || now - recent.since > minuteMs) {
      this.#handshakes.set(agent, { since: now, count: 1 })
      return true
    }
    recent.count += 1
    return recent.count <= handshakesPerMinute
  }

  #forgetWhere(matches: (channel: EstablishedChannel) => boolean): void {
    for (const channel of [...this.#channels.values()]) if (matches(channel)) channel.forget('GONE')
  }

  #now(): number {
    return this.#options.deps.clock.monotonic()
  }
}

function refuse(link: RelayLink, to: RelayAddress, channel: Uint8Array, reason: EndReason): void {
  link.send(copiedAddress(to), { kind: 'END', channel: channel.slice(), content: encodeEnd(reason) })
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
const idOf = (link: RelayLink, { kid, conn }: RelayAddress, channel: Uint8Array) =>
  `${link.url}\n${latin1(kid)}${latin1(conn)}${latin1(channel)}`
const isSame = (a: RelayAddress, b: RelayAddress) => latin1(a.kid) === latin1(b.kid) && latin1(a.conn) === latin1(b.conn)
