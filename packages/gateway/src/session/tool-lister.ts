import type { JsonObject, RequestId, RpcResponse, Suite, ToolDefinition } from '@postern/core'
import { createListTools, readTools, toolDigest, VerifyError } from '@postern/core'

/** Ids of our own requests on a session's line; a client may not use them. */
export const ownIdPrefix = 'postern:'
export const isOwnId = (id: RequestId): boolean => typeof id === 'string' && id.startsWith(ownIdPrefix)

const maxPages = 64
const maxTools = 4_096

/** Tool → digest of the definition that the server gives now. A name that stands twice is not in it: nobody could say which one runs. */
export type Offered = ReadonlyMap<string, string>

/** Asks a server for all its tools, page by page, over a line that somebody else reads. */
export interface ToolLister {
  /** @returns undefined when the server does not answer as it should. */
  list(envelope: JsonObject): Promise<readonly ToolDefinition[] | undefined>
  /** Takes a response to one of our own requests. */
  onResponse(response: RpcResponse): void
  /** The line is gone. */
  end(): void
}

export function createToolLister(send: (message: string) => boolean): ToolLister {
  const waiting = new Map<RequestId, (response: RpcResponse | undefined) => void>()
  let last = 0

  const ask = (envelope: JsonObject, cursor: string | undefined): Promise<RpcResponse | undefined> => {
    last += 1
    const id = `${ownIdPrefix}${last}`
    return new Promise((resolve) => {
      waiting.set(id, resolve)
      if (send(JSON.stringify(createListTools(id, envelope, cursor)))) return
      waiting.delete(id)
      resolve(undefined)
    })
  }
  return {
    async list(envelope) {
      const tools: ToolDefinition[] = []
      let cursor: string | undefined
      for (let page = 0; page < maxPages; page += 1) {
        const result = (await ask(envelope, cursor))?.result
        const more = result && toolsOf(result)
        if (!more) return undefined
        tools.push(...more)
        if (tools.length > maxTools) return undefined
        if (typeof result.nextCursor !== 'string') return tools
        cursor = result.nextCursor
      }
      return undefined
    },
    onResponse(response) {
      const resolve = waiting.get(response.id)
      waiting.delete(response.id)
      resolve?.(response)
    },
    end() {
      for (const resolve of waiting.values()) resolve(undefined)
      waiting.clear()
    },
  }
}

function toolsOf(result: JsonObject): readonly ToolDefinition[] | undefined {
  try {
    return readTools(result)
  } catch (error) {
    if (error instanceof VerifyError) return undefined
    throw error
  }
}

export function digestsOf(tools: readonly ToolDefinition[], suite: Suite): Offered {
  const names = Map.groupBy(tools, (tool) => tool.name)
  const once = [...names].flatMap(([name, [only, ...more]]) =>
    only && more.length === 0 ? [[name, toolDigest(only, suite)] as const] : [],
  )
  return new Map(once)
}
