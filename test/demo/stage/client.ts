import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { REFUSAL_KEY } from '@postern/core'

/** The official MCP client, which knows nothing of Postern: it starts a command and speaks MCP to it. */
export interface DemoClient extends AsyncDisposable {
  tools(): Promise<string[]>
  /** The text of the result, or the code of the refusal that the connector put into it. */
  call(tool: string, args: Record<string, unknown>): Promise<ClientReply>
  /** Process that the client started. */
  readonly pid: number | null
}
export type ClientReply = { readonly code: 'OK'; readonly text: string } | { readonly code: string; readonly text: string }

export interface ServerCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

export async function openClient({ command, args, env, cwd }: ServerCommand): Promise<DemoClient> {
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    stderr: 'ignore',
    ...(env ? { env: { ...env } } : {}),
    ...(cwd ? { cwd } : {}),
  })
  const client = new Client({ name: 'postern-demo', version: '1.0.0' })
  await client.connect(transport)
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    async call(tool, args) {
      const result = await client.callTool({ name: tool, arguments: args })
      const content = (result.content ?? []) as readonly { readonly text?: string }[]
      const text = content.map((part) => part.text ?? '').join('\n')
      const refusal = (result._meta as Record<string, { readonly code?: string }> | undefined)?.[REFUSAL_KEY]
      return { code: result.isError ? (refusal?.code ?? 'SERVER_ERROR') : 'OK', text }
    },
    get pid() {
      return transport.pid
    },
    [Symbol.asyncDispose]: () => client.close(),
  }
}
