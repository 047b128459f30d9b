import type { EndReason, MessageHeader, Packet, RelayAddress, RelayLink, Session } from '@postern/core'
import { channelPrologue, copiedAddress, createInitiator, endReasonOf, VerifyError } from '@postern/core'
import { unixSeconds } from '@postern/daemon'
import type { Agent } from '../agent/agent.ts'
import type { AgentAuthority, Place } from '../agent/authority.ts'
import { headOf } from '../agent/authority.ts'
import type { ConnectorDeps } from '../deps.ts'
import { InTrouble, trouble } from '../trouble.ts'
import type { AgentChannel } from './channel.ts'

export interface IntroductionParts {
  readonly agent: Agent
  readonly authority: AgentAuthority
  readonly deps: ConnectorDeps
  /** The handshake has proven who answers: from now on packets of that id are for the channel. */
  readonly establish: (link: RelayLink, place: Place, id: Uint8Array, from: RelayAddress, session: Session) => AgentChannel
}

const answerMs = 5_000
const ANY_CONNECTION = new Uint8Array(8)
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')

/** A step of a channel that is being made waits for one packet or message. */
interface Awaited<T> {
  resolve(value: T): void
  reject(error: Error): void
}
interface Knock {
  readonly id: string
  readonly place: Place
  /** @throws {VerifyError} when whoever answers does not hold the key */
  answer(from: RelayAddress, message2: Uint8Array): void
  reject(error: Error): void
}
type Greeting = Awaited<MessageHeader<'HELLO'>> & { readonly channel: AgentChannel; readonly promise: Promise<MessageHeader<'HELLO'>> }

/** How a channel begins: the handshake, then HELLO both ways and a look at both logs. One at a time. */
export class Introduction {
  readonly #parts: IntroductionParts
  #knock: Knock | undefined
  #greeting: Greeting | undefined

  constructor(parts: IntroductionParts) {
    this.#parts = parts
  }

  /** @throws {InTrouble} */
  async meet(link: RelayLink, place: Place): Promise<AgentChannel> {
    const greeting = await this.#shakeHands(link, place)
    try {
      await this.#greet(greeting)
    } catch (error) {
      greeting.channel.end('DONE')
      throw error
    }
    return greeting.channel
  }

  /** A packet for no channel that exists. */
  received(from: RelayAddress, { kind, channel: id, content }: Packet): void {
    const knock = this.#knock
    if (!knock || knock.id !== latin1(id) || latin1(from.kid) !== latin1(knock.place.address)) return
    if (kind === 'END') this.#refused(knock, endReasonOf(content))
    else if (kind === 'RESPONSE') this.#answered(knock, from, content)
  }

  heardHello(channel: AgentChannel, header: MessageHeader<'HELLO'>): void {
    if (this.#greeting?.channel === channel) this.#greeting.resolve(header)
  }

  /** @returns true when that channel was not finished: nobody else knows of it. */
  ended(channel: AgentChannel, reason: string): boolean {
    if (this.#greeting?.channel !== channel) return false
    this.#greeting.reject(new InTrouble(trouble('GATEWAY_UNREACHABLE', `${channel.gateway} ended the channel: ${reason}`)))
    return true
  }

  /** The relay knows no connection of that peer. */
  gone(who: RelayAddress): void {
    const { place, reject } = this.#knock ?? {}
    if (!place || latin1(who.kid) !== latin1(place.address) || latin1(who.conn) !== latin1(ANY_CONNECTION)) return
    reject?.(new InTrouble(trouble('GATEWAY_UNREACHABLE', `${place.gateway} is not connected to the relay`)))
  }

  relayDown(message: string): void {
    this.#knock?.reject(new InTrouble(trouble('RELAY_UNREACHABLE', message)))
  }

  async #shakeHands(link: RelayLink, place: Place): Promise<Greeting> {
    const { agent, deps } = this.#parts
    const id = deps.random(8)
    const initiator = createInitiator({
      staticSecret: agent.keys.channel.secret.expose(),
      ephemeralSecret: deps.random(32),
      prologue: channelPrologue(agent.org, agent.atsign, place.gateway),
      suite: deps.suite,
      remoteStatic: place.channelKey,
    })
    const { promise, resolve, reject } = this.#await<Greeting>(`${place.gateway} does not answer`)
    // At once, not when the promise is heard of: what follows in the same read is already for the channel.
    const answer = (from: RelayAddress, message2: Uint8Array) => {
      const channel = this.#parts.establish(link, place, id, copiedAddress(from), initiator.finish(message2))
      this.#greeting = { channel, ...this.#await<MessageHeader<'HELLO'>>(`${place.gateway} does not say hello`) }
      resolve(this.#greeting)
    }
    this.#knock = { id: latin1(id), place, answer, reject }
    link.send({ kid: place.address, conn: ANY_CONNECTION }, { kind: 'INIT', channel: id, content: initiator.message })
    try {
      return await promise
    } finally {
      this.#knock = undefined
    }
  }

  async #greet({ channel, promise }: Greeting): Promise<void> {
    const { authority, deps } = this.#parts
    try {
      channel.send('HELLO', { v: 1, ...headOf(authority), now: unixSeconds(deps.clock) })
      const said = await promise
      const obstacle = await authority.judge(said)
      if (obstacle) throw new InTrouble(obstacle)
      if (channel.hasEnded) throw new InTrouble(trouble('GATEWAY_UNREACHABLE', 'it ended the channel'))
      channel.epoch = said.epoch ?? ''
    } finally {
      this.#greeting = undefined
    }
  }

  #await<T>(orElse: string): Awaited<T> & { promise: Promise<T> } {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const timer = this.#parts.deps.after(answerMs, () => reject(new InTrouble(trouble('GATEWAY_UNREACHABLE', orElse))))
    const settled = () => timer[Symbol.dispose]()
    promise.then(settled, settled)
    return { promise, resolve, reject }
  }

  #answered(knock: Knock, from: RelayAddress, message2: Uint8Array): void {
    try {
      knock.answer(from, message2)
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      this.#reject(knock, 'is not who answers: the key is another one')
    }
  }

  #refused(knock: Knock, reason: EndReason | undefined): void {
    if (reason === 'NOT_ADMITTED') void this.#notAdmitted(knock)
    else this.#reject(knock, `refuses: ${reason ?? 'no reason given'}`)
  }

  #reject({ place, reject }: Knock, why: string): void {
    void this.#parts.authority.refresh() // its key may have been rotated
    reject(new InTrouble(trouble('GATEWAY_UNREACHABLE', `${place.gateway} ${why}`)))
  }

  async #notAdmitted({ place, reject }: Knock): Promise<void> {
    const why = await this.#parts.authority.whyNotAdmitted()
    reject(new InTrouble(why ?? trouble('GATEWAY_UNREACHABLE', `${place.gateway} refuses: NOT_ADMITTED`)))
  }
}
