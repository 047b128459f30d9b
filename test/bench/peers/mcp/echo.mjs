import { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'

/** An MCP server of the official SDK with one tool, which gives back its text. */
export function createEcho() {
  const server = new McpServer({ name: 'echo', version: '1.0.0' })
  const inputSchema = z.object({ text: z.string() })
  server.registerTool('echo', { description: 'Gives back its text.', inputSchema }, ({ text }) => ({ content: [{ type: 'text', text }] }))
  return server
}
