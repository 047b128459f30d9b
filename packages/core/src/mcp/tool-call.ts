import type { JsonObject, JsonValue } from '../bytes/json.ts'
import { isJsonObject } from '../bytes/json.ts'
import type { RpcRequest } from './message.ts'
import { refuse } from './message.ts'

/** What a `tools/call` asks for. `arguments` is `{}` when the request has none. */
export interface ToolCall {
  readonly name: string
  readonly arguments: JsonObject
  /** What the client answers to an `input_required` result (2026-07-28), with the state that came with it. */
  readonly inputResponses?: JsonValue
  readonly requestState?: JsonValue
}

const KNOWN = ['name', 'arguments', 'task', 'inputResponses', 'requestState', '_meta']
const fold = (name: string): string => name.toUpperCase().toLowerCase()
const folded = new Map(KNOWN.map((name) => [fold(name), name]))

/**
 * Reads the params of a `tools/call`. Members it does not know pass, except those that a reader which ignores letter case would
 * take for one it does know: the tool that is checked must be the tool that runs.
 * @throws {VerifyError} MALFORMED
 * @see packages/core/spec/mcp.md §2
 */
export function readToolCall(request: RpcRequest): ToolCall {
  const { params } = request
  const twin = Object.keys(params).find((name) => !KNOWN.includes(name) && folded.has(fold(name)))
  if (twin !== undefined) return refuse(`params has a member that could be taken for ${folded.get(fold(twin))}`)
  const { name, inputResponses, requestState } = params
  if (typeof name !== 'string' || name === '' || name.length > 128) return refuse('params.name is not the name of a tool')
  const args = 'arguments' in params ? params.arguments! : {}
  if (!isJsonObject(args)) return refuse('params.arguments is not an object')
  return {
    name,
    arguments: args,
    ...(inputResponses === undefined ? {} : { inputResponses }),
    ...(requestState === undefined ? {} : { requestState }),
  }
}
