// An agent that does not keep to the rules. It holds an agent's real keys and speaks the real wire through the real relay, but no code of
// the connector stands between it and what it wants to send.
import { randomBytes } from 'node:crypto'
import type {
  AskDetail,
  AtSign,
  Call,
  ChannelMessage,
  EdgeKeys,
  Grant,
  JsonObject,
  MessageHeader,
  MessageType,
  Packet,
  RelayAddress,
  RelayLink,
  Session,
  Signed,
  State,
} from '@postern/core'
import {
  argsDigest,
  channelPrologue,
  createInitiator,
  decodeBase64url,
  decodeMessage,
  encodeBase64url,
  encodeMessage,
  encodeSigned,
  endReasonOf,
  keyIdOf,
  openRelayLink,
  revocationsDigest,
  signAsk,
  signCall,
  tokenHash,
  utf8,
} from '@postern/core'
import { native, openSocket } from '@postern/daemon'

/** Keys and name with which it appears. */
export interface Mask {
  readonly atsign: AtSign
  readonly keys: EdgeKeys<'agent'>
}

/** What it knows of the log: enough to find the gateway, and what it says about itself in HELLO. */
export interface Known {
  readonly state: State
  readonly head: Signed
}

export interface Approach {
  readonly relayUrl: string
  readonly mask: Mask
  readonly known: Known
  readonly gateway: AtSign
}

export interface HeldGrant {
  readonly token: string
  readonly hash: string
}

/** What stands in a grant, as whoever holds it can read it. Not verified. */
export const contentOf = ({ token }: HeldGrant): Grant => JSON.parse(Buffer.from(decodeBase64url(token.split('.')[1] ?? '')).toString())

/** What the gateway made of a call. */
export type Reply = { readonly code: string; readonly message: string } | { readonly code: 'OK'; readonly result: JsonObject }

/** How a call departs from an honest one. */
export interface Twist {
  /** Sent in place of the arguments that were signed. */
  readonly sent?: JsonObject
}

/** Refused before there was anything to ask: by the relay, or by the gateway at the handshake. */
export class TurnedAway extends Error {
  override name = 'TurnedAway'
  readonly code: string
  readonly by: 'relay' | 'gateway'
  constructor(code: string, by: TurnedAway['by'] = 'gateway') {
    super(`turned away by the ${by}: ${code}`)
    this.code = code
    this.by = by
  }
}

const ANSWER_MS = 20_000
const random = (n: number) => new Uint8Array(randomBytes(n))
const now = () => Math.floor(Date.now() / 1000)

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const { promise: never, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`waited ${ANSWER_MS / 1000} s for ${what}`)), ANSWER_MS)
  return Promise.race([promise, never]).finally(() => clearTimeout(timer))
}

type Waiting = {
  readonly matches: (message: ChannelMessage) => boolean
  resolve(message: ChannelMessage): void
  reject(error: Error): void
}

export class HostileAgent implements AsyncDisposable {
  readonly #approach: Approach
  readonly #channel = random(8)
  readonly #response = Promise.withResolvers<Uint8Array>()
  readonly #inbox: ChannelMessage[] = []
  readonly #early: Uint8Array[] = []
  readonly #waiting = new Set<Waiting>()
  #link!: RelayLink
  #session: Session | undefined
  #turnedAway: TurnedAway | undefined
  #count = 0
  #rpc = 0

  private constructor(approach: Approach) {
    this.#approach = approach
    this.#response.promise.catch(() => {})
  }

