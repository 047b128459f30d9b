import type { Beyond, JsonObject, JsonValue, RpcRequest } from '@postern/core'
import { isJsonObject } from '@postern/core'

/** Whether policy permits one thing that is no tool. */
export type Permits = (wanted: Beyond) => boolean

/** Requests of a connection, which concern nothing that a policy could name. */
const ofConnection: ReadonlySet<string> = new Set(['initialize', 'server/discover', 'ping', 'logging/setLevel'])

/** Lists, of which clients see what they may use: the member of the result, and what an item of it is. */
const lists: Readonly<Record<string, { readonly member: string; readonly wanted: (item: JsonObject) => Beyond | undefined }>> = {
  'resources/list': { member: 'resources', wanted: ({ uri }) => resourceAt(uri) },
  'resources/templates/list': { member: 'resourceTemplates', wanted: ({ uriTemplate }) => templateAt(uriTemplate) },
  'prompts/list': { member: 'prompts', wanted: ({ name }) => promptNamed(name) },
}

const resourceAt = (uri: JsonValue | undefined): Beyond | undefined => (typeof uri === 'string' ? { resource: uri } : undefined)
const promptNamed = (name: JsonValue | undefined): Beyond | undefined => (typeof name === 'string' ? { prompt: name } : undefined)
/** A template is judged by what precedes its first variable. */
const templateAt = (template: JsonValue | undefined): Beyond | undefined =>
  typeof template === 'string' ? resourceAt(template.split('{', 1)[0]!.replace(/\/$/, '')) : undefined

/**
 * Whether a client may send this request to its server. `tools/call` never comes as a plain message, and `tools/list` is filtered by
 * pins. What cannot be read is not permitted.
 * @see packages/core/spec/policy.md §11
 */
export function mayRequest({ method, params }: RpcRequest, permits: Permits): boolean {
  if (method === 'tools/call') return false
  if (ofConnection.has(method) || method === 'tools/list' || Object.hasOwn(lists, method)) return true
  if (method === 'subscriptions/listen') return mayListen(params.notifications, permits)
  const wanted = wantedBy(method, params)
  return wanted !== undefined && permits(wanted)
}

function wantedBy(method: string, params: JsonObject): Beyond | undefined {
  if (method === 'resources/read' || method === 'resources/subscribe' || method === 'resources/unsubscribe') return resourceAt(params.uri)
  if (method === 'prompts/get') return promptNamed(params.name)
  if (method !== 'completion/complete') return { method }
  const { ref } = params
  if (!isJsonObject(ref)) return undefined
  if (ref.type === 'ref/prompt') return promptNamed(ref.name)
  return ref.type === 'ref/resource' ? templateAt(ref.uri) : undefined
}

/** News that a list has changed say nothing of what is in it; news of a resource are for those who may read it. */
function mayListen(filter: JsonValue | undefined, permits: Permits): boolean {
  if (!isJsonObject(filter)) return filter === undefined
  const { resourceSubscriptions = [] } = filter
  if (!Array.isArray(resourceSubscriptions)) return false
  return resourceSubscriptions.every((uri) => typeof uri === 'string' && permits({ resource: uri }))
}

/** Of a listed result what the client may use, in the server's order; undefined when the method lists nothing, or the result no list. */
export function filterListed(method: string, result: JsonObject, permits: Permits): JsonObject | undefined {
  const list = Object.hasOwn(lists, method) ? lists[method]! : undefined
  const items = list && result[list.member]
  if (!list || !Array.isArray(items)) return undefined
  const permitted = items.filter((item) => {
    const wanted = isJsonObject(item) ? list.wanted(item) : undefined
    return wanted !== undefined && permits(wanted)
  })
  return { ...result, [list.member]: permitted }
}
export const isFiltered = (method: string): boolean => Object.hasOwn(lists, method)

/** What a server may ask a client. */
const serverMethods: ReadonlySet<string> = new Set(['ping', 'sampling/createMessage', 'elicitation/create', 'roots/list'])
export const isServerMethod = (method: string): boolean => serverMethods.has(method)

export const isNotification = (method: string): boolean => method.startsWith('notifications/')
