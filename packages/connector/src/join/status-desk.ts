import type { JsonObject, RpcMessage, RpcNotification, RpcRequest } from '@postern/core'
import { classify, createError, eraOf, FIRST_MODERN_VERSION, isJsonObject, RPC_CODES } from '@postern/core'
import { encode, refusalOf, responseOf } from '../session/answers.ts'
import type { ClientEnd } from '../session/client-session.ts'
import { trouble } from '../trouble.ts'
import type { JoinStatus } from './joiner.ts'

export const STATUS_TOOL = 'postern_status'

/** What a client gets while its agent waits to be let in. */
export interface Notice {
  readonly agent: string
  readonly server: string
  readonly status: JoinStatus | undefined
}

const LATEST_LEGACY = '2025-11-25'
const LEGACY = new Set(['2024-10-07', '2024-11-05', '2025-03-26', '2025-06-18', LATEST_LEGACY])
const META = 'io.modelcontextprotocol/'

/** For people and models: how it stands, and what to do. */
export function noticeText({ agent, server, status }: Notice): string {
  const again = "Ask for a new join string: postern client remove, then postern client add --join '<new one>'."
  switch (status?.kind) {
    case 'waiting':
      return [
        `Waiting for approval of ${agent}. Words: ${status.words.join(' ')}.`,
        'Whoever approves sees the same six words in the signer, or with "postern pending": compare them, then approve.',
        `The tools of ${server} then appear here by themselves.`,
      ].join('\n')
    case 'refused':
      return `${agent} was refused: ${oneLine(status.reason)}\n${again}`
    case 'expired':
      return `Nobody approved ${agent} in time.\n${again}`
    case 'spent':
      return `The join string of ${agent} counts no more: its code was used, or its time is over.\n${again}`
    case 'unreachable':
      return `${agent} cannot ask to be let in now: ${oneLine(status.why)}\nIt tries again by itself.`
    case undefined:
      return `${agent} asks to be let in. Look again in a moment.`
  }
}

/** Words of others stay one short line, so that they cannot pass for ours. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').slice(0, 200)

/**
 * Answers one client in place of its server, in both eras: exactly one tool, which says how it stands. Afterwards it tells the client that
 * the list has changed. Nothing that is asked here reaches anybody.
 */
export class StatusDesk {
  readonly #client: ClientEnd
  readonly #version: string
  readonly #notice: () => Notice
  /** How a legacy client began, for the server that it gets later. */
  #initialize: RpcRequest | undefined
  #initialized: { readonly message: RpcNotification; readonly body: Uint8Array } | undefined
  /** Modern requests that stay open for what changes. */
  readonly #listening = new Map<RpcRequest['id'], RpcRequest>()

  constructor(client: ClientEnd, version: string, notice: () => Notice) {
    this.#client = client
    this.#version = version
    this.#notice = notice
  }

  get greeting() {
    return this.#initialize && { initialize: this.#initialize, initialized: this.#initialized }
  }

  receive(message: RpcMessage, body: Uint8Array): void {
    if (message.kind === 'request') return this.#answer(message)
    if (message.kind !== 'notification') return
    if (message.method === 'notifications/initialized') this.#initialized = { message, body }
    if (message.method === 'notifications/cancelled') this.#listening.delete(message.params.requestId as RpcRequest['id'])
  }

  /** The client's list is another one now. */
  changed(): void {
    if (this.#initialized) this.#notify('notifications/tools/list_changed', {})
    for (const [id, request] of this.#listening) {
      if (wantsTools(request)) this.#notify('notifications/tools/list_changed', { _meta: { [`${META}subscriptionId`]: id } })
      this.#reply(request, { result: { resultType: 'complete', _meta: { [`${META}subscriptionId`]: id } } })
    }
    this.#listening.clear()
  }

  #answer(request: RpcRequest): void {
    const isModern = eraOf(request) === 'modern'
    const result = isModern ? this.#modern(request) : this.#legacy(request)
    if (result === 'later') return
    if (result) return this.#reply(request, { result })
    const { method } = request
    if (method === 'tools/call') return this.#deliver(request, refusalOf(request, trouble('NOT_ENROLLED', noticeText(this.#notice()))))
    this.#deliver(request, createError(request.id, RPC_CODES.methodNotFound, 'this server has no such method until its agent is approved'))
  }

  #legacy(request: RpcRequest): JsonObject | undefined {
    const { method, params } = request
    if (method === 'ping') return {}
    if (method === 'tools/list') return { tools: [this.#tool()] }
    if (method === 'tools/call' && params.name === STATUS_TOOL) return this.#called()
    if (method !== 'initialize') return undefined
    this.#initialize = request
    const asked = params.protocolVersion
    return {
      protocolVersion: typeof asked === 'string' && LEGACY.has(asked) ? asked : LATEST_LEGACY,
      capabilities: { tools: { listChanged: true } },
      serverInfo: { name: 'postern', version: this.#version },
      instructions: noticeText(this.#notice()),
    }
  }

  #modern(request: RpcRequest): JsonObject | 'later' | undefined {
    const { method, params } = request
    const complete = { resultType: 'complete', _meta: { [`${META}serverInfo`]: { name: 'postern', version: this.#version } } }
    const fresh = { ...complete, ttlMs: 0, cacheScope: 'private' }
    if (method === 'tools/list') return { ...fresh, tools: [this.#tool()] }
    if (method === 'tools/call' && params.name === STATUS_TOOL) return { ...complete, ...this.#called() }
    if (method === 'server/discover') {
      const capabilities = { tools: { listChanged: true } }
      return { ...fresh, supportedVersions: [FIRST_MODERN_VERSION], capabilities, instructions: noticeText(this.#notice()) }
    }
    if (method !== 'subscriptions/listen') return undefined
    this.#listening.set(request.id, request)
    const notifications = wantsTools(request) ? { toolsListChanged: true } : {}
    this.#notify('notifications/subscriptions/acknowledged', { notifications, _meta: { [`${META}subscriptionId`]: request.id } })
    return 'later'
  }

  #tool(): JsonObject {
    const { agent, server } = this.#notice()
    return {
      name: STATUS_TOOL,
      title: 'Postern: waiting for approval',
      description: `Says how it stands with the approval of ${agent}. The tools of ${server} come when it is approved; until then this is the only one.`,
      inputSchema: { type: 'object', properties: {}, additionalProperties: false },
      annotations: { readOnlyHint: true, openWorldHint: false },
    }
  }

  #called(): JsonObject {
    return { content: [{ type: 'text', text: noticeText(this.#notice()) }] }
  }

  #reply(request: RpcRequest, part: JsonObject): void {
    this.#deliver(request, { jsonrpc: '2.0', id: request.id, ...part })
  }

  #deliver(request: RpcRequest, json: JsonObject): void {
    this.#client.deliver(responseOf(request, json), encode(json))
  }

  #notify(method: string, params: JsonObject): void {
    const json = { jsonrpc: '2.0', method, ...(Object.keys(params).length > 0 ? { params } : {}) }
    this.#client.deliver(classify(json), encode(json))
  }
}

const wantsTools = ({ params }: RpcRequest): boolean => isJsonObject(params.notifications) && params.notifications.toolsListChanged === true
