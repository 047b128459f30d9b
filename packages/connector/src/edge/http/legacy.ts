import type { ServerResponse } from 'node:http'
import type { JsonValue, RequestId, RpcMessage, RpcRequest } from '@postern/core'
import { metaOf } from '@postern/core'
import type { ClientSession, SessionOpener } from '../../session/client-session.ts'
import { keyOf } from '../../session/pending.ts'
import { EventStream, PostReply } from './reply.ts'

export interface LegacyParts {
  readonly id: string
  readonly connection: SessionOpener
  readonly now: () => number
}

/** One session of the legacy era, with a server process of its own: the client's ids and tokens pass as they are. */
export class LegacySession {
  readonly id: string
  /** Monotonic milliseconds. */
  usedMs: number
  readonly #now: () => number
  readonly #session: ClientSession
  readonly #replies = new Map<string, PostReply>()
  /** Progress token → request. */
  readonly #tokens = new Map<string, string>()
  #stream: EventStream | undefined
  /** Answered `initialize`; only then does the id count. */
  isBegun = false

  constructor({ id, connection, now }: LegacyParts) {
    this.id = id
    this.#now = now
    this.usedMs = now()
    this.#session = connection.openSession({ deliver: (message, body) => this.#deliver(message, body) })
  }

  get isIdle(): boolean {
    return this.#replies.size === 0 && !this.#stream
  }

  get hasStream(): boolean {
    return this.#stream !== undefined
  }

  /** @returns false when that id is in use. */
  request(request: RpcRequest, body: Uint8Array, response: ServerResponse): boolean {
    this.usedMs = this.#now()
    const key = keyOf(request.id)
    if (this.#replies.has(key)) return false
    // A client that loses the connection has not cancelled anything in this era; its answer then goes nowhere.
    this.#replies.set(key, new PostReply(response, () => {}))
    const token = tokenKey(metaOf(request.params).progressToken)
    if (token !== undefined) this.#tokens.set(token, key)
    this.#session.receive(request, body)
    return true
  }

  /** A notification, or the client's answer to a question of the server. */
  pass(message: RpcMessage, body: Uint8Array): void {
    this.usedMs = this.#now()
    this.#session.receive(message, body)
  }

  listen(response: ServerResponse): void {
    this.usedMs = this.#now()
    this.#stream = new EventStream(response, { 'mcp-session-id': this.id })
    response.once('close', () => {
      this.#stream = undefined
    })
  }

  close(): void {
    this.#session.close()
    this.#stream?.end()
  }

  #deliver(message: RpcMessage, body: Uint8Array): void {
    if (message.kind === 'response') return this.#answer(message.id, message, body)
    const related = this.#related(message)
    if (related) related.send(message, body)
    else this.#stream?.send(message, body)
  }

  #answer(id: RequestId, message: RpcMessage, body: Uint8Array): void {
    const key = keyOf(id)
    const reply = this.#replies.get(key)
    this.#replies.delete(key)
    for (const [token, of] of this.#tokens) if (of === key) this.#tokens.delete(token)
    if (message.kind === 'response' && message.result) this.isBegun = true
    reply?.finish(message, body, 200, this.isBegun ? { 'mcp-session-id': this.id } : {})
  }

  /**
   * Progress belongs to the request with that token. Other things from a server over stdio do not say where they belong: questions and log
   * messages go to the newest open request, the rest to the listening stream.
   */
  #related(message: RpcMessage): PostReply | undefined {
    if (message.kind === 'response') return undefined
    if (message.kind === 'notification' && message.method === 'notifications/progress') {
      const key = this.#tokens.get(tokenKey(message.params.progressToken) ?? '')
      return key === undefined ? undefined : this.#replies.get(key)
    }
    const isOfMoment = message.kind === 'request' || message.method === 'notifications/message'
    if (!isOfMoment && this.#stream) return undefined
    return [...this.#replies.values()].findLast((reply) => !reply.isOver)
  }
}

const tokenKey = (token: JsonValue | undefined): string | undefined =>
  typeof token === 'string' || typeof token === 'number' ? keyOf(token) : undefined
