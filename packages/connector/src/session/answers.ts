import type { JsonObject, Refusal, RpcMessage, RpcRequest, RpcResponse } from '@postern/core'
import { createRefusedError, createRefusedResult, eraOf, parseMessage, utf8, VerifyError } from '@postern/core'

/** Results may be larger than requests: as much as a channel carries. */
const serverLimits = { maxBytes: 8 << 20, maxDepth: 128 }

/** One message of the server, or the code for which it cannot be taken. */
export function readServer(body: Uint8Array): RpcMessage | { readonly kind: 'unreadable'; readonly code: string } {
  try {
    return parseMessage(body, serverLimits)
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    return { kind: 'unreadable', code: error.code }
  }
}

export const encode = (json: JsonObject): Uint8Array => utf8(JSON.stringify(json))

/** A response that was made here. */
export function responseOf({ id }: RpcRequest, json: JsonObject): RpcResponse {
  const { result, error } = json as { result?: JsonObject; error?: JsonObject }
  return { kind: 'response', id, json, ...(result ? { result } : {}), ...(error ? { error } : {}) }
}

/** In the client's own terms: a tool call gets a result that its model can read, anything else an error. */
export function refusalOf(request: RpcRequest, found: Refusal): JsonObject {
  return request.method === 'tools/call' ? createRefusedResult(request.id, found, eraOf(request)) : createRefusedError(request.id, found)
}
