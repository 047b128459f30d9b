import type { IncomingHttpHeaders } from 'node:http'
import type { JsonObject, JsonValue, RpcMessage } from '@postern/core'
import { createError, eraOf, FIRST_MODERN_VERSION, isJsonObject, metaOf, RPC_CODES } from '@postern/core'

/** In which era a POST is written, or why it is neither. `reject` is a JSON-RPC error, for HTTP status 400. */
export type Route = { readonly era: 'modern' | 'legacy' } | { readonly reject: JsonObject }

export const HEADER_MISMATCH = -32_020
const UNSUPPORTED_VERSION = -32_022
const PREFIX = 'io.modelcontextprotocol/'
const legacyVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', '2024-10-07']
/** Method → the member of params that `Mcp-Name` repeats. */
const named = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
])

const isModern = (version: string | undefined) =>
  version !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(version) && version >= FIRST_MODERN_VERSION

/**
 * The body decides, and headers must repeat it (mcp.md §0.3): who reads only headers must not be told something else than who reads the
 * body. `Mcp-Param-*` take the tools' schemas: see `ParamHeaders`.
 */
export function routeOf(message: RpcMessage, headers: IncomingHttpHeaders): Route {
  const version = fieldOf(headers, 'mcp-protocol-version')
  const id = message.kind === 'request' ? message.id : undefined
  const reject = (code: number, why: string, data?: JsonValue): Route => ({ reject: createError(id, code, why, data) })
  if (message.kind === 'response') {
    return isModern(version)
      ? reject(RPC_CODES.invalidRequest, 'a response is nothing that a client sends in this version')
      : { era: 'legacy' }
  }
  const claim = metaOf(message.params)[`${PREFIX}protocolVersion`]
  if (claim === undefined) {
    if (!isModern(version)) return checkLegacy(version, reject)
    if (message.kind === 'notification') return { era: 'modern' }
    return message.method === 'initialize'
      ? reject(HEADER_MISMATCH, `Header mismatch: initialize with MCP-Protocol-Version ${version}`)
      : reject(RPC_CODES.invalidParams, `_meta lacks ${PREFIX}protocolVersion`)
  }
  if (typeof claim !== 'string') return reject(RPC_CODES.invalidParams, `_meta: ${PREFIX}protocolVersion is not a version`)
  if (message.kind === 'request' && !isJsonObject(metaOf(message.params)[`${PREFIX}clientCapabilities`])) {
    return reject(RPC_CODES.invalidParams, `_meta lacks ${PREFIX}clientCapabilities`)
  }
  const mismatch = mismatchOf(message, claim, headers)
  if (mismatch !== undefined) return reject(HEADER_MISMATCH, `Header mismatch: ${mismatch}`)
  if (eraOf(message) === 'modern') return { era: 'modern' }
  return reject(UNSUPPORTED_VERSION, `Unsupported protocol version: ${claim}`, { supported: [FIRST_MODERN_VERSION], requested: claim })
}

function checkLegacy(version: string | undefined, reject: (code: number, why: string) => Route): Route {
  if (version === undefined || legacyVersions.includes(version)) return { era: 'legacy' }
  return reject(RPC_CODES.invalidRequest, `Unsupported protocol version: ${version} (supported: ${legacyVersions.join(', ')})`)
}

/** What a header says otherwise than the body, or does not say. */
function mismatchOf(message: Exclude<RpcMessage, { kind: 'response' }>, claim: string, headers: IncomingHttpHeaders): string | undefined {
  const isRequest = message.kind === 'request'
  const version = fieldOf(headers, 'mcp-protocol-version')
  if (version === undefined ? isRequest : version !== claim) return 'MCP-Protocol-Version is missing or another than in the body'
  const method = fieldOf(headers, 'mcp-method')
  if (method === undefined ? isRequest : method !== message.method) return 'Mcp-Method is missing or another than in the body'
  const member = isRequest ? named.get(message.method) : undefined
  const value = member === undefined ? undefined : message.params[member]
  if (typeof value !== 'string') return undefined
  const name = fieldOf(headers, 'mcp-name')
  return name !== undefined && decoded(name) === value ? undefined : 'Mcp-Name is missing or another than in the body'
}

/** A field without the white space around it. One that came twice is joined by commas, and then fits nothing. */
export const fieldOf = (headers: IncomingHttpHeaders, name: string): string | undefined => {
  const value = headers[name]
  return typeof value === 'string' ? value.replace(/^[ \t]+|[ \t]+$/g, '') : undefined
}

/** `=?base64?…?=` stands for text that a header cannot hold; only with both ends does it. Undefined: it is spoilt. */
export function decoded(name: string): string | undefined {
  const [, base64] = /^=\?base64\?(.*)\?=$/.exec(name) ?? []
  if (base64 === undefined) return name
  const bytes = Buffer.from(base64, 'base64')
  return bytes.toString('base64') === base64 ? bytes.toString('utf8') : undefined
}
