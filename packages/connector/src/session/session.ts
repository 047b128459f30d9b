import type { JsonObject, MessageHeader, Refusal, RpcMessage, RpcNotification, RpcRequest, RpcResponse } from '@postern/core'
import { createError, encodeBase64url, metaOf, RPC_CODES, utcText, VerifyError } from '@postern/core'
import type { ConnectorDeps } from '../deps.ts'
import type { Events } from '../events.ts'
import type { Grants, HeldGrant } from '../grants/grants.ts'
import type { AgentChannel, ChannelUser } from '../link/channel.ts'
import type { Line } from '../link/line.ts'
import { ChannelLost, InTrouble, trouble } from '../trouble.ts'
import { encode, readServer, refusalOf, responseOf } from './answers.ts'
import { Attachment, MOMENT_MS, MOMENTARY, STARTING_MS } from './attachment.ts'
import type { Calls } from './calls.ts'
import type { ClientEnd, ClientSession } from './client-session.ts'
import { Greeting } from './greeting.ts'
import type { CallIdentity, Pending } from './pending.ts'
import { newPending, PendingRequests, sameAs, toldOf } from './pending.ts'

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
  /** How long a client that has not asked for progress waits for a person, before it is told to ask again. */
  readonly approvalWaitMs: number
  readonly onClosed: (session: McpSession) => void
}

const maxPending = 1024
const maxQueued = maxPending + 64
const maxAttempts = 5
/** Calls that wait for a person while their client does not, and answers that nobody has fetched yet. */
const maxParked = 64
const keptMs = 10 * 60_000
/** Tool calls are ended by the gateway; what the gateway has forgotten is ended here. */
const answerMs = 10 * 60_000
/** A new grant helps. */
const renewable = new Set(['GRANT_EXPIRED', 'GRANT_EPOCH', 'GRANT_POLICY', 'GRANT_SIGNATURE', 'GRANT_MALFORMED', 'TOOL_CHANGED'])

/** How a legacy client began its session. */
export interface Adopted {
  readonly initialize: RpcRequest
  readonly initialized: { readonly message: RpcNotification; readonly body: Uint8Array } | undefined
}

type Queued = { readonly pending: Pending } | { readonly notification: Uint8Array }

/**
 * One MCP client connected to one server, through whichever channel there is. Messages pass raw; tool calls are signed on their way out,
 * and their results handed on only with a receipt that proves them. Every request is answered, if only with why not. When the channel is
 * lost, what is open is asked again on the next one: a tool call under its old id, which the gateway runs at most once.
 */
export class McpSession implements ChannelUser, ClientSession {
  readonly #parts: SessionParts
  readonly #pending = new PendingRequests()
  readonly #greeting: Greeting
  readonly #attachment: Attachment
  /** Answers to calls whose client was told to ask again, by what was called. */
  readonly #kept = new Map<CallIdentity, { readonly json: (asker: RpcRequest) => JsonObject; readonly timer: Disposable }>()
  #queue: Queued[] = []
  #draining: (() => void) | undefined

