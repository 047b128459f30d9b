import type { AtSign, JsonObject, RequestId, RpcMessage, RpcRequest, RpcResponse, Suite, ToolDefinition } from '@postern/core'
import {
  classify,
  createError,
  createRefusedError,
  envelopeOf,
  eraOf,
  filterTools,
  MESSAGES,
  parseMessage,
  parseStrictJson,
  RPC_CODES,
  refusals,
  toolDigest,
  utf8,
  VerifyError,
  withPrivateCache,
} from '@postern/core'
import type { Log } from '@postern/daemon'
import type { No } from '../authorise/candidate.ts'
import { no } from '../authorise/candidate.ts'
import type { Channel } from '../link/channel.ts'
import type { OpenUpstream, ServerCommand, Upstream } from '../upstream/upstream.ts'
import type { Permits } from './methods.ts'
import { filterListed, isFiltered, isNotification, isServerMethod, mayRequest } from './methods.ts'
import type { Offered, ToolLister } from './tool-lister.ts'
import { createToolLister, digestsOf, isOwnId } from './tool-lister.ts'

/** Results may be larger than requests: as much as a message of the channel carries. */
const serverLimits = { maxBytes: MESSAGES.RESULT.maxBodyBytes, maxDepth: 128 }
const maxPending = 512
const maxServerAsks = 64
const listSeconds = 15

/** How a call came back: the response and its own bytes, or why there is none, and whether the server may have begun with it. */
export type CallReturn =
  | { readonly response: RpcResponse; readonly bytes: Uint8Array }
  | { readonly lost: string; readonly wasSent: boolean }

interface Pending {
  readonly method: string
  readonly deadlineMs: number
  /** For calls. Other responses go to the client as they are. */
  readonly resolve: ((result: CallReturn) => void) | undefined
}

export interface SessionParts {
  readonly id: string
  readonly agent: AtSign
  readonly server: string
  readonly command: ServerCommand
  readonly open: OpenUpstream
  readonly suite: Suite
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly maxCalls: number
  readonly callMs: number
  /** What the client may see of the server's tools at this moment. */
  readonly isVisible: (tool: ToolDefinition, digest: string) => boolean
  /** What the policy permits the client beside tools, at this moment. */
  readonly permits: Permits
  readonly listTtlMs: number
  /** The client waits no more for the answer to a request. */
  readonly onCancelled: (session: McpSession, id: unknown) => void
  /** The server's tools were asked for again. */
  readonly onOffered: (offered: Offered) => void
  readonly onEnd: (session: McpSession, reason: string) => void
}

/**
 * One client session with one MCP server: one child process of its own, raw JSON-RPC in both directions. It lets through what `methods.ts`
 * names, filters what is listed, and runs what the authoriser has permitted. It decides nothing.
 */
export class McpSession {
  readonly id: string
  readonly agent: AtSign
  readonly server: string
  /** Where messages of the server go now; undefined while the client is away. */
  channel: Channel | undefined
  /** Monotonic milliseconds. */
  lastUsedMs: number
  readonly #parts: SessionParts
  readonly #upstream: Upstream
  readonly #lister: ToolLister
  readonly #pending = new Map<string, Pending>()
  readonly #serverAsks = new Set<string>()
  #calls = 0
  #entered = 0
  #ended = false
  #envelope: JsonObject | undefined
  #offered: Offered | undefined
  #definitions: ReadonlyMap<string, ToolDefinition> = new Map()
  #listing: Promise<void> | undefined
  #round = 0

