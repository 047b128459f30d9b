import type { JsonObject, JsonValue } from '../bytes/json.ts'
import type { RequestId, RpcMessage, RpcNotification, RpcRequest, RpcResponse } from './message.ts'
import { metaOf } from './message.ts'

const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId'

/** Why a message was not passed on. `UNKNOWN_ID`: it answers, cancels or reports on nothing that is open for that peer. */
export type RemapRefusal = 'DUPLICATE_ID' | 'TOO_MANY' | 'UNKNOWN_ID'
export type Remapped = { readonly ok: true; readonly message: JsonObject } | { readonly ok: false; readonly code: RemapRefusal }
export type Delivered<C> =
  | { readonly ok: true; readonly client: C; readonly message: JsonObject }
  | { readonly ok: false; readonly code: RemapRefusal }

/** Several clients on one line to one server, each believing to be alone. `C` names a client: any value that a Map can hold. */
export interface Remapper<C> {
  /** A client's request, notification or response on its way to the server. */
  toServer(client: C, message: RpcMessage): Remapped
  /** A response, or a notification that belongs to a request, on its way to the client it is for. `UNKNOWN_ID` for any other. */
  toClient(message: RpcResponse | RpcNotification): Delivered<C>
  /** A request of the server (legacy era) that the caller has decided to give to this client: from now on it alone may answer. */
  askClient(client: C, request: RpcRequest): Remapped
  /** Forgets a client; what still arrives for it is `UNKNOWN_ID`. Returns the ids, on the line, of the requests to cancel. */
  forget(client: C): readonly number[]
  readonly pending: number
}

interface Open<C> {
  readonly client: C
  readonly id: RequestId
  readonly token: RequestId | undefined
}
/** 1 and "1" are different ids. */
const keyOf = (id: RequestId): string => `${typeof id} ${id}`
const refused = (code: RemapRefusal) => ({ ok: false, code }) as const

/**
 * Ids on the line are integers that are never used twice, so a late answer reaches nobody; the progress token on the line is the
 * id. What comes back has the client's own id and token, text or number as it sent them.
 * @param maxPending Open requests in all, and questions of the server; further ones are TOO_MANY. `maxPerClient` alike.
 * @see packages/core/spec/mcp.md §7
 */
export function createRemapper<C>({ maxPending = 1024, maxPerClient = 256 } = {}): Remapper<C> {
  const open = new Map<number, Open<C>>()
  const lineIds = new Map<C, Map<string, number>>()
  const asked = new Map<string, C>()
  let last = 0

  function sendRequest(client: C, request: RpcRequest): Remapped {
    const mine = lineIds.get(client) ?? new Map<string, number>()
    if (mine.has(keyOf(request.id))) return refused('DUPLICATE_ID')
    if (open.size >= maxPending || mine.size >= maxPerClient) return refused('TOO_MANY')
    const id = ++last
    const token = tokenOf(metaOf(request.params).progressToken)
    open.set(id, { client, id: request.id, token })
    lineIds.set(client, mine.set(keyOf(request.id), id))
    const json = { ...request.json, id }
    return { ok: true, message: token === undefined ? json : withMeta(json, { progressToken: id }) }
  }

  function sendNotification(client: C, { method, params, json }: RpcNotification): Remapped {
    if (method !== 'notifications/cancelled') return { ok: true, message: json }
    const id = tokenOf(params.requestId)
    const lineId = id === undefined ? undefined : lineIds.get(client)?.get(keyOf(id))
    if (lineId === undefined) return refused('UNKNOWN_ID')
    close(lineId)
    return { ok: true, message: { ...json, params: { ...params, requestId: lineId } } }
  }

  function sendResponse(client: C, { id, json }: RpcResponse): Remapped {
    if (!asked.has(keyOf(id)) || asked.get(keyOf(id)) !== client) return refused('UNKNOWN_ID')
    asked.delete(keyOf(id))
    return { ok: true, message: json }
  }

  function close(lineId: number): void {
    const entry = open.get(lineId)
    if (entry === undefined) return
    open.delete(lineId)
    const mine = lineIds.get(entry.client)
    mine?.delete(keyOf(entry.id))
    if (mine?.size === 0) lineIds.delete(entry.client)
  }

  const find = (lineId: JsonValue | undefined): Open<C> | undefined => (typeof lineId === 'number' ? open.get(lineId) : undefined)

  function deliverResponse({ id, json }: RpcResponse): Delivered<C> {
    const entry = find(id)
    if (entry === undefined) return refused('UNKNOWN_ID')
    close(id as number)
    return { ok: true, client: entry.client, message: { ...json, id: entry.id } }
  }

  function deliverNotification(notification: RpcNotification): Delivered<C> {
    const { method, params, json } = notification
    const subscription = metaOf(params)[SUBSCRIPTION]
    if (subscription !== undefined) {
      const entry = find(subscription)
      return entry ? { ok: true, client: entry.client, message: withMeta(json, { [SUBSCRIPTION]: entry.id }) } : refused('UNKNOWN_ID')
    }
    if (method === 'notifications/cancelled') return withdraw(notification)
    const entry = method === 'notifications/progress' ? find(params.progressToken) : undefined
    if (entry?.token === undefined) return refused('UNKNOWN_ID')
    return { ok: true, client: entry.client, message: { ...json, params: { ...params, progressToken: entry.token } } }
  }

  /** The server takes back a question it asked (legacy), or ends a subscription that a client listens to (modern). */
  function withdraw({ params, json }: RpcNotification): Delivered<C> {
    const id = tokenOf(params.requestId)
    const key = id === undefined ? '' : keyOf(id)
    if (asked.has(key)) {
      const client = asked.get(key) as C
      asked.delete(key)
      return { ok: true, client, message: json }
    }
    const entry = find(id)
    if (entry === undefined) return refused('UNKNOWN_ID')
    close(id as number)
    return { ok: true, client: entry.client, message: { ...json, params: { ...params, requestId: entry.id } } }
  }

  return {
    toServer(client, message) {
      if (message.kind === 'request') return sendRequest(client, message)
      return message.kind === 'response' ? sendResponse(client, message) : sendNotification(client, message)
    },
    toClient: (message) => (message.kind === 'response' ? deliverResponse(message) : deliverNotification(message)),
    askClient(client, request) {
      if (asked.has(keyOf(request.id))) return refused('DUPLICATE_ID')
      if (asked.size >= maxPending) return refused('TOO_MANY')
      asked.set(keyOf(request.id), client)
      return { ok: true, message: request.json }
    },
    forget(client) {
      const ids = [...(lineIds.get(client)?.values() ?? [])]
      for (const id of ids) close(id)
      for (const [id, owner] of asked) if (owner === client) asked.delete(id)
      return ids
    },
    get pending() {
      return open.size
    },
  }
}

const tokenOf = (value: JsonValue | undefined): RequestId | undefined =>
  typeof value === 'string' || Number.isSafeInteger(value) ? (value as RequestId) : undefined

function withMeta(json: JsonObject, members: JsonObject): JsonObject {
  const params = (json.params ?? {}) as JsonObject
  return { ...json, params: { ...params, _meta: { ...metaOf(params), ...members } } }
}
