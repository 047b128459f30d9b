import type { JsonLimits, JsonObject, JsonValue } from '../bytes/json.ts'
import { isJsonObject, parseStrictJson } from '../bytes/json.ts'
import { VerifyError } from '../errors.ts'

/** A JSON-RPC id. 1 and "1" are two ids; null is none. */
export type RequestId = string | number

/** Arguments may be 1 MiB of JSON, 64 deep; the message and `params` around them add 2. */
export const MESSAGE_LIMITS: JsonLimits = { maxBytes: 1_114_112, maxDepth: 66 }
const MAX_ID_LENGTH = 256
const MAX_METHOD_LENGTH = 256

/** One JSON-RPC message. `json` is the whole parsed object: decide on it and forward it, never the text it came from. */
export type RpcMessage =
  | { readonly kind: 'request'; readonly id: RequestId; readonly method: string; readonly params: JsonObject; readonly json: JsonObject }
  | { readonly kind: 'notification'; readonly method: string; readonly params: JsonObject; readonly json: JsonObject }
  | {
      readonly kind: 'response'
      readonly id: RequestId
      readonly result?: JsonObject
      readonly error?: JsonObject
      readonly json: JsonObject
    }
export type RpcRequest = Extract<RpcMessage, { kind: 'request' }>
export type RpcNotification = Extract<RpcMessage, { kind: 'notification' }>
export type RpcResponse = Extract<RpcMessage, { kind: 'response' }>

/**
 * Reads exactly one JSON-RPC 2.0 message as MCP uses it: strict JSON, no batch, a closed envelope (so no member that a careless
 * reader takes for another), an id that is text or an integer and never null, `params` an object. Does NOT know methods, nor the
 * fields inside `params` and `result`, which pass unchanged whatever they are.
 * @throws {VerifyError} MALFORMED, TOO_LARGE, TOO_DEEP, DUPLICATE_NAME, UNKNOWN_FIELD, UNKNOWN_VERSION
 * @see packages/core/spec/mcp.md §1
 */
export const parseMessage = (bytes: Uint8Array | string, limits: JsonLimits = MESSAGE_LIMITS): RpcMessage =>
  classify(parseStrictJson(bytes, limits))

/** The same for a value that is already parsed, strictly, by somebody else. */
export function classify(json: JsonValue): RpcMessage {
  if (Array.isArray(json)) return refuse('a batch; MCP has none')
  if (!isJsonObject(json)) return refuse('expected an object')
  if (json.jsonrpc !== '2.0') throw new VerifyError('UNKNOWN_VERSION', 'jsonrpc is not "2.0"')
  const { id, method } = json
  if (method === undefined) return readResponse(json)
  checkMembers(json, ['jsonrpc', 'id', 'method', 'params'])
  if (typeof method !== 'string' || method === '' || method.length > MAX_METHOD_LENGTH) return refuse('method is not a name')
  const params = 'params' in json ? json.params! : {}
  if (!isJsonObject(params)) return refuse('params is not an object')
  return 'id' in json ? { kind: 'request', id: readId(id), method, params, json } : { kind: 'notification', method, params, json }
}

function readResponse(json: JsonObject): RpcResponse {
  checkMembers(json, ['jsonrpc', 'id', 'result', 'error'])
  const id = readId(json.id)
  if ('result' in json === 'error' in json) return refuse('expected either result or error')
  if (!('error' in json))
    return isJsonObject(json.result) ? { kind: 'response', id, result: json.result, json } : refuse('result is not an object')
  const { error } = json
  if (!isJsonObject(error) || !Number.isSafeInteger(error.code) || typeof error.message !== 'string')
    return refuse('error has no code or message')
  return { kind: 'response', id, error, json }
}

function checkMembers(json: JsonObject, known: readonly string[]): void {
  const other = Object.keys(json).find((name) => !known.includes(name))
  if (other !== undefined)
    throw new VerifyError('UNKNOWN_FIELD', `unknown member ${JSON.stringify(other.slice(0, 40))} beside ${known.join(', ')}`)
}

function readId(id: JsonValue | undefined): RequestId {
  if (typeof id === 'string' && id.length <= MAX_ID_LENGTH) return id
  return Number.isSafeInteger(id) ? (id as number) : refuse(`id is not an integer or text of at most ${MAX_ID_LENGTH} characters`)
}

export function refuse(why: string): never {
  throw new VerifyError('MALFORMED', `not a JSON-RPC message: ${why}`)
}

/** `_meta` of params or result, `{}` when there is none or it is not an object. */
export const metaOf = (part: JsonObject | undefined): JsonObject => (isJsonObject(part?._meta) ? part._meta : {})
