import type { JsonObject, MessageHeader, Refusal, RequestId, RpcMessage, RpcNotification, RpcRequest, RpcResponse } from '@postern/core'
import {
  createError,
  createRefusedError,
  createRefusedResult,
  encodeBase64url,
  eraOf,
  parseMessage,
  RPC_CODES,
  utf8,
  VerifyError,
} from '@postern/core'
import type { ConnectorDeps } from '../deps.ts'
import type { Events } from '../events.ts'
import type { Grants, HeldGrant } from '../grants/grants.ts'
import type { AgentChannel, ChannelUser } from '../link/channel.ts'
import type { Line } from '../link/line.ts'
import { ChannelLost, InTrouble, trouble } from '../trouble.ts'
import type { Calls } from './calls.ts'
import type { ClientEnd, ClientSession } from './client-session.ts'
import { Greeting } from './greeting.ts'
import type { Pending } from './pending.ts'
import { keyOf } from './pending.ts'

export interface SessionParts {
  readonly server: string
  readonly line: Line
  readonly grants: Grants
  readonly calls: Calls
  readonly deps: ConnectorDeps
  readonly events: Events
  readonly client: ClientEnd
  /** How long a request waits for a channel. */
  readonly waitMs: number
  readonly onClosed: (session: McpSession) => void
}

/** Results may be larger than requests: as much as a channel carries. */
const serverLimits = { maxBytes: 8 << 20, maxDepth: 128 }
const maxPending = 1024
const maxQueued = maxPending + 64
const maxAttempts = 5
const openMs = 30_000
/** The gateway fetches what it lacks, which takes a moment. */
const behindMs = 300

type Queued = { readonly pending: Pending } | { readonly notification: Uint8Array }

/**
 * One MCP client connected to one server, through whichever channel there is. Messages pass raw; tool calls are signed on their way out,
 * and their results handed on only with a receipt that proves them. Every request is answered, if only with why not. When the channel is
 * lost, what is open is asked again on the next one: a tool call under its old id, which the gateway runs at most once.
 */
export class McpSession implements ChannelUser, ClientSession {
  readonly #parts: SessionParts
  #id: string
  readonly #pending = new Map<string, Pending>()
  /** Ids on the wire of requests that had to be sent again. */
  readonly #resent = new Map<string, Pending>()
  #queue: Queued[] = []
  #channel: AgentChannel | undefined
  #state: 'apart' | 'opening' | 'greeting' | 'open' | 'closed' = 'apart'
  #opening: Disposable | undefined
  #draining: (() => void) | undefined
  readonly #greeting: Greeting

  constructor(parts: SessionParts) {
    this.#parts = parts
    this.#id = this.#newId()
    this.#greeting = new Greeting(() => `greet:${this.#newId()}`)
  }

  get pendingCount(): number {
    return this.#pending.size
  }

  isBusyOn(channel: AgentChannel): boolean {
    return this.#channel === channel && (this.#pending.size > 0 || this.#state !== 'open')
  }

