import type { AtSign, ChannelMessage, EndReason, KeyId, MessageHeader, MessageType, RelayAddress, RelayLink, Session } from '@postern/core'
import { decodeMessage, encodeBase64url, encodeEnd, encodeMessage } from '@postern/core'

/** One established channel to one agent, whose `channel` key the handshake has proven. */
export interface Channel {
  readonly id: string
  readonly agent: AtSign
  /** Key id of the agent's `channel` key. */
  readonly key: KeyId
  /** Handshake hash, base64url: what calls on this channel are bound to. */
  readonly binding: string
  /** Monotonic milliseconds. */
  readonly openedMs: number
  readonly hasEnded: boolean
  /** @returns false when it could not be sent: the channel has then ended. */
  send<T extends MessageType>(type: T, header: MessageHeader<T>, body?: Uint8Array): boolean
  /** Says goodbye and forgets the keys. */
  end(reason: EndReason): void
}

export interface ChannelParts {
  readonly id: string
  readonly agent: AtSign
  readonly key: KeyId
  readonly link: RelayLink
  readonly address: RelayAddress
  readonly channelId: Uint8Array
  readonly session: Session
  readonly openedMs: number
  /** Called once, whoever ended it. */
  readonly onEnd: (channel: EstablishedChannel, reason: EndReason | 'GONE') => void
}

export class EstablishedChannel implements Channel {
  readonly id: string
  readonly agent: AtSign
  readonly key: KeyId
  readonly binding: string
  readonly openedMs: number
  readonly link: RelayLink
  readonly address: RelayAddress
  /** Monotonic milliseconds of the last thing that opened. */
  heardMs: number
  hasGreeted = false
  readonly #parts: ChannelParts
  #ended = false

  constructor(parts: ChannelParts) {
    this.#parts = parts
    this.id = parts.id
    this.agent = parts.agent
    this.key = parts.key
    this.link = parts.link
    this.address = parts.address
    this.openedMs = parts.openedMs
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
    return message && decodeMessage(message, 'agent')
  }

  send<T extends MessageType>(type: T, header: MessageHeader<T>, body?: Uint8Array): boolean {
    if (this.#ended) return false
    for (const content of this.#parts.session.seal(encodeMessage(type, header, body))) {
      if (!this.#send('DATA', content)) {
        this.end('BROKEN') // a missing fragment can never be made up for
        return false
      }
    }
    return true
  }

  end(reason: EndReason): void {
    if (this.#ended) return
    this.#send('END', encodeEnd(reason))
    this.forget(reason)
  }

  /** Without a word to the other side: it has gone, or has ended the channel itself. */
  forget(reason: EndReason | 'GONE'): void {
    if (this.#ended) return
    this.#ended = true
    this.#parts.session.end()
    this.#parts.onEnd(this, reason)
  }

  #send(kind: 'DATA' | 'END', content: Uint8Array): boolean {
    return this.#parts.link.send(this.address, { kind, channel: this.#parts.channelId, content })
  }
}
