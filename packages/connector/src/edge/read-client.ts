import type { JsonObject, RequestId, RpcMessage } from '@postern/core'
import { createError, parseMessage, RPC_CODES, VerifyError } from '@postern/core'

/** What a client sent, or the answer to what makes no sense. */
export type ReadClient = { readonly message: RpcMessage } | { readonly error: JsonObject }

/** Reads one message of a client, strictly; what cannot be taken is answered under its own id as far as that can be made out. */
export function readClient(bytes: Uint8Array): ReadClient {
  try {
    return { message: parseMessage(bytes) }
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    const loose = looseJson(bytes)
    const code = loose === undefined ? RPC_CODES.parseError : RPC_CODES.invalidRequest
    return { error: createError(idOf(loose), code, `${error.code}: ${error.message}`) }
  }
}

/** Only to find an id: nothing else of it is used, and it goes nowhere. */
function looseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString())
  } catch {
    return undefined
  }
}

function idOf(json: unknown): RequestId | undefined {
  if (typeof json !== 'object' || json === null || !Object.hasOwn(json, 'id') || !Object.hasOwn(json, 'method')) return undefined
  const { id } = json as { id: unknown }
  return (typeof id === 'string' && id.length <= 256) || Number.isSafeInteger(id) ? (id as RequestId) : undefined
}
