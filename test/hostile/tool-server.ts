// An MCP server inside the test: quick, and it says what reached it.
import type { RiskClass, ToolDefinition } from '@postern/core'
import type { GatewayDeps } from '@postern/gateway'

const inputSchema = { type: 'object' }
/** What the server says of itself, and what people decided about each. */
export const tools: readonly { readonly definition: ToolDefinition; readonly risk: RiskClass }[] = [
  { definition: { name: 'read', description: 'reads', inputSchema }, risk: 'read' },
  { definition: { name: 'send_money', description: 'sends', inputSchema }, risk: 'financial' },
  { definition: { name: 'write', description: 'writes', inputSchema }, risk: 'write' },
]

const resultOf = (method: string): object => {
  if (method === 'initialize') {
    return { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'tools', version: '1' } }
  }
  if (method === 'tools/list') return { tools: tools.map(({ definition }) => definition) }
  return { content: [{ type: 'text', text: 'done' }] }
}

/** @param onCall Hears of every tool call that really reached the server: its tool, and the request as it was sent. */
export function createToolServer(onCall: (tool: string, request: unknown) => void): ReturnType<GatewayDeps['openUpstream']> {
  return (_, events) => ({
    send(message) {
      const { id, method, params } = JSON.parse(message)
      if (method === 'tools/call') onCall(params.name, JSON.parse(message))
      if (id === undefined) return true
      const answer = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result: resultOf(method) }))
      queueMicrotask(() => events.onMessage(answer))
      return true
    },
    async close() {
      events.onClosed('closed')
    },
  })
}
