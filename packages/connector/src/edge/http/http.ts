import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JsonObject, RequestId, RpcMessage } from '@postern/core'
import { createError, createRefusedError, encodeBase64url, RPC_CODES } from '@postern/core'
import { errnoOf, OperationError } from '@postern/daemon'
import type { ConnectorDeps } from '../../deps.ts'
import type { Events } from '../../events.ts'

import type { SessionOpener } from '../../session/client-session.ts'
import { trouble } from '../../trouble.ts'
import { readClient } from '../read-client.ts'
import { acceptsBoth, acceptsEvents, isJson, MAX_BODY_BYTES, readBody } from './body.ts'
import { HEADER_MISMATCH, routeOf } from './era.ts'
import type { Guard } from './guard.ts'
import { createGuard } from './guard.ts'
import { LegacySession } from './legacy.ts'
import { ModernDoor } from './modern.ts'
import { PostReply, refuse } from './reply.ts'

export interface HttpEdge {
  /** Where clients connect; the token is not in it. */
  readonly url: string
  close(): Promise<void>
}

const loopback = '127.0.0.1'
const maxSessions = 64
const idleMs = 30 * 60_000
const sweepMs = 60_000
/** The code MCP's SDK gives to a session it does not know. */
const SESSION_NOT_FOUND = -32_001

/**
 * Streamable HTTP on the loopback address, both eras at one path.
 * @throws {OperationError} PORT_TAKEN
 */
export async function openHttpEdge(
  port: number,
  token: string,
  connection: SessionOpener,
  deps: ConnectorDeps,
  events: Events,
): Promise<HttpEdge> {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 60_000 })
  await listen(server, port)
  const { port: open } = server.address() as AddressInfo
  const house = new House(createGuard(open, token), connection, deps, events)
  server.on('request', (request, response) => void house.receive(request, response))
  const sweeping = deps.every(sweepMs, () => house.sweep())
  return {
    url: `http://${loopback}:${open}/mcp`,
    async close() {
      sweeping[Symbol.dispose]()
      house.close()
      await new Promise((resolve) => {
        server.close(resolve)
        setImmediate(() => server.closeAllConnections())
      })
    },
  }
}

class House {
  readonly #guard: Guard
  readonly #connection: SessionOpener
  readonly #deps: ConnectorDeps
  readonly #events: Events
  readonly #modern: ModernDoor
  readonly #sessions = new Map<string, LegacySession>()

  constructor(guard: Guard, connection: SessionOpener, deps: ConnectorDeps, events: Events) {
    this.#guard = guard
    this.#connection = connection
    this.#deps = deps
    this.#events = events
    this.#modern = new ModernDoor(connection, events)
  }

