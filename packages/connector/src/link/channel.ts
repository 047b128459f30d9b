import type { AtSign, ChannelMessage, EndReason, MessageHeader, MessageType, RelayAddress, RelayLink, Session } from '@postern/core'
import { decodeMessage, encodeBase64url, encodeEnd, encodeMessage } from '@postern/core'

/** Why a channel is over; `GONE`: the relay says that the gateway is, or the line to the relay broke. */
export type ChannelEnding = EndReason | 'GONE'

/** A session, as far as messages for it are concerned. */
export interface ChannelUser {
  onOpened(header: MessageHeader<'OPENED'>): void
  onClose(header: MessageHeader<'CLOSE'>): void
  onResult(header: MessageHeader<'RESULT'>, body: Uint8Array, channel: AgentChannel): void
  onRefused(header: MessageHeader<'REFUSED'>, body: Uint8Array): void
  onMessage(body: Uint8Array): void
  onHeld(header: MessageHeader<'HELD'>): void
}

export interface ChannelParts {
  readonly gateway: AtSign
  readonly link: RelayLink
  /** The connection of the gateway that answered the handshake. */
  readonly address: RelayAddress
  readonly id: Uint8Array
  readonly session: Session
  /** Monotonic milliseconds. */
  readonly openedMs: number
  /** When another one is to be made in its place. Monotonic milliseconds. */
  readonly renewAtMs: number
  /** Called once, whoever ended it. */
  readonly onEnd: (channel: AgentChannel, reason: ChannelEnding) => void
}

/** One channel to one gateway, whose `channel` key the handshake has proven. Nothing is asked on it before both have said HELLO. */
export class AgentChannel {
  readonly gateway: AtSign
  readonly link: RelayLink
  readonly address: RelayAddress
  readonly openedMs: number
  readonly renewAtMs: number
  /** Handshake hash, base64url: what calls on this channel are bound to. */
  readonly binding: string
  /** Monotonic milliseconds of the last thing that opened. */
  heardMs: number
  /** When it was last probed. */
  probedMs = 0
  /** The gateway's run, from its HELLO: its grants count in no other. */
  epoch = ''
  /** Their HELLO has come. */
  hasGreeted = false
  /** Its hour is over; no new session begins on it. */
  isRetiring = false
  /** Token hashes of grants that were sent on this channel: from then on their hash suffices. */
  readonly grantsSent = new Set<string>()
  /** Sessions that are open on it, by their `sid`. */
  readonly users = new Map<string, ChannelUser>()
  readonly #parts: ChannelParts
  #ended = false

  constructor(parts: ChannelParts) {
    this.#parts = parts
    this.gateway = parts.gateway
    this.link = parts.link
    this.address = parts.address
    this.openedMs = parts.openedMs
    this.renewAtMs = parts.renewAtMs
    this.heardMs = parts.openedMs
    this.binding = encodeBase64url(parts.session.handshakeHash)
  }

  get hasEnded(): boolean {
    return this.#ended
  }

  /**
   * Opens a fragment; undefined while a message is incomplete.
   * @throws {VerifyError} for anything that is not the next authentic, well-formed message: the channel is then to be ended.
   */
  open(fragment: Uint8Array, nowMs: number): ChannelMessage | undefined {
    const message = this.#parts.session.open(fragment)
    this.heardMs = nowMs
    return message && decodeMessage(message, 'gateway')
  }

  /** @returns false when it could not be sent: the channel has then ended. @throws {VerifyError} TOO_LARGE; nothing was sent */
  send<T extends MessageType>(type: T, header: MessageHeader<T>, body?: Uint8Array): boolean {
    if (this.#ended) return false
    for (const content of this.#parts.session.seal(encodeMessage(type, header, body))) {
      if (this.#send('DATA', content)) continue
      this.end('BROKEN') // a missing fragment can never be made up for
      return false
    }
    return true
  }

  end(reason: EndReason): void {
    if (this.#ended) return
    this.#send('END', encodeEnd(reason))
    this.forget(reason)
  }

  /** Without a word to the other side: it has gone, or has ended the channel itself. */
  forget(reason: ChannelEnding): void {
    if (this.#ended) return
    this.#ended = true
    this.#parts.session.end()
    this.#parts.onEnd(this, reason)
  }

  #send(kind: 'DATA' | 'END', content: Uint8Array): boolean {
    return this.#parts.link.send(this.address, { kind, channel: this.#parts.id, content })
  }
}