  /**
   * Dials the relay, shakes hands with the gateway and says HELLO.
   * @throws {TurnedAway} with the relay's or the gateway's reason
   */
  static async connect(approach: Approach): Promise<HostileAgent> {
    const agent = new HostileAgent(approach)
    try {
      await agent.#dial()
      await agent.#shakeHands()
      agent.#send('HELLO', agent.#hello())
      await agent.#next(({ type }) => type === 'HELLO')
      return agent
    } catch (error) {
      await agent[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Handshake hash: what calls on this channel are bound to. */
  get binding(): string {
    return encodeBase64url(this.#session!.handshakeHash)
  }

  /** Why the gateway ended the channel; undefined while it is open. */
  get ending(): string | undefined {
    return this.#turnedAway?.code
  }

  /** @returns a grant, or the code with which it was refused. */
  async ask(
    server: string,
    tool: string,
    more: Partial<AskDetail> = {},
  ): Promise<HeldGrant | { readonly code: string; readonly message: string }> {
    const { mask, known, gateway } = this.#approach
    const [iat, rid] = [now(), encodeBase64url(random(8))]
    const claims = { v: 1, org: known.state.org, iss: mask.atsign, kid: mask.keys.call.kid, aud: gateway, sub: mask.atsign } as const
    const details: AskDetail[] = [{ type: 'mcp_tool', server, tool, args: [], ...more }]
    const ask = signAsk(
      { ...claims, details, jti: encodeBase64url(random(16)), iat, exp: iat + 60 },
      mask.keys.call.secret.expose(),
      native,
    )
    this.#send('ASK', { rid }, utf8(ask))
    const { header, body } = await this.#nextOf('GRANT', (one) => one.rid === rid)
    if (header.error) return header.error
    const token = Buffer.from(body).toString()
    return { token, hash: tokenHash(token) }
  }

  /** A grant, or an error: for attacks that begin with an honest one. */
  async grantFor(server: string, tool: string): Promise<HeldGrant> {
    const grant = await this.ask(server, tool)
    if ('code' in grant) throw new Error(`no grant for ${server}.${tool}: ${grant.code}, ${grant.message}`)
    return grant
  }

  /** Opens a session on a server, as an MCP client of 2025 does. @throws {TurnedAway} */
  async open(server: string): Promise<string> {
    const sid = encodeBase64url(random(8))
    this.#send('OPEN', { sid, server })
    const { header } = await this.#nextOf('OPENED', (one) => one.sid === sid)
    if (header.error) throw new TurnedAway(header.error.code)
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'hostile', version: '1' } }
    await this.#request(sid, 'initialize', params)
    this.#send('MESSAGE', { sid }, rpc({ method: 'notifications/initialized' }))
    return sid
  }

  /** Signs and sends a call. A twist makes it wrong in one way. */
  async call(sid: string, grant: HeldGrant, server: string, tool: string, args: JsonObject, twist: Twist = {}): Promise<Reply> {
    return this.sendCall(this.signCall(sid, grant, server, tool, args, twist))
  }

  /** A call that is signed but not sent: it can be sent twice, or over another channel. */
  signCall(sid: string, grant: HeldGrant, server: string, tool: string, args: JsonObject, { sent }: Twist = {}): SignedCall {
    const { mask, known } = this.#approach
    const { call: signed } = mask.keys
    const salt = random(16)
    const id = ++this.#rpc
    const made: Call = {
      ...{ v: 1, org: known.state.org, iss: mask.atsign, kid: signed.kid, gth: grant.hash, tool, server },
      ...{
        a: argsDigest(salt, { name: tool, arguments: args }),
        n: ++this.#count,
        cb: this.binding,
        id: encodeBase64url(random(16)),
        iat: now(),
      },
    }
    const header = {
      sid,
      salt: encodeBase64url(salt),
      call: signCall(made, signed.secret.expose(), native),
      gth: grant.hash,
      grant: grant.token,
    }
    return { id, header, body: rpc({ id, method: 'tools/call', params: { name: tool, arguments: sent ?? args } }) }
  }

  async sendCall({ id, header, body }: SignedCall): Promise<Reply> {
    this.#send('CALL', header, body)
    const reply = await this.#next((message) => isReply(message, header.sid, id))
    if (reply.type === 'REFUSED') return { code: reply.header.code, message: reply.header.message }
    const { result, error } = JSON.parse(Buffer.from(reply.body).toString()) as { result?: JsonObject; error?: { message: string } }
    if (reply.type === 'RESULT' && result) return { code: 'OK', result }
    return { code: 'SERVER_ERROR', message: error?.message ?? 'no result' }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link?.close()
  }

  #send<T extends MessageType>(type: T, header: MessageHeader<T>, body?: Uint8Array): void {
    if (this.#turnedAway) throw this.#turnedAway
    for (const content of this.#session!.seal(encodeMessage(type, header, body))) this.#packet('DATA', content)
  }

  #packet(kind: Packet['kind'], content: Uint8Array): void {
    this.#link.send(this.#gatewayAddress(), { kind, channel: this.#channel, content })
  }

  async #request(sid: string, method: string, params: JsonObject): Promise<void> {
    const id = ++this.#rpc
    this.#send('MESSAGE', { sid }, rpc({ id, method, params }))
    await this.#next((message) => isReply(message, sid, id))
  }

  async #nextOf<T extends MessageType>(type: T, matches: (header: MessageHeader<T>) => boolean) {
    const message = await this.#next((one) => one.type === type && matches(one.header as MessageHeader<T>))
    return message as Extract<ChannelMessage, { type: T }> & { readonly header: MessageHeader<T> }
  }