  constructor(parts: SessionParts, channel: Channel) {
    this.#parts = parts
    this.id = parts.id
    this.agent = parts.agent
    this.server = parts.server
    this.channel = channel
    this.lastUsedMs = parts.now()
    this.#upstream = parts.open(parts.command, {
      onMessage: (message) => this.#fromServer(message),
      onClosed: (reason) => this.#end(reason),
    })
    this.#lister = createToolLister((message) => this.#upstream.send(message))
  }

  /** Calls that the server has not answered yet. */
  get running(): number {
    return this.#calls
  }

  get isBusy(): boolean {
    return this.#calls > 0 || this.#entered > 0
  }

  get hasEnded(): boolean {
    return this.#ended
  }

  /** Takes up one more call message, of which some may wait for the server's tools. @returns false when there are too many. */
  enter(): boolean {
    if (this.#entered >= this.#parts.maxCalls) return false
    this.#entered += 1
    return true
  }

  leave(): void {
    this.#entered -= 1
  }

  /** What the server offers, if it is known; undefined before the client has begun, or while it is being asked. */
  get offered(): Offered | undefined {
    return this.#offered
  }

  /** The definition whose digest `offered` has under this name. */
  definitionOf(tool: string): ToolDefinition | undefined {
    return this.#offered?.has(tool) ? this.#definitions.get(tool) : undefined
  }

  /**
   * Any message of the client that is not a tool call.
   * @param trouble Why nothing may be asked of the server now.
   */
  fromClient(body: Uint8Array, trouble?: No): void {
    this.lastUsedMs = this.#parts.now()
    const message = readMessage(body)
    if (!message) return this.#toClientRpc(createError(undefined, RPC_CODES.invalidRequest, 'not one JSON-RPC message'))
    if (trouble) {
      if (message.kind === 'request') this.#refuse(message.id, trouble)
    } else if (message.kind === 'request') this.#request(message)
    else if (message.kind === 'response') this.#answerToServer(message)
    else if (isNotification(message.method)) {
      if (message.method === 'notifications/cancelled') this.#cancelled(message.params.requestId)
      this.#toServer(message.json)
      if (message.method === 'notifications/initialized') this.#begin({})
    }
  }

  /** Nobody waits any more. What a call does is written down all the same, when it ends. */
  #cancelled(id: unknown): void {
    this.#parts.onCancelled(this, id)
    if (typeof id !== 'string' && typeof id !== 'number') return
    if (this.#pending.get(keyOf(id))?.resolve === undefined) this.#pending.delete(keyOf(id))
  }

  /** Resolves when it is known which tools the server has, or that it does not say. A modern client begins with its first request. */
  ready(request: RpcRequest | undefined): Promise<void> | undefined {
    if (this.#offered) return undefined
    if (request && !this.#envelope && eraOf(request) === 'modern') this.#begin(envelopeOf(request))
    return this.#listing && this.#settled()
  }

  async #settled(): Promise<void> {
    while (this.#listing) await this.#listing
  }

  /** Runs a permitted call: sends exactly this object. The promise never rejects. */
  call(request: RpcRequest): Promise<CallReturn> {
    const key = keyOf(request.id)
    return new Promise((resolve) => {
      if (this.#ended || this.#pending.has(key)) return resolve(notSent)
      this.#calls += 1
      this.#pending.set(key, { method: 'tools/call', deadlineMs: this.#parts.now() + this.#parts.callMs, resolve })
      if (!this.#toServer(request.json)) this.#settle(key, notSent)
    })
  }

  /** Whether another call may begin, with this id. */
  hasRoom(id: RequestId): boolean {
    return (
      !this.#ended && this.#calls < this.#parts.maxCalls && this.#pending.size < maxPending && !this.#pending.has(keyOf(id)) && !isOwnId(id)
    )
  }

  /** Gives up on calls that the server does not answer. Call every second or so. */
  sweep(): void {
    const now = this.#parts.now()
    for (const [key, { deadlineMs, resolve }] of this.#pending) {
      if (deadlineMs > now) continue
      if (resolve) this.#settle(key, { lost: 'no answer in time', wasSent: true })
      else this.#pending.delete(key)
    }
  }

  async close(): Promise<void> {
    await this.#upstream.close()
  }

  #request(request: RpcRequest): void {
    const { id, method } = request
    if (isOwnId(id)) return this.#toClientRpc(createError(undefined, RPC_CODES.invalidRequest, 'this id is reserved'))
    if (!this.#envelope && eraOf(request) === 'modern') this.#begin(envelopeOf(request))
    if (!mayRequest(request, this.#parts.permits)) return this.#refuse(id, notPermitted(method), refusalCodeOf(request))
    const key = keyOf(id)
    if (this.#pending.has(key) || this.#pending.size >= maxPending) {
      return this.#toClientRpc(createError(id, RPC_CODES.invalidRequest, 'too many open requests, or this id is in use'))
    }
    const waitMs = method === 'subscriptions/listen' ? Number.POSITIVE_INFINITY : this.#parts.callMs
    this.#pending.set(key, { method, deadlineMs: this.#parts.now() + waitMs, resolve: undefined })
    if (this.#toServer(request.json)) return
    this.#pending.delete(key)
    this.#toClientRpc(createError(id, RPC_CODES.internal, refusals.SERVER_FAILED.title))
  }

  #refuse(id: RequestId, { code, why = refusals[code].title }: No, rpcCode?: number): void {
    const { fix } = refusals[code]
    const body = createRefusedError(id, { code, why, fix }, rpcCode)
    this.channel?.send('REFUSED', { sid: this.id, code, message: why, fix }, utf8(JSON.stringify(body)))
  }

  #answerToServer(response: RpcResponse): void {
    if (this.#serverAsks.delete(keyOf(response.id))) this.#toServer(response.json)
  }

  #fromServer(line: Buffer): void {
    const message = readServerMessage(line)
    if (!message) return this.#unreadable(line)
    if (message.kind === 'response') this.#response(message, line)
    else if (message.kind === 'request') this.#serverRequest(message, line)
    else {
      if (message.method === 'notifications/tools/list_changed') this.#relist()
      this.#toClient(line)
    }
  }

  /** If it answers something, whoever waits is told that the answer cannot be read; what it says is nobody's. */
  #unreadable(line: Buffer): void {
    this.#parts.log.warn({ server: this.server, bytes: line.length }, 'the server wrote something that is not JSON-RPC')
    const id = looseIdOf(line)
    const pending = id === undefined ? undefined : this.#pending.get(keyOf(id))
    if (id === undefined || !pending) return
    if (pending.resolve) return this.#settle(keyOf(id), { lost: 'an answer that cannot be read', wasSent: true })
    this.#pending.delete(keyOf(id))
    this.#toClientRpc(createError(id, RPC_CODES.internal, 'the server gave an answer that cannot be read'))
  }

  #response(response: RpcResponse, line: Buffer): void {
    if (isOwnId(response.id)) return this.#lister.onResponse(response)
    const key = keyOf(response.id)
    const pending = this.#pending.get(key)
    if (!pending) return
    if (pending.resolve) return this.#settle(key, { response, bytes: line })
    this.#pending.delete(key)
    const { method } = pending
    if (response.result && (method === 'tools/list' || isFiltered(method)))
      this.#toClientRpc(this.#filtered(method, response, response.result))
    else this.#toClient(line)
  }

  #filtered(method: string, response: RpcResponse, result: JsonObject): JsonObject {
    const { isVisible, listTtlMs, suite, permits } = this.#parts
    try {
      if (method === 'tools/list')
        return { ...response.json, result: filterTools(result, (tool) => isVisible(tool, toolDigest(tool, suite)), listTtlMs) }
      const listed = filterListed(method, result, permits)
      if (listed) return { ...response.json, result: withPrivateCache(listed, listTtlMs) }
      return createError(response.id, RPC_CODES.internal, 'the server did not list as it should')
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      return createError(response.id, RPC_CODES.internal, 'the server did not list its tools as it should')
    }
  }

  #serverRequest({ id, method }: RpcRequest, line: Buffer): void {
    if (!isServerMethod(method)) return void this.#toServer(createError(id, RPC_CODES.methodNotFound, 'not let through'))
    if (this.#serverAsks.size >= maxServerAsks || !this.channel)
      return void this.#toServer(createError(id, RPC_CODES.internal, 'nobody can answer'))
    this.#serverAsks.add(keyOf(id))
    this.#toClient(line)
  }

  /** The client has said how it speaks: from now on the server can be asked for its tools in the same way. */
  #begin(envelope: JsonObject): void {
    this.#envelope = envelope
    this.#relist()
  }

  #relist(): void {
    if (!this.#envelope) return
    this.#offered = undefined
    this.#round += 1
    this.#listing = this.#list(this.#envelope, this.#round)
  }

  async #list(envelope: JsonObject, round: number): Promise<void> {
    const timeout = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => timeout.resolve(undefined), listSeconds * 1000)
    const tools = await Promise.race([this.#lister.list(envelope), timeout.promise])
    clearTimeout(timer)
    if (round !== this.#round) return // the list changed meanwhile, and is being asked for again
    this.#listing = undefined
    if (!tools) return this.#parts.log.warn({ server: this.server }, 'the server did not say which tools it has')
    this.#offered = digestsOf(tools, this.#parts.suite)
    this.#definitions = new Map(tools.map((tool) => [tool.name, tool]))
    this.#parts.onOffered(this.#offered)
  }

  #settle(key: string, result: CallReturn): void {
    const pending = this.#pending.get(key)
    this.#pending.delete(key)
    if (!pending?.resolve) return
    this.#calls -= 1
    pending.resolve(result)
  }

  #end(reason: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#lister.end()
    for (const key of [...this.#pending.keys()]) this.#settle(key, { lost: reason, wasSent: true })
    this.#parts.onEnd(this, reason)
  }

  #toServer(json: JsonObject): boolean {
    return this.#upstream.send(JSON.stringify(json))
  }

  #toClientRpc(json: JsonObject): void {
    this.#toClient(utf8(JSON.stringify(json)))
  }

  #toClient(body: Uint8Array): void {
    this.channel?.send('MESSAGE', { sid: this.id }, body)
  }
}

