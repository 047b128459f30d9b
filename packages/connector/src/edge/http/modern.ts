import type { IncomingHttpHeaders } from 'node:http'
import type { RpcMessage, RpcNotification, RpcRequest } from '@postern/core'
import { classify, createError, createRefusedError, createRemapper, metaOf, RPC_CODES, utf8 } from '@postern/core'
import type { Events } from '../../events.ts'
import type { ClientSession, SessionOpener } from '../../session/client-session.ts'
import { trouble } from '../../trouble.ts'
import { ParamHeaders } from './param-headers.ts'
import type { PostReply } from './reply.ts'
import { statusOf } from './reply.ts'

const LOG_LEVEL = 'io.modelcontextprotocol/logLevel'

/**
 * Requests of the modern era: each stands for itself, so all of them share one session with the server. Callers count their ids from 0
 * each; on the line every request has an id of its own.
 */
export class ModernDoor {
  readonly #connection: SessionOpener
  readonly #events: Events
  readonly #remapper = createRemapper<PostReply>({ maxPending: 512, maxPerClient: 1 })
  readonly #open = new Set<PostReply>()
  readonly #params = new ParamHeaders()
  #session: ClientSession | undefined

  constructor(connection: SessionOpener, events: Events) {
    this.#connection = connection
    this.#events = events
  }

  /** What an `Mcp-Param-*` header says otherwise than the body of a tool call. */
  mismatchOf({ method, params }: RpcRequest, headers: IncomingHttpHeaders): string | undefined {
    return method === 'tools/call' ? this.#params.mismatchOf(params, headers) : undefined
  }

  request(request: RpcRequest, reply: PostReply): void {
    const mapped = this.#remapper.toServer(reply, request)
    if (!mapped.ok) {
      const { json, code } = this.#tooMany(request)
      return reply.finish(classify(json), utf8(JSON.stringify(json)), code)
    }
    reply.wantsLog = metaOf(request.params)[LOG_LEVEL] !== undefined
    reply.isToolList = request.method === 'tools/list'
    this.#open.add(reply)
    this.#send(classify(mapped.message))
  }

  /** `notifications/cancelled` says nothing over HTTP: there, the end of the connection is what cancels. */
  notification(notification: RpcNotification): void {
    if (notification.method !== 'notifications/cancelled') this.#send(notification)
  }

  /** The client of a request has gone: that cancels it. */
  gone(reply: PostReply): void {
    this.#open.delete(reply)
    for (const requestId of this.#remapper.forget(reply)) {
      const params = { requestId, reason: 'the client has gone' }
      this.#send(classify({ jsonrpc: '2.0', method: 'notifications/cancelled', params }))
    }
  }

  #send(message: RpcMessage): void {
    this.#session ??= this.#connection.openSession({ deliver: (answer, body) => this.#deliver(answer, body) })
    this.#session.receive(message, utf8(JSON.stringify(message.json)))
  }

  #deliver(message: RpcMessage, body: Uint8Array): void {
    if (message.kind === 'request') return this.#refuseQuestion(message)
    const found = this.#remapper.toClient(message)
    if (!found.ok) return this.#deliverUnrelated(message, body)
    const mapped = classify(found.message)
    const bytes = utf8(JSON.stringify(found.message))
    if (mapped.kind !== 'response') return found.client.send(mapped, bytes)
    this.#open.delete(found.client)
    if (found.client.isToolList && mapped.result) this.#params.learn(mapped.result)
    found.client.finish(mapped, bytes, statusOf(mapped))
  }

  /** A log message over stdio does not say to which request it belongs: it goes to the one that asked for any, if there is only one. */
  #deliverUnrelated(message: RpcMessage, body: Uint8Array): void {
    const wanting = [...this.#open].filter(({ wantsLog }) => wantsLog)
    const isLog = message.kind === 'notification' && message.method === 'notifications/message'
    if (isLog && wanting.length === 1) wanting[0]!.send(message, body)
    else this.#events.dropped('belongs to no request', body.length)
  }

  /** There are no questions of servers in this era. */
  #refuseQuestion({ id }: RpcRequest): void {
    this.#send(classify(createError(id, RPC_CODES.methodNotFound, 'nobody to ask')))
  }

  #tooMany({ id }: RpcRequest) {
    return { json: createRefusedError(id, trouble('BUSY')), code: 503 }
  }
}
