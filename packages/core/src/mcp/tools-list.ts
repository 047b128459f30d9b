import type { JsonObject, JsonValue } from '../bytes/json.ts'
import { isJsonObject } from '../bytes/json.ts'
import { refuse } from './message.ts'

/** A tool as its server lists it. Everything but the name is the server's claim. */
export type ToolDefinition = JsonObject & { readonly name: string }

/** Tools of a `tools/list` result, in the server's order. @throws {VerifyError} MALFORMED */
export function readTools(result: JsonObject): readonly ToolDefinition[] {
  const { tools } = result
  return Array.isArray(tools) ? tools.map(readTool) : refuse('result.tools is not a list')
}

function readTool(tool: JsonValue): ToolDefinition {
  if (!isJsonObject(tool) || typeof tool.name !== 'string' || tool.name === '') return refuse('a tool has no name')
  return tool as ToolDefinition
}

/**
 * The same result with only the permitted tools, in the same order; of several with one name none is left, since nobody could
 * say which one runs. Caching hints, where the server gives them, become private and no longer than a grant lasts. The rest
 * (cursor, `_meta`, unknown members) is unchanged.
 * @throws {VerifyError} MALFORMED
 * @see packages/core/spec/mcp.md §5
 */
export function filterTools(result: JsonObject, isPermitted: (tool: ToolDefinition) => boolean, maxTtlMs: number): JsonObject {
  const listed = readTools(result)
  const times = new Map<string, number>()
  for (const { name } of listed) times.set(name, (times.get(name) ?? 0) + 1)
  const tools = listed.filter((tool) => times.get(tool.name) === 1 && isPermitted(tool))
  return withPrivateCache({ ...result, tools }, maxTtlMs)
}

/** Caching hints of any filtered result. A result without hints (the legacy era) gets none. */
export function withPrivateCache(result: JsonObject, maxTtlMs: number): JsonObject {
  const { ttlMs } = result
  return {
    ...result,
    ...('cacheScope' in result ? { cacheScope: 'private' } : {}),
    ...('ttlMs' in result ? { ttlMs: typeof ttlMs === 'number' ? Math.max(0, Math.floor(Math.min(ttlMs, maxTtlMs))) : 0 } : {}),
  }
}