  constructor(parts: SessionParts) {
    this.#parts = parts
    const { deps } = parts
    this.#greeting = new Greeting(() => `greet:${newId(deps)}`)
    this.#attachment = new Attachment({
      ...{ ...parts, user: this, greeting: this.#greeting },
      onOpen: () => this.#flush(),
      onRefused: (found) => this.#failQueued(found),
      isWanted: () => this.#queue.length > 0 || this.#greeting.isOver,
    })
  }

  get pendingCount(): number {
    return this.#pending.size
  }

  isBusyOn(channel: AgentChannel): boolean {
    return this.#attachment.channel === channel && (this.#pending.size > 0 || !this.#attachment.isOpen)
  }

  receive(message: RpcMessage, body: Uint8Array): void {
    if (message.kind === 'request') this.#request(message, body)
    else if (message.kind === 'notification') this.#notification(message, body)
    else this.#attachment.say(body)
  }

  drained(): Promise<void> {
    if (this.#pending.waiting === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#draining = resolve
    })
  }

  /** The client was greeted elsewhere: its server hears the greeting in its place, when it is reached. */
  adopt({ initialize, initialized }: Adopted): void {
    this.#greeting.noteAnswer(initialize, responseOf(initialize, { result: {} }))
    if (initialized) this.#greeting.noteNotification(initialized.message, initialized.body)
    this.onReady()
  }

  close(): void {
    if (this.#attachment.isClosed) return
    for (const pending of this.#pending.all()) this.#fail(pending, trouble('CLOSING'))
    for (const { timer } of this.#kept.values()) timer[Symbol.dispose]()
    this.#attachment.close()
    this.#parts.onClosed(this)
  }

  // From the line.

  onReady(): void {
    this.#attachment.ready(this.#pending.size === 0)
  }

  onTrouble(found: Refusal, isFinal: boolean): void {
    if (isFinal) this.#failQueued(found)
  }

  onChannelEnd(channel: AgentChannel): void {
    if (channel !== this.#attachment.channel) return
    this.#attachment.part()
    for (const pending of this.#pending.all()) {
      pending.mayHaveRun ||= pending.sentOn === channel
      if (pending.sentOn === channel || pending.askedOn === channel) this.#again(pending)
    }
    this.onReady()
  }

  onOpened(header: MessageHeader<'OPENED'>): void {
    this.#attachment.opened(header)
  }

  /** The gateway has ended the session: its server has stopped. */
  onClose({ reason }: MessageHeader<'CLOSE'>): void {
    const { channel } = this.#attachment
    this.#attachment.ended()
    for (const pending of this.#pending.all()) {
      if (pending.sentOn !== channel) continue
      pending.mayHaveRun = true
      if (pending.call || reason === undefined) this.#again(pending)
      else this.#fail(pending, trouble('SERVER_FAILED', reason))
    }
  }

  onResult(header: MessageHeader<'RESULT'>, body: Uint8Array, channel: AgentChannel): void {
    const { calls, events } = this.#parts
    const message = readServer(body)
    const pending = message.kind === 'response' ? this.#pending.onWire(message.id) : undefined
    if (message.kind !== 'response' || !pending?.call) return events.dropped('result', body.length)
    try {
      calls.verify(pending, header, message, channel)
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      events.receiptRefused(error.code)
      return this.#fail(pending, trouble('OUTCOME_UNKNOWN', 'the gateway answered without a receipt that proves it'))
    }
    this.#answer(pending, message, body)
  }

  /** A person is asked. A client that hears of it meanwhile waits to the end; any other is told in time where to look. */
  onHeld({ call, id, until, approvers }: MessageHeader<'HELD'>): void {
    const pending = this.#pending.ofCall(call)
    if (!pending) return this.#parts.events.dropped('held', 0)
    pending.heldAt = { id, until, approvers }
    if (this.#pending.waiting === 0) this.#draining?.()
    this.#limitPatience(pending)
  }

  onRefused(header: MessageHeader<'REFUSED'>, body: Uint8Array): void {
    if (header.code === 'SESSION_UNKNOWN') return this.onClose({ sid: header.sid ?? '' })
    const message = body.length > 0 ? readServer(body) : undefined
    const found = { code: header.code, why: header.message, fix: header.fix, rule: header.rule }
    if (message?.kind === 'response' && this.#greeting.takes(message)) return this.#attachment.refused(found)
    const pending = message?.kind === 'response' ? this.#pending.onWire(message.id) : this.#pending.onlySent()
    if (!pending) return this.#parts.events.dropped('refusal', body.length)
    if (this.#mayTryAgain(pending, header.code)) return
    if (message?.kind !== 'response' || pending.mayHaveRun) return this.#fail(pending, found)
    this.#parts.events.refused(header.code)
    this.#answer(pending, message, body)
  }

  onMessage(body: Uint8Array): void {
    const { client, events } = this.#parts
    const message = readServer(body)
    if (message.kind === 'unreadable') return events.dropped(message.code, body.length)
    if (message.kind !== 'response') return client.deliver(message, body)
    if (this.#greeting.takes(message)) return this.#attachment.greeted()
    const pending = this.#pending.onWire(message.id)
    if (!pending || pending.call) return events.dropped('response', body.length)
    this.#answer(pending, message, body)
  }

  // From the client.

  #request(request: RpcRequest, body: Uint8Array): void {
    if (this.#pending.has(request.id)) return this.#reply(request, createError(request.id, RPC_CODES.invalidRequest, 'this id is in use'))
    if (this.#attachment.isClosed) return this.#reply(request, refusalOf(request, trouble('CLOSING')))
    if (this.#pending.size >= maxPending) return this.#reply(request, refusalOf(request, trouble('BUSY')))
    const pending = this.#take(request, body)
    if (!pending || (pending.call && this.#joins(pending.call, request))) return
    this.#pending.add(pending)
    this.#dispatch(pending)
  }

  #take(request: RpcRequest, body: Uint8Array): Pending | undefined {
    try {
      return newPending(request, body, request.method === 'tools/call' ? this.#parts.calls.identify(request) : undefined)
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      this.#reply(request, createError(request.id, RPC_CODES.invalidParams, error.message))
      return undefined
    }
  }

  /** The same call again, after its client was told to ask again: it is not made twice. */
  #joins(call: CallIdentity, request: RpcRequest): boolean {
    const same = sameAs(call.toolCall)
    for (const [known, { json, timer }] of this.#kept) {
      if (sameAs(known.toolCall) !== same) continue
      timer[Symbol.dispose]()
      this.#kept.delete(known)
      this.#reply(request, json(request))
      return true
    }
    const parked = this.#pending.parkedLike(call)
    if (!parked) return false
    this.#pending.unpark(parked, request)
    this.#limitPatience(parked)
    return true
  }

  #limitPatience(pending: Pending): void {
    const { asker } = pending
    if (!asker || metaOf(asker.params).progressToken !== undefined) return
    pending.timer?.[Symbol.dispose]()
    pending.timer = this.#parts.deps.after(this.#parts.approvalWaitMs, () => this.#park(pending))
  }

  #park(pending: Pending): void {
    const { asker, heldAt } = pending
    if (!asker || !heldAt || this.#pending.parked >= maxParked) return
    this.#pending.park(pending)
    const why = `${heldAt.approvers.slice(0, 5).join(' or ')} may approve it until ${utcText(heldAt.until)}`
    this.#parts.events.refused('APPROVAL_PENDING')
    this.#reply(asker, refusalOf(asker, { ...trouble('APPROVAL_PENDING', why), ref: heldAt.id }))
  }

  #notification(notification: RpcNotification, body: Uint8Array): void {
    if (notification.method === 'notifications/cancelled') return this.#cancel(notification, body)
    const isKept = this.#greeting.noteNotification(notification, body)
    if (this.#attachment.isOpen) this.#attachment.say(body)
    else if (!isKept && this.#queue.length < maxQueued && !this.#attachment.isClosed) this.#queue.push({ notification: body })
  }

  /** Whoever cancels waits for no answer. */
  #cancel({ params, json }: RpcNotification, body: Uint8Array): void {
    const pending = this.#pending.ofClient(params.requestId)
    if (!pending) return
    const { sentOn, wireId } = pending
    const isOut = sentOn !== undefined && sentOn === this.#attachment.channel
    this.#forget(pending)
    if (isOut) this.#attachment.say(wireId === params.requestId ? body : encode({ ...json, params: { ...params, requestId: wireId } }))
  }

  // On the way.

  #dispatch(pending: Pending): void {
    if (this.#attachment.isOpen) return this.#sendPending(pending)
    this.#queue.push({ pending })
    this.#limitWait(pending)
    this.#attachment.seek()
  }

  /** A server that is about to start gets longer than a gateway that does not answer. */
  #limitWait(pending: Pending, rounds = STARTING_MS / this.#parts.waitMs): void {
    const { line, deps, waitMs } = this.#parts
    pending.timer?.[Symbol.dispose]()
    pending.timer = deps.after(waitMs, () => {
      const { isStarting } = this.#attachment
      if (isStarting && rounds > 1) return this.#limitWait(pending, rounds - 1)
      this.#fail(pending, isStarting ? trouble('SERVER_FAILED', 'it does not start') : (line.trouble ?? trouble('GATEWAY_UNREACHABLE')))
    })
  }

  #flush(): void {
    for (const queued of this.#queue.splice(0)) {
      if ('notification' in queued) this.#attachment.say(queued.notification)
      else if (this.#pending.isOpen(queued.pending)) this.#dispatch(queued.pending)
    }
  }

  #sendPending(pending: Pending): void {
    pending.timer?.[Symbol.dispose]()
    pending.timer = undefined
    if (pending.call) return this.#sendCall(pending, pending.call.toolCall.name)
    if (pending.request.method !== 'subscriptions/listen')
      pending.timer = this.#parts.deps.after(answerMs, () => this.#fail(pending, trouble('SERVER_FAILED', 'no answer')))
    this.#noteSent(pending)
    this.#attachment.say(pending.wireId === pending.request.id ? pending.body : encode({ ...pending.request.json, id: pending.wireId }))
  }

  #sendCall(pending: Pending, tool: string): void {
    const channel = this.#attachment.channel!
    const { grants } = this.#parts
    const held = grants.held(tool, channel)
    if (held) return this.#sendSigned(pending, held, channel)
    pending.askedOn = channel
    const isStill = () => this.#pending.isOpen(pending) && pending.askedOn === channel
    grants.obtain(tool, channel).then(
      (found) => isStill() && this.#sendSigned(pending, found, channel),
      (error) => isStill() && this.#withoutGrant(pending, error),
    )
  }

  #sendSigned(pending: Pending, held: HeldGrant, channel: AgentChannel): void {
    const { calls, events } = this.#parts
    try {
      const header = { ...calls.sign(pending.call!, held, channel), ...(pending.heldAt ? { held: pending.heldAt.id } : {}) }
      pending.held = held
      this.#noteSent(pending)
      this.#attachment.call(header, pending.body)
      events.called()
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      this.#fail(pending, trouble(error.code === 'TOO_LARGE' ? 'FRAME_TOO_LARGE' : 'CALL_MALFORMED', error.message))
    }
  }

  #withoutGrant(pending: Pending, error: unknown): void {
    if (error instanceof ChannelLost) return this.#again(pending)
    if (!(error instanceof InTrouble)) this.#parts.events.failed(error, 'a grant could not be asked for')
    const found = error instanceof InTrouble ? error.trouble : trouble('INTERNAL')
    if (!this.#mayTryAgain(pending, found.code)) this.#fail(pending, found)
  }

  #noteSent(pending: Pending): void {
    pending.askedOn = undefined
    pending.sentOn = this.#attachment.channel
    pending.wasSent = true
    pending.attempts += 1
  }

  /** A tool call goes out under its own id again; anything else under a new one, since its first answer may still come. */
  #again(pending: Pending): void {
    pending.sentOn = undefined
    pending.askedOn = undefined
    if (pending.attempts >= maxAttempts) return this.#fail(pending, trouble('GATEWAY_UNREACHABLE'))
    if (!pending.call && pending.wasSent) this.#pending.rename(pending, `again:${newId(this.#parts.deps)}`)
    this.#dispatch(pending)
  }

  /** Whether the gateway refused for something that a new grant or a moment changes; then it is on its way again. */
  #mayTryAgain(pending: Pending, code: string): boolean {
    if (pending.attempts >= maxAttempts) return false
    if (MOMENTARY.has(code)) {
      pending.attempts += 1
      pending.sentOn = undefined
      pending.timer = this.#parts.deps.after(MOMENT_MS, () => this.#dispatch(pending))
      return true
    }
    const isHelped = code === 'GRANT_UNKNOWN' || (renewable.has(code) && pending.held && this.#parts.grants.drop(pending.held))
    if (!isHelped) return false
    if (pending.held) this.#attachment.channel?.grantsSent.delete(pending.held.hash)
    pending.sentOn = undefined
    this.#dispatch(pending)
    return true
  }

  // Answers.

  #answer(pending: Pending, message: RpcResponse, body: Uint8Array): void {
    const { asker } = pending
    this.#forget(pending)
    if (!asker) return this.#keep(pending, ({ id }) => ({ ...message.json, id }))
    const { id } = asker
    this.#greeting.noteAnswer(pending.request, message)
    if (pending.wireId === id) return this.#parts.client.deliver(message, body)
    const json = { ...message.json, id }
    this.#parts.client.deliver({ ...message, id, json }, encode(json))
  }

  #fail(pending: Pending, found: Refusal): void {
    this.#forget(pending)
    const told = toldOf(pending, found)
    this.#parts.events.refused(told.code)
    if (pending.asker) return this.#reply(pending.asker, refusalOf(pending.asker, told))
    this.#keep(pending, (asker) => refusalOf(asker, told))
  }

  /** Nobody waits now: the same call gets it when it is made again, once. */
  #keep({ call }: Pending, json: (asker: RpcRequest) => JsonObject): void {
    if (!call || this.#attachment.isClosed) return
    if (this.#kept.size >= maxParked) this.#dropKept(this.#kept.keys().next().value!)
    this.#kept.set(call, { json, timer: this.#parts.deps.after(keptMs, () => this.#dropKept(call)) })
  }

  #dropKept(call: CallIdentity): void {
    this.#kept.get(call)?.timer[Symbol.dispose]()
    this.#kept.delete(call)
  }

  #reply(request: RpcRequest, json: JsonObject): void {
    this.#parts.client.deliver(responseOf(request, json), encode(json))
  }

  /** Whoever waits for the session to open is told; the next request tries again. */
  #failQueued(found: Refusal): void {
    for (const queued of this.#queue.splice(0)) {
      if ('pending' in queued && this.#pending.isOpen(queued.pending)) this.#fail(queued.pending, found)
    }
  }

  #forget(pending: Pending): void {
    this.#pending.forget(pending)
    if (this.#pending.waiting === 0) this.#draining?.()
    if (this.#pending.size > 0) return
    if (this.#attachment.channel?.isRetiring) queueMicrotask(() => this.onReady())
  }
}

const newId = ({ random }: ConnectorDeps): string => encodeBase64url(random(16))