  async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {}) // a client that goes is seen by `close`
    try {
      const denial = this.#guard(request)
      if (denial)
        return turnAway(request, response, denial.status, denial.message, denial.status === 401 ? { 'www-authenticate': 'Bearer' } : {})
      if (request.method === 'POST') return await this.#post(request, response)
      if (request.method === 'GET') return this.#get(request, response)
      if (request.method === 'DELETE') return this.#delete(request, response)
      turnAway(request, response, 405, 'use POST', { allow: 'GET, POST, DELETE' })
    } catch (error) {
      if (request.destroyed || response.headersSent) return void response.destroy()
      this.#events.failed(error, 'a request could not be answered')
      refuse(response, 500, createError(undefined, RPC_CODES.internal, 'internal error'))
    }
  }

  sweep(): void {
    const before = this.#deps.clock.monotonic() - idleMs
    for (const session of [...this.#sessions.values()]) if (session.isIdle && session.usedMs < before) this.#end(session)
  }

  close(): void {
    for (const session of [...this.#sessions.values()]) this.#end(session)
  }

  async #post(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isJson(request)) return turnAway(request, response, 415, 'Content-Type must be application/json')
    if (!acceptsBoth(request)) return turnAway(request, response, 406, 'the client must accept application/json and text/event-stream')
    const body = await readBody(request)
    if (!body) return turnAway(request, response, 413, `the body is longer than ${MAX_BODY_BYTES} bytes`)
    const read = readClient(body)
    if ('error' in read) return refuse(response, 400, read.error)
    const route = routeOf(read.message, request.headers)
    if ('reject' in route) return refuse(response, 400, route.reject)
    if (route.era === 'modern') this.#postModern(read.message, request, response)
    else this.#postLegacy(read.message, body, request, response)
  }

  #postModern(message: RpcMessage, { headers }: IncomingMessage, response: ServerResponse): void {
    if (message.kind === 'request') {
      const mismatch = this.#modern.mismatchOf(message, headers)
      if (mismatch !== undefined) return refuse(response, 400, createError(message.id, HEADER_MISMATCH, `Header mismatch: ${mismatch}`))
      return this.#modern.request(message, new PostReply(response, (reply) => this.#modern.gone(reply)))
    }
    if (message.kind === 'notification') this.#modern.notification(message)
    response.writeHead(202).end()
  }

  #postLegacy(message: RpcMessage, body: Buffer, request: IncomingMessage, response: ServerResponse): void {
    const id = message.kind === 'request' ? message.id : undefined
    const begins = message.kind === 'request' && message.method === 'initialize'
    const session = begins ? this.#begin(request, response, id) : this.#find(request, response, id)
    if (!session) return
    if (message.kind !== 'request') {
      session.pass(message, body)
      return void response.writeHead(202).end()
    }
    if (begins) response.once('close', () => session.isBegun || this.#end(session)) // refused, or gone before the answer
    if (!session.request(message, body, response)) refuse(response, 400, createError(id, RPC_CODES.invalidRequest, 'this id is in use'))
  }

  #begin(request: IncomingMessage, response: ServerResponse, id: RequestId | undefined): LegacySession | undefined {
    if (request.headers['mcp-session-id'] !== undefined) {
      refuse(response, 400, createError(id, RPC_CODES.invalidRequest, 'the session has begun already'))
      return undefined
    }
    if (this.#sessions.size >= maxSessions && !this.#makeRoom()) {
      refuse(response, 503, createRefusedError(id ?? 0, trouble('BUSY', `${maxSessions} sessions are open`)))
      return undefined
    }
    const { random, clock } = this.#deps
    const session = new LegacySession({ id: encodeBase64url(random(24)), connection: this.#connection, now: () => clock.monotonic() })
    this.#sessions.set(session.id, session)
    return session
  }

  /** The session that the request names. Whoever shows the token may name any: they are all sessions of this one agent. */
  #find(request: IncomingMessage, response: ServerResponse, id?: RequestId): LegacySession | undefined {
    const name = request.headers['mcp-session-id']
    if (typeof name !== 'string') {
      refuse(response, 400, createError(id, RPC_CODES.invalidRequest, 'Mcp-Session-Id is missing'))
      return undefined
    }
    const session = this.#sessions.get(name)
    if (!session) refuse(response, 404, createError(id, SESSION_NOT_FOUND, 'Session not found'))
    return session
  }

  #get(request: IncomingMessage, response: ServerResponse): void {
    if (isStateless(request)) return turnAway(request, response, 405, 'use POST', { allow: 'POST' })
    if (!acceptsEvents(request)) return turnAway(request, response, 406, 'the client must accept text/event-stream')
    const session = this.#find(request, response)
    if (!session) return
    if (session.hasStream) return turnAway(request, response, 409, 'the session has a stream already')
    session.listen(response)
  }

  #delete(request: IncomingMessage, response: ServerResponse): void {
    if (isStateless(request)) return turnAway(request, response, 405, 'use POST', { allow: 'POST' })
    const session = this.#find(request, response)
    if (!session) return
    this.#end(session)
    response.writeHead(200).end()
  }

  #makeRoom(): boolean {
    const [oldest] = [...this.#sessions.values()].filter(({ isIdle }) => isIdle).sort((a, b) => a.usedMs - b.usedMs)
    if (!oldest) return false
    this.#end(oldest)
    return true
  }

  #end(session: LegacySession): void {
    if (this.#sessions.delete(session.id)) session.close()
  }
}

/** Nothing but POST exists in the modern era, whose requests belong to no session. */
const isStateless = ({ headers }: IncomingMessage): boolean =>
  headers['mcp-session-id'] === undefined && String(headers['mcp-protocol-version'] ?? '') >= '2026-07-28'

function turnAway(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const error: JsonObject = createError(undefined, RPC_CODES.invalidRequest, message)
  refuse(response, status, error, { ...headers, ...(request.complete ? {} : { connection: 'close' }) })
}

async function listen(server: Server, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen({ port, host: loopback }, resolve)
  try {
    await promise
  } catch (cause) {
    if (errnoOf(cause) !== 'EADDRINUSE') throw cause
    const fix = `stop what listens there, or choose another port: --http ${port + 1}`
    throw new OperationError('PORT_TAKEN', `port ${port} on ${loopback} is taken; ${fix}`, { cause, fix })
  }
}
