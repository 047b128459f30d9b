import type { JsonObject, JsonValue } from '../bytes/json.ts'
import type { RequestId, RpcMessage } from './message.ts'
import { metaOf } from './message.ts'

/** `legacy`: 2024-10-07 … 2025-11-25, with `initialize` and sessions. `modern`: 2026-07-28 on, with an envelope in every `_meta`. */
export type Era = 'legacy' | 'modern'

export const FIRST_MODERN_VERSION = '2026-07-28'
const PREFIX = 'io.modelcontextprotocol/'
const VERSION = `${PREFIX}protocolVersion`
/** What describes the client; the rest of `_meta` (progress tokens, traces) belongs to the one request it came with. */
const ENVELOPE = [VERSION, `${PREFIX}clientCapabilities`, `${PREFIX}clientInfo`]
const DATE = /^\d{4}-\d{2}-\d{2}$/

/**
 * The era in which a request or notification is written. Only `_meta` says so: modern clients also send `initialize`, and legacy
 * requests may arrive with modern headers. A response, or a version that is no date, counts as legacy.
 * @see packages/core/spec/mcp.md §3
 */
export function eraOf(message: RpcMessage): Era {
  const version = message.kind === 'response' ? undefined : metaOf(message.params)[VERSION]
  return typeof version === 'string' && DATE.test(version) && version >= FIRST_MODERN_VERSION ? 'modern' : 'legacy'
}

/** The protocol version the request states in `_meta`, if it does. Unverified, as everything a client says about itself. */
export function protocolVersionOf(message: RpcMessage): string | undefined {
  const version = message.kind === 'response' ? undefined : metaOf(message.params)[VERSION]
  return typeof version === 'string' ? version : undefined
}

/** The members of `_meta` that a modern request made in this client's place must carry; empty for a legacy one. */
export function envelopeOf(message: RpcMessage): JsonObject {
  if (message.kind === 'response' || eraOf(message) === 'legacy') return {}
  const meta = metaOf(message.params)
  const copied: Record<string, JsonValue> = {}
  for (const name of ENVELOPE) if (Object.hasOwn(meta, name)) copied[name] = meta[name]!
  return copied
}

/** A `tools/list` that a gateway sends on its own, in the era of the client whose `envelope` it is given. */
export function createListTools(id: RequestId, envelope: JsonObject, cursor?: string): JsonObject {
  const hasEnvelope = Object.keys(envelope).length > 0
  const params = { ...(cursor === undefined ? {} : { cursor }), ...(hasEnvelope ? { _meta: envelope } : {}) }
  return { jsonrpc: '2.0', id, method: 'tools/list', ...(Object.keys(params).length > 0 ? { params } : {}) }
}
