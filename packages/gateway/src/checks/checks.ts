import type { JsonObject, OutputMode, RpcRequest, RpcResponse, ToolDefinition } from '@postern/core'
import { isJsonObject } from '@postern/core'
import type { Checked } from './results.ts'
import { createResultChecks } from './results.ts'
import type { Fit } from './schemas.ts'
import { createSchemas } from './schemas.ts'
import { createThread } from './thread.ts'

/** A session, as far as checks need it: which definitions its server gives now, and their digests. */
export interface Defines {
  readonly offered: ReadonlyMap<string, string> | undefined
  definitionOf(tool: string): ToolDefinition | undefined
}

/** What is checked of arguments before a call is decided, and of its result before anybody is told. @see packages/core/spec/mcp.md §9 */
export interface Checks extends AsyncDisposable {
  /** @returns undefined when there is no call that can be read, no such tool, or no schema: then others decide */
  fit(session: Defines, request: RpcRequest | undefined): Fit | undefined | Promise<Fit>
  result(session: Defines, tool: string, response: RpcResponse, mode: OutputMode): Promise<Checked>
}

/** How long one schema may take to compile or to check against, and one result to be looked through. */
const LIMIT_MS = 1_000

export function openChecks(): Checks {
  const thread = createThread(LIMIT_MS)
  const schemas = createSchemas(thread)
  const results = createResultChecks(thread, schemas)
  return {
    fit(session, request) {
      const { name, arguments: args = {} } = request?.method === 'tools/call' ? (request.params ?? {}) : {}
      const known = typeof name === 'string' ? schemaOf(session, name, 'inputSchema') : undefined
      return known && schemas.check(known.key, known.schema, args)
    },
    result: (session, tool, response, mode) => results.check(response, mode, schemaOf(session, tool, 'outputSchema')),
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  }
}

/** By the digest of the whole definition, so that a changed one is never judged by the old schema. */
function schemaOf(session: Defines, tool: string, member: 'inputSchema' | 'outputSchema'): { key: string; schema: JsonObject } | undefined {
  const digest = session.offered?.get(tool)
  const schema = session.definitionOf(tool)?.[member]
  return digest !== undefined && isJsonObject(schema) ? { key: `${digest} ${member}`, schema } : undefined
}