const notSent: CallReturn = { lost: 'the server does not take it', wasSent: false }
const notPermitted = (method: string): No =>
  method === 'tools/call' ? no('METHOD_NOT_PERMITTED', 'a tool call has to be signed') : no('METHOD_NOT_PERMITTED')

/** A method that is not there, in this era or for this client, is refused as a server would: clients then go on without it. */
function refusalCodeOf(request: RpcRequest): number | undefined {
  const { method } = request
  if (method === 'resources/subscribe' || method === 'resources/unsubscribe')
    return eraOf(request) === 'modern' ? RPC_CODES.methodNotFound : undefined
  return /^(?:resources|prompts|completion|subscriptions)\//.test(method) ? undefined : RPC_CODES.methodNotFound
}

/** 1 and "1" are two ids. */
const keyOf = (id: RequestId): string => `${typeof id} ${id}`

function readMessage(body: Uint8Array): RpcMessage | undefined {
  return unlessRefused(() => parseMessage(body))
}

/** A server's messages may be larger and deeper; apart from that they are read as strictly. */
function readServerMessage(line: Uint8Array): RpcMessage | undefined {
  return unlessRefused(() => classify(parseStrictJson(line, serverLimits)))
}

function looseIdOf(line: Buffer): RequestId | undefined {
  try {
    const { id } = JSON.parse(line.toString('utf8'))
    return typeof id === 'string' || Number.isSafeInteger(id) ? id : undefined
  } catch {
    return undefined
  }
}

function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof VerifyError) return undefined
    throw error
  }
}
