import type { JsonObject, JsonValue } from '../bytes/json.ts'
import type { Era } from './era.ts'
import type { RequestId } from './message.ts'

/** Codes of JSON-RPC errors that edges make. `refused` lies outside the ranges that JSON-RPC and MCP keep for themselves. */
export const RPC_CODES = {
  parseError: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internal: -32_603,
  refused: 4030,
} as const

/** Where a refusal stands in `_meta` of a result and in `data` of an error. */
export const REFUSAL_KEY = 'dev.postern/refusal'

/** What a client, its model and its user are told. All text; never the value of an argument. */
export interface Refusal {
  readonly code: string
  readonly why: string
  readonly fix?: string | undefined
  readonly rule?: string | undefined
  /** What to quote to an administrator. */
  readonly ref?: string | undefined
}

/** A JSON-RPC error response. `id` undefined = the request's id could not be read. */
export function createError(id: RequestId | undefined, code: number, message: string, data?: JsonValue): JsonObject {
  return { jsonrpc: '2.0', id: id ?? null, error: { code, message, ...(data === undefined ? {} : { data }) } }
}

/** Refuses any request that is not a tool call, e.g. a method that no policy names. */
export const createRefusedError = (id: RequestId, refusal: Refusal, code: number = RPC_CODES.refused): JsonObject =>
  createError(id, code, `${refusal.code}: ${oneLine(refusal.why)}`, { [REFUSAL_KEY]: asJson(refusal) })

/**
 * Refuses a tool call in a way that the model can read and act on: a result with `isError`, one fact per line.
 * @see packages/core/spec/mcp.md §6
 */
export function createRefusedResult(id: RequestId, refusal: Refusal, era: Era): JsonObject {
  const lines = [`refused: ${refusal.code}`, `why: ${oneLine(refusal.why)}`]
  for (const name of ['rule', 'fix', 'ref'] as const) if (refusal[name] !== undefined) lines.push(`${name}: ${oneLine(refusal[name])}`)
  const result = {
    ...(era === 'modern' ? { resultType: 'complete' } : {}),
    content: [{ type: 'text', text: lines.join('\n') }],
    isError: true,
    _meta: { [REFUSAL_KEY]: asJson(refusal) },
  }
  return { jsonrpc: '2.0', id, result }
}

const asJson = ({ code, why, fix, rule, ref }: Refusal): JsonObject => ({
  code,
  why,
  ...(rule === undefined ? {} : { rule }),
  ...(fix === undefined ? {} : { fix }),
  ...(ref === undefined ? {} : { ref }),
})

/** A line stays one line, so that no text can add a `why:` of its own. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()
