import type { MessageHeader, Refusal } from '@postern/core'
import { encodeBase64url } from '@postern/core'
import type { ConnectorDeps } from '../deps.ts'
import type { AgentChannel, ChannelUser } from '../link/channel.ts'
import type { Line } from '../link/line.ts'
import { trouble } from '../trouble.ts'
import type { Greeting } from './greeting.ts'

export interface AttachmentParts {
  readonly server: string
  readonly line: Line
  readonly deps: ConnectorDeps
  /** To whom messages of the channel for this session go. */
  readonly user: ChannelUser
  readonly greeting: Greeting
  /** Messages may be sent now. */
  readonly onOpen: () => void
  /** The session cannot be opened; nothing more is tried by itself. */
  readonly onRefused: (found: Refusal) => void
  /** Whether anybody wants the session to be open. */
  readonly isWanted: () => boolean
}

/** How long a server may take to start and to be greeted. */
export const STARTING_MS = 30_000
/** The gateway fetches what it lacks, or begins a new epoch, or is about to stop: a moment's patience may help. */
export const MOMENT_MS = 400
export const MOMENTARY: ReadonlySet<string> = new Set(['LOG_BEHIND', 'STALE', 'CLOSING', 'CLOCK_WRONG'])
const maxMoments = 6

/**
 * How a session hangs on a channel: opened, greeted in the client's place when it was open before, moved to the next channel, opened again.
 *
 *   apart ── OPEN ──► opening ── OPENED ──► (greeting) ──► open        back to apart when the channel or the session ends
 */
export class Attachment {
  readonly #parts: AttachmentParts
  /** Its `sid`. The gateway keeps the server of a session whose channel was lost: the same id gets it back. */
  #id: string
  #channel: AgentChannel | undefined
  #state: 'apart' | 'opening' | 'greeting' | 'open' | 'closed' = 'apart'
  /** The server was certainly kept running for us: it need not be greeted again. */
  #isMoving = false
  #timer: Disposable | undefined
  #moments = 0

  constructor(parts: AttachmentParts) {
    this.#parts = parts
    this.#id = this.#newId()
  }

  get channel(): AgentChannel | undefined {
    return this.#channel
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  get isStarting(): boolean {
    return this.#state === 'opening' || this.#state === 'greeting'
  }

  /** A plain message to the server. Does nothing while the session is not open. */
  say(body: Uint8Array): void {
    if (this.isOpen) this.#say(body)
  }

  call(header: Omit<MessageHeader<'CALL'>, 'sid'>, body: Uint8Array): void {
    this.#channel?.send('CALL', { sid: this.#id, ...header }, body)
  }

  /** Somebody waits: open it, unless that is under way, or was refused a moment ago. */
  seek(): void {
    if (this.#state === 'apart' && !this.#timer) this.#open()
  }

  /** There is a channel, or a new one. @param isIdle Nothing is open, so that the session can move. */
  ready(isIdle: boolean): void {
    if (this.#channel?.isRetiring) {
      if (isIdle && this.isOpen) this.#move()
    } else if (this.#state === 'apart' && this.#parts.isWanted()) this.#open()
  }

  opened({ error }: MessageHeader<'OPENED'>): void {
    if (this.#state !== 'opening') return
    if (error) return this.refused({ code: error.code, why: error.message, fix: error.fix })
    const greeting = this.#isMoving ? undefined : this.#parts.greeting.first()
    if (!greeting) return this.#begin()
    this.#state = 'greeting'
    this.#wait(STARTING_MS, () => this.#giveUp(trouble('SERVER_FAILED', 'it does not answer')))
    this.#say(greeting)
  }

  /** The server has answered what was said in the client's place. */
  greeted(): void {
    if (this.#state !== 'greeting') return
    for (const body of this.#parts.greeting.rest()) this.#say(body)
    this.#begin()
  }

  /** The gateway does not open it, or does not let the greeting through. */
  refused(found: Refusal): void {
    if (!this.isStarting) return
    this.#moments += 1
    if (!MOMENTARY.has(found.code) || this.#moments > maxMoments) return this.#giveUp(found)
    this.part()
    this.#wait(MOMENT_MS, () => {
      this.#timer = undefined
      this.ready(false)
    })
  }

  /** The channel has ended, or is left. */
  part(): void {
    const channel = this.#channel
    this.#endWait()
    this.#isMoving = false
    this.#channel = undefined
    if (!this.isClosed) this.#state = 'apart'
    if (channel) this.#parts.line.leave(channel, this.#id)
  }

  /** The gateway has ended the session: what its id stood for is gone. */
  ended(): void {
    this.part()
    this.#id = this.#newId()
  }

  close(): void {
    this.#channel?.send('CLOSE', { sid: this.#id })
    this.part()
    this.#state = 'closed'
  }

  #open(): void {
    const { line, server, user } = this.#parts
    const { channel } = line
    if (!channel) {
      this.#isMoving = false
      return line.hurry()
    }
    this.#channel = channel
    channel.users.set(this.#id, user)
    this.#state = 'opening'
    this.#wait(STARTING_MS, () => this.#giveUp(trouble('SERVER_FAILED', 'it does not start')))
    channel.send('OPEN', { sid: this.#id, server })
  }

  /** To the channel that has replaced ours. */
  #move(): void {
    this.part()
    this.#isMoving = true
    this.#open()
  }

  #begin(): void {
    this.#endWait()
    this.#state = 'open'
    this.#isMoving = false
    this.#moments = 0
    this.#parts.onOpen()
  }

  #giveUp(found: Refusal): void {
    this.part()
    this.#moments = 0
    this.#parts.onRefused(found)
  }

  #say(body: Uint8Array): void {
    this.#channel?.send('MESSAGE', { sid: this.#id }, body)
  }

  #wait(ms: number, run: () => void): void {
    this.#endWait()
    this.#timer = this.#parts.deps.after(ms, run)
  }

  #endWait(): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
  }

  #newId(): string {
    return encodeBase64url(this.#parts.deps.random(16))
  }
}