  /** The next message that matches, also one that came before. */
  #next(matches: Waiting['matches']): Promise<ChannelMessage> {
    const at = this.#inbox.findIndex(matches)
    if (at >= 0) return Promise.resolve(this.#inbox.splice(at, 1)[0]!)
    if (this.#turnedAway) return Promise.reject(this.#turnedAway)
    const { promise, resolve, reject } = Promise.withResolvers<ChannelMessage>()
    const waiting = { matches, resolve, reject }
    this.#waiting.add(waiting)
    return within(promise, 'the gateway to answer').finally(() => this.#waiting.delete(waiting))
  }

  #hello(): MessageHeader<'HELLO'> {
    const { state, head } = this.#approach.known
    const log = { seq: state.seq, head: state.head }
    return { v: 1, log, head: encodeSigned(head), revocations: revocationsDigest([], native).digest, now: now() }
  }

  #keyOfGateway(use: 'auth' | 'channel') {
    const key = this.#approach.known.state.identities.get(this.#approach.gateway)?.keys.find((one) => one.use === use)
    if (!key) throw new Error(`${this.#approach.gateway} has no ${use} key in the log`)
    return key
  }

  #gatewayAddress(): RelayAddress {
    return { kid: decodeBase64url(keyIdOf(this.#keyOfGateway('auth'))), conn: new Uint8Array(8) }
  }

  async #dial(): Promise<void> {
    const { relayUrl, mask, known } = this.#approach
    const up = Promise.withResolvers<void>()
    const events = {
      onUp: () => up.resolve(),
      onPacket: (_from: RelayAddress, packet: Packet) => this.#received(packet),
      onGone: () => this.#end('GONE', 'relay'),
      onDown: ({ message }: { readonly message: string }) => {
        up.reject(new TurnedAway(/refuses: (\w+)/.exec(message)?.[1] ?? 'DOWN', 'relay'))
        this.#end('DOWN', 'relay')
      },
    }
    this.#link = openRelayLink(relayUrl, known.state.org, mask.keys.auth, events, { net: { openSocket } as never, suite: native })
    await within(up.promise, 'the relay to let it in')
  }

  async #shakeHands(): Promise<void> {
    const { mask, known, gateway } = this.#approach
    const initiator = createInitiator({
      staticSecret: mask.keys.channel.secret.expose(),
      ephemeralSecret: random(32),
      prologue: channelPrologue(known.state.org, mask.atsign, gateway),
      suite: native,
      remoteStatic: decodeBase64url(this.#keyOfGateway('channel').key),
    })
    this.#packet('INIT', initiator.message)
    this.#session = initiator.finish(await within(this.#response.promise, 'the gateway to shake hands'))
    for (const content of this.#early.splice(0)) this.#data(content)
  }

  #received({ kind, content }: Packet): void {
    if (kind === 'RESPONSE') this.#response.resolve(content.slice())
    else if (kind === 'END') this.#end(endReasonOf(content) ?? 'ENDED')
    else if (kind === 'DATA' && this.#session) this.#data(content)
    else if (kind === 'DATA') this.#early.push(content.slice())
  }

  #data(content: Uint8Array): void {
    const message = this.#open(content)
    if (!message) return
    const waiting = [...this.#waiting].find(({ matches }) => matches(message))
    if (waiting) waiting.resolve(message)
    else this.#inbox.push(message)
  }

  #open(content: Uint8Array): ChannelMessage | undefined {
    try {
      const opened = this.#session!.open(content)
      return opened && decodeMessage(opened, 'gateway')
    } catch {
      this.#end('UNREADABLE')
      return undefined
    }
  }

  #end(reason: string, by: TurnedAway['by'] = 'gateway'): void {
    this.#turnedAway ??= new TurnedAway(reason, by)
    this.#response.reject(this.#turnedAway)
    for (const { reject } of this.#waiting) reject(this.#turnedAway)
  }
}

export interface SignedCall {
  readonly id: number
  readonly header: MessageHeader<'CALL'>
  readonly body: Uint8Array
}

const rpc = (message: JsonObject): Uint8Array => utf8(JSON.stringify({ jsonrpc: '2.0', ...message }))

function isReply({ type, header, body }: ChannelMessage, sid: string, id: number): boolean {
  if (type !== 'MESSAGE' && type !== 'RESULT' && type !== 'REFUSED') return false
  if (header.sid !== sid) return false
  return body.length === 0 || JSON.parse(Buffer.from(body).toString()).id === id
}
