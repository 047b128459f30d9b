import type { Era, JsonObject, RequestId } from '@postern/core'

/** What becomes of a client's request: passed to the server, answered here with an empty list, or refused. */
export type MethodRule = 'pass' | 'filter' | { readonly empty: string }

/**
 * The methods a client may use beside `tools/call`, which never comes as a plain message. Lists of things that no policy can name yet are
 * empty; everything else is refused.
 */
const methods: Readonly<Record<string, MethodRule>> = {
  initialize: 'pass',
  'server/discover': 'pass',
  ping: 'pass',
  'logging/setLevel': 'pass',
  'tools/list': 'filter',
  'resources/list': { empty: 'resources' },
  'resources/templates/list': { empty: 'resourceTemplates' },
  'prompts/list': { empty: 'prompts' },
}

export const ruleOf = (method: string): MethodRule | undefined => (Object.hasOwn(methods, method) ? methods[method] : undefined)

/** What a server may ask a client. */
const serverMethods: ReadonlySet<string> = new Set(['ping', 'sampling/createMessage', 'elicitation/create', 'roots/list'])
export const isServerMethod = (method: string): boolean => serverMethods.has(method)

export const isNotification = (method: string): boolean => method.startsWith('notifications/')

/** An empty list as a server of that era would write it. */
export function emptyList(id: RequestId, member: string, era: Era): JsonObject {
  const result = { [member]: [], ...(era === 'modern' ? { resultType: 'complete', ttlMs: 0, cacheScope: 'private' } : {}) }
  return { jsonrpc: '2.0', id, result }
}
