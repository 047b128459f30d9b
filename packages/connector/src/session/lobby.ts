import type { JsonObject, RequestId, RpcMessage } from '@postern/core'
import { isJsonObject, metaOf } from '@postern/core'
import type { Notice } from '../join/status-desk.ts'
import { StatusDesk } from '../join/status-desk.ts'
import type { ClientEnd, ClientSession, SessionOpener } from './client-session.ts'

/** What the MCP client says about itself, unverified, and what it was shown. */
export interface Visitor {
  readonly name: string
  readonly version: string
  /** Unix seconds of its handshake. */
  readonly at: number
  /** How many tools it was listed last. */
  readonly tools?: number
  /** Unix seconds of its last tool call. */
  readonly called?: number
}

/** A session that takes over from the desk: it says a legacy client's greeting again, in its place. */
export interface AdoptingSession extends ClientSession {
  adopt(greeting: NonNullable<StatusDesk['greeting']>): void
}

export interface LobbyParts {
  /** Where sessions go once there is somewhere to go. */
  readonly connection: { openSession(client: ClientEnd): AdoptingSession }
  readonly version: string
  /** Unix seconds. */
  readonly now: () => number
  readonly onVisitor: (visitor: Visitor) => void
}

/**
 * Between the local endpoint and the connection. While the agent waits to be let in, clients are answered at a desk here; before it is
 * known whether it has to wait, what they ask is kept for a moment. Afterwards everything passes through.
 *
 *   quiet ── desk(notice) ──► desk ── open() ──► open         quiet ── open() ──► open
 */
export class Lobby implements SessionOpener {
  readonly #parts: LobbyParts
  readonly #sessions = new Set<LobbySession>()
  #notice: (() => Notice) | undefined
  #isOpen = false
  #visitor: Visitor | undefined
  readonly #met = Promise.withResolvers<Visitor>()

  constructor(parts: LobbyParts) {
    this.#parts = parts
  }

  get visitor(): Visitor | undefined {
    return this.#visitor
  }

  /** Resolves when a client has introduced itself. */
  get met(): Promise<Visitor> {
    return this.#met.promise
  }

  /** Who comes from now on is answered here. */
  desk(notice: () => Notice): void {
    if (this.#isOpen || this.#notice) return
    this.#notice = notice
    for (const session of this.#sessions) session.settle()
  }

  open(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    for (const session of this.#sessions) session.settle()
  }

  openSession(client: ClientEnd): ClientSession {
    const { connection, version } = this.#parts
    const session: LobbySession = new LobbySession(client, {
      open: (end) => (this.#isOpen ? connection.openSession(end) : undefined),
      desk: (end) => (this.#notice ? new StatusDesk(end, version, this.#notice) : undefined),
      note: (told) => this.#note(told),
      onClosed: () => this.#sessions.delete(session),
    })
    this.#sessions.add(session)
    session.settle()
    return session
  }

  #note(told: Told): void {
    const { now, onVisitor } = this.#parts
    const { info, ...rest } = told
    const isNew = info && (info.name !== this.#visitor?.name || info.version !== this.#visitor.version)
    if (isNew) this.#visitor = { ...info, at: now() }
    if (!this.#visitor) return
    this.#met.resolve(this.#visitor)
    const tools = rest.tools ?? this.#visitor.tools
    const isTold = isNew || tools !== this.#visitor.tools
    this.#visitor = { ...this.#visitor, ...(tools === undefined ? {} : { tools }), ...(rest.called ? { called: now() } : {}) }
    if (isTold) onVisitor(this.#visitor)
  }
}

interface Told {
  readonly info?: { readonly name: string; readonly version: string } | undefined
  readonly tools?: number
  readonly called?: true
}

interface Ways {
  /** Undefined while it is not open. */
  open(client: ClientEnd): AdoptingSession | undefined
  /** Undefined while it is not known that one has to wait. */
  desk(client: ClientEnd): StatusDesk | undefined
  note(told: Told): void
  onClosed(): void
}

class LobbySession implements ClientSession {
  readonly #client: ClientEnd
  readonly #ways: Ways
  #kept: { readonly message: RpcMessage; readonly body: Uint8Array }[] = []
  #desk: StatusDesk | undefined
  #inner: AdoptingSession | undefined
  #isClosed = false
  readonly #settled = Promise.withResolvers<void>()
  /** Lists of tools that are under way, with what came before on earlier pages. */
  readonly #lists = new Map<RequestId, number>()
  #pages = 0

  constructor(client: ClientEnd, ways: Ways) {
    this.#ways = ways
    this.#client = { deliver: (message, body) => this.#deliver(client, message, body) }
  }

  /** Goes on as far as it can now. */
  settle(): void {
    if (this.#isClosed || this.#inner) return
    this.#inner = this.#ways.open(this.#client)
    if (this.#inner) this.#moveIn(this.#inner)
    else this.#desk ??= this.#ways.desk(this.#client)
    if (!this.#inner && !this.#desk) return
    for (const { message, body } of this.#kept.splice(0)) this.#pass(message, body)
    this.#settled.resolve()
  }

  receive(message: RpcMessage, body: Uint8Array): void {
    this.#note(message)
    if (this.#inner || this.#desk) this.#pass(message, body)
    else this.#kept.push({ message, body })
  }

  async drained(): Promise<void> {
    await this.#settled.promise
    await this.#inner?.drained()
  }

  close(): void {
    this.#isClosed = true
    this.#settled.resolve()
    this.#inner?.close()
    this.#ways.onClosed()
  }

  #moveIn(inner: AdoptingSession): void {
    if (this.#desk?.greeting) inner.adopt(this.#desk.greeting)
    this.#desk?.changed()
    this.#desk = undefined
  }

  #pass(message: RpcMessage, body: Uint8Array): void {
    if (this.#inner) this.#inner.receive(message, body)
    else this.#desk?.receive(message, body)
  }

  #note(message: RpcMessage): void {
    if (message.kind !== 'request') return
    const { method, params, id } = message
    const info = infoIn(method === 'initialize' ? params.clientInfo : metaOf(params)['io.modelcontextprotocol/clientInfo'])
    if (method === 'tools/list') this.#lists.set(id, params.cursor === undefined ? 0 : this.#pages)
    if (info || method === 'tools/call') this.#ways.note({ info, ...(method === 'tools/call' && this.#inner ? { called: true } : {}) })
  }

  #deliver(client: ClientEnd, message: RpcMessage, body: Uint8Array): void {
    if (message.kind === 'response' && this.#lists.size > 0) this.#noteList(message.id, message.result)
    client.deliver(message, body)
  }

  #noteList(id: RequestId, result: JsonObject | undefined): void {
    const before = this.#lists.get(id)
    this.#lists.delete(id)
    if (before === undefined || !Array.isArray(result?.tools) || !this.#inner) return
    this.#pages = before + result.tools.length
    this.#ways.note({ tools: this.#pages })
  }
}

const MAX_NAME = 64
/** Cut to a length that can be shown; whoever shows it escapes it. */
function infoIn(value: unknown): Told['info'] {
  if (!isJsonObject(value as never)) return undefined
  const { name, version } = value as { name?: unknown; version?: unknown }
  if (typeof name !== 'string' || name === '') return undefined
  return { name: name.slice(0, MAX_NAME), version: typeof version === 'string' ? version.slice(0, MAX_NAME) : '' }
}