  receive(message: RpcMessage, body: Uint8Array): void {
    if (message.kind === 'request') this.#request(message, body)
    else if (message.kind === 'notification') this.#notification(message, body)
    else if (this.#state === 'open') this.#channel?.send('MESSAGE', { sid: this.#id }, body)
  }

  drained(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#draining = resolve
    })
  }

  close(reason?: string): void {
    if (this.#state === 'closed') return
    for (const pending of [...this.#pending.values()]) this.#fail(pending, trouble('CLOSING', reason))
    if (this.#channel && this.#state !== 'apart') this.#channel.send('CLOSE', { sid: this.#id })
    this.#part()
    this.#state = 'closed'
    this.#parts.onClosed(this)
  }

  // ── from the line ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  onReady(): void {
    if (this.#channel?.isRetiring) return this.#move()
    if (this.#state === 'apart' && (this.#queue.length > 0 || this.#greeting.isOver)) this.#open()
  }

  onTrouble(found: Refusal, isFinal: boolean): void {
    if (isFinal) this.#failQueued(found)
  }

  onChannelEnd(channel: AgentChannel): void {
    if (channel !== this.#channel) return
    this.#part()
    for (const pending of [...this.#pending.values()]) {
      pending.mayHaveRun ||= pending.sentOn === channel
      if (pending.sentOn === channel || pending.askedOn === channel) this.#again(pending)
    }
    this.onReady()
  }

  onOpened({ error }: MessageHeader<'OPENED'>): void {
    if (this.#state !== 'opening') return
    this.#endOpening()
    if (error) return this.#refuseAll({ code: error.code, why: error.message, fix: error.fix })
    const greeting = this.#greeting.first()
    if (!greeting) return this.#flush()
    this.#state = 'greeting'
    this.#send(greeting)
    this.#opening = this.#parts.deps.after(openMs, () => this.#refuseAll(trouble('SERVER_FAILED', 'it does not answer')))
  }

  /** The gateway has ended the session: its server has stopped. */
  onClose({ reason }: MessageHeader<'CLOSE'>): void {
    const channel = this.#channel
    this.#part()
    this.#id = this.#newId() // what it stood for is gone
    for (const pending of [...this.#pending.values()]) {
      if (pending.sentOn !== channel) continue
      pending.mayHaveRun = true
      if (pending.attempts < maxAttempts && (pending.call || reason === undefined)) this.#again(pending)
      else this.#fail(pending, trouble('SERVER_FAILED', reason))
    }
    if (this.#queue.length > 0) this.onReady()
  }

  onResult(header: MessageHeader<'RESULT'>, body: Uint8Array, channel: AgentChannel): void {
    const message = this.#read(body)
    const pending = message?.kind === 'response' ? this.#pendingOf(message.id) : undefined
    if (message?.kind !== 'response' || !pending?.call) return this.#parts.events.dropped('result', body.length)
    try {
      this.#parts.calls.verify(pending, header, message, channel)
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      this.#parts.events.receiptRefused(error.code)
      return this.#fail(pending, trouble('OUTCOME_UNKNOWN', 'the gateway answered without a receipt that proves it'))
    }
    this.#answer(pending, message, body)
  }

  onRefused(header: MessageHeader<'REFUSED'>, body: Uint8Array): void {
    if (header.code === 'SESSION_UNKNOWN') return this.onClose({ sid: header.sid ?? '' })
    const message = body.length > 0 ? this.#read(body) : undefined
    const pending = message?.kind === 'response' ? this.#pendingOf(message.id) : this.#onlySent()
    if (!pending) return this.#parts.events.dropped('refusal', body.length)
    if (pending.call && this.#mayTryAgain(pending, header.code)) return
    this.#parts.events.refused(header.code)
    if (message?.kind === 'response' && !pending.mayHaveRun) return this.#answer(pending, message, body)
    this.#fail(pending, { code: header.code, why: header.message, fix: header.fix, rule: header.rule })
  }

  onMessage(body: Uint8Array): void {
    const message = this.#read(body)
    if (!message) return
    if (message.kind !== 'response') return this.#parts.client.deliver(message, body)
    if (this.#greeting.takes(message)) return this.#greeted()
    const pending = this.#pendingOf(message.id)
    if (!pending || pending.call) return this.#parts.events.dropped('response', body.length)
    this.#answer(pending, message, body)
  }

  // ── from the client ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #request(request: RpcRequest, body: Uint8Array): void {
    const key = keyOf(request.id)
    if (this.#pending.has(key)) return this.#reply(request, createError(request.id, RPC_CODES.invalidRequest, 'this id is in use'))
    if (this.#state === 'closed') return this.#reply(request, refusalOf(request, trouble('CLOSING')))
    if (this.#pending.size >= maxPending) return this.#reply(request, refusalOf(request, trouble('BUSY')))
    const call = this.#identify(request)
    if (call === 'refused') return
    const pending: Pending = { request, body, call, wireId: request.id, ...fresh() }
    this.#pending.set(key, pending)
    this.#dispatch(pending)
  }

  #identify(request: RpcRequest): Pending['call'] | 'refused' {
    if (request.method !== 'tools/call') return undefined
    try {
      return this.#parts.calls.identify(request)
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      this.#reply(request, createError(request.id, RPC_CODES.invalidParams, error.message))
      return 'refused'
    }
  }

  #notification(notification: RpcNotification, body: Uint8Array): void {
    if (notification.method === 'notifications/cancelled') return this.#cancel(notification, body)
    const isKept = this.#greeting.noteNotification(notification, body)
    if (this.#state === 'open') this.#send(body)
    else if (!isKept && this.#queue.length < maxQueued && this.#state !== 'closed') this.#queue.push({ notification: body })
  }

  /** Whoever cancels waits for no answer. */
  #cancel({ params, json }: RpcNotification, body: Uint8Array): void {
    const id = params.requestId
    const pending = typeof id === 'string' || typeof id === 'number' ? this.#pending.get(keyOf(id)) : undefined
    if (!pending) return
    const isOut = pending.sentOn !== undefined && pending.sentOn === this.#channel && this.#state === 'open'
    this.#forget(pending)
    if (!isOut) return
    const isRenamed = pending.wireId !== pending.request.id
    this.#channel?.send(
      'MESSAGE',
      { sid: this.#id },
      isRenamed ? encode({ ...json, params: { ...params, requestId: pending.wireId } }) : body,
    )
  }

  // ── on the way ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #dispatch(pending: Pending): void {
    if (this.#state === 'open') return this.#sendPending(pending)
    this.#queue.push({ pending })
    const { line, deps, waitMs } = this.#parts
    pending.timer ??= deps.after(waitMs, () => {
      this.#fail(pending, line.trouble ?? trouble('GATEWAY_UNREACHABLE'))
    })
    if (this.#state === 'apart') this.#open()
  }

  #open(): void {
    const { line, deps, server } = this.#parts
    const { channel } = line
    if (!channel) return line.hurry()
    this.#channel = channel
    channel.users.set(this.#id, this)
    this.#state = 'opening'
    this.#opening = deps.after(openMs, () => this.#refuseAll(trouble('SERVER_FAILED', 'it does not start')))
    channel.send('OPEN', { sid: this.#id, server })
  }

  #flush(): void {
    this.#endOpening()
    this.#state = 'open'
    for (const queued of this.#queue.splice(0)) {
      if ('notification' in queued) this.#send(queued.notification)
      else if (this.#pending.has(keyOf(queued.pending.request.id))) this.#sendPending(queued.pending)
    }
  }

  #greeted(): void {
    if (this.#state !== 'greeting') return
    for (const body of this.#greeting.rest()) this.#send(body)
    this.#flush()
  }

  /** To the channel that has replaced ours, as soon as nothing is open: the gateway keeps the server running meanwhile. */
  #move(): void {
    if (this.#pending.size > 0 || this.#state !== 'open') return
    this.#part()
    this.#open()
  }

  #part(): void {
    const channel = this.#channel
    this.#endOpening()
    this.#channel = undefined
    if (this.#state !== 'closed') this.#state = 'apart'
    if (channel) this.#parts.line.leave(channel, this.#id)
  }

  #sendPending(pending: Pending): void {
    pending.timer?.[Symbol.dispose]()
    pending.timer = undefined
    if (pending.call) return this.#sendCall(pending)
    this.#sent(pending)
    this.#send(pending.wireId === pending.request.id ? pending.body : encode({ ...pending.request.json, id: pending.wireId }))
  }

  #sendCall(pending: Pending): void {
    const channel = this.#channel!
    const { grants } = this.#parts
    const { name } = pending.call!.toolCall
    const held = grants.held(name, channel)
    if (held) return this.#sendSigned(pending, held, channel)
    pending.askedOn = channel
    const isStill = () => this.#pending.get(keyOf(pending.request.id)) === pending && pending.askedOn === channel
    grants.obtain(name, channel).then(
      (found) => isStill() && this.#sendSigned(pending, found, channel),
      (error) => isStill() && this.#withoutGrant(pending, error),
    )
  }

  #withoutGrant(pending: Pending, error: unknown): void {
    if (error instanceof ChannelLost) return this.#again(pending)
    if (error instanceof InTrouble && this.#mayTryAgain(pending, error.trouble.code)) return
    if (!(error instanceof InTrouble)) this.#parts.events.failed(error, 'a grant could not be asked for')
    this.#fail(pending, error instanceof InTrouble ? error.trouble : trouble('INTERNAL'))
  }

  #sendSigned(pending: Pending, held: HeldGrant, channel: AgentChannel): void {
    const { calls, events } = this.#parts
    try {
      const header = calls.sign(pending.call!, held, channel)
      this.#sent(pending)
      pending.held = held
      channel.send('CALL', { sid: this.#id, ...header }, pending.body)
      events.called()
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      this.#fail(pending, trouble(error.code === 'TOO_LARGE' ? 'FRAME_TOO_LARGE' : 'CALL_MALFORMED', error.message))
    }
  }

  #sent(pending: Pending): void {
    pending.askedOn = undefined
    pending.sentOn = this.#channel
    pending.wasSent = true
    pending.attempts += 1
  }

  #send(body: Uint8Array): void {
    this.#channel?.send('MESSAGE', { sid: this.#id }, body)
  }

  /** A tool call goes out under its own id again; anything else under a new one, since its first answer may still come. */
  #again(pending: Pending): void {
    pending.sentOn = undefined
    pending.askedOn = undefined
    if (pending.attempts >= maxAttempts) return this.#fail(pending, trouble('GATEWAY_UNREACHABLE'))
    if (!pending.call && pending.wasSent) {
      this.#resent.delete(keyOf(pending.wireId))
      pending.wireId = `again:${encodeBase64url(this.#parts.deps.random(12))}`
      this.#resent.set(keyOf(pending.wireId), pending)
    }
    this.#dispatch(pending)
  }

  /** Whether the gateway refused for something that a new grant or a moment's patience changes; then it is on its way again. */
  #mayTryAgain(pending: Pending, code: string): boolean {
    if (pending.attempts >= maxAttempts) return false
    if (code === 'GRANT_UNKNOWN') {
      if (pending.held) this.#channel?.grantsSent.delete(pending.held.hash)
    } else if (RENEWABLE.has(code)) {
      if (!pending.held || !this.#parts.grants.drop(pending.held)) return false
    } else if (code === 'LOG_BEHIND' || code === 'CLOSING') {
      pending.attempts += 1
      pending.sentOn = undefined
      this.#parts.deps.after(behindMs, () => this.#pending.get(keyOf(pending.request.id)) === pending && this.#again(pending))
      return true
    } else return false
    pending.sentOn = undefined
    this.#dispatch(pending)
    return true
  }

  // ── answers ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #answer(pending: Pending, message: RpcResponse, body: Uint8Array): void {
    this.#forget(pending)
    this.#greeting.noteAnswer(pending.request, message)
    const { id } = pending.request
    if (pending.wireId === id) return this.#parts.client.deliver(message, body)
    const json = { ...message.json, id }
    this.#parts.client.deliver({ ...message, id, json }, encode(json))
  }

  #fail(pending: Pending, found: Refusal): void {
    this.#forget(pending)
    const isDoubtful = pending.call && pending.mayHaveRun && found.code !== 'OUTCOME_UNKNOWN'
    const told = isDoubtful ? trouble('OUTCOME_UNKNOWN', `its answer was lost, and asking again gave ${found.code}`) : found
    this.#parts.events.refused(told.code)
    this.#reply(pending.request, refusalOf(pending.request, told))
  }

  #reply({ id }: RpcRequest, json: JsonObject): void {
    const { result, error } = json as { result?: JsonObject; error?: JsonObject }
    const message = { kind: 'response', id, json, ...(result ? { result } : {}), ...(error ? { error } : {}) } as const
    this.#parts.client.deliver(message, encode(json))
  }

  #failQueued(found: Refusal): void {
    const queued = this.#queue.splice(0)
    for (const item of queued) if ('pending' in item && this.#isPending(item.pending)) this.#fail(item.pending, found)
  }

  /** The session could not be opened: whoever waits for it is told, and the next request tries again. */
  #refuseAll(found: Refusal): void {
    this.#part()
    this.#failQueued(found)
  }

  #forget(pending: Pending): void {
    pending.timer?.[Symbol.dispose]()
    this.#pending.delete(keyOf(pending.request.id))
    if (pending.wireId !== pending.request.id) this.#resent.delete(keyOf(pending.wireId))
    if (this.#pending.size > 0) return
    this.#draining?.()
    if (this.#channel?.isRetiring) queueMicrotask(() => this.onReady())
  }

  #newId = () => encodeBase64url(this.#parts.deps.random(16))

  #isPending = (pending: Pending) => this.#pending.get(keyOf(pending.request.id)) === pending

  #pendingOf(id: RequestId): Pending | undefined {
    const key = keyOf(id)
    const own = this.#pending.get(key)
    return own && own.wireId === id ? own : this.#resent.get(key)
  }

  /** For a refusal that does not say of what, when there is only one thing it can be about. */
  #onlySent(): Pending | undefined {
    const sent = [...this.#pending.values()].filter(({ sentOn }) => sentOn !== undefined)
    return sent.length === 1 ? sent[0] : undefined
  }

  #endOpening(): void {
    this.#opening?.[Symbol.dispose]()
    this.#opening = undefined
  }

  #read(body: Uint8Array): RpcMessage | undefined {
    try {
      return parseMessage(body, serverLimits)
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      this.#parts.events.dropped(error.code, body.length)
      return undefined
    }
  }
}

const RENEWABLE = new Set(['GRANT_EXPIRED', 'GRANT_EPOCH', 'GRANT_POLICY', 'GRANT_SIGNATURE', 'GRANT_MALFORMED', 'TOOL_CHANGED'])

const fresh = () => ({
  sentOn: undefined,
  askedOn: undefined,
  held: undefined,
  wasSent: false,
  mayHaveRun: false,
  attempts: 0,
  timer: undefined,
})

const encode = (json: JsonObject): Uint8Array => utf8(JSON.stringify(json))

/** In the client's own terms: a tool call gets a result that its model can read, anything else an error. */
export function refusalOf(request: RpcRequest, found: Refusal): JsonObject {
  return request.method === 'tools/call' ? createRefusedResult(request.id, found, eraOf(request)) : createRefusedError(request.id, found)
}
