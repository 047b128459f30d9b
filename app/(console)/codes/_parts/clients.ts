/** How to start the connector of one agent for one server. */
export interface Served {
  readonly server: string
  readonly agent: string
}
/** One MCP client, as far as a page can help with it. The CLI knows more: it edits the file itself (packages/cli/src/clients.ts). */
export interface Client {
  readonly id: string
  readonly title: string
  /** Behind a person's name, in the atSign of their agent. */
  readonly suffix: string
  readonly key: string
  readonly format: 'json' | 'toml'
  /** Where the raw config belongs. */
  readonly file?: string
  readonly link?: (served: Served) => string
  /** The client's own command for the same. */
  readonly command?: (served: Served) => string
}

const argsOf = ({ server, agent }: Served): readonly string[] => ['connector', 'run', server, '--agent', agent]
const entryOf = (served: Served) => ({ command: 'postern', args: argsOf(served) })
/** Names that every client takes; Claude Code refuses dots. */
const nameOf = ({ server }: Served): string => server.replaceAll('.', '-')
const shell = (served: Served): string => ['postern', ...argsOf(served)].join(' ')

export const CLIENTS: readonly Client[] = [
  {
    ...{ id: 'claude-desktop', title: 'Claude Desktop', suffix: 'claude', key: 'mcpServers', format: 'json' },
    file: 'claude_desktop_config.json',
  },
  {
    ...{ id: 'claude-code', title: 'Claude Code', suffix: 'claude-code', key: 'mcpServers', format: 'json', file: '.mcp.json' },
    command: (served) => `claude mcp add --scope user ${nameOf(served)} -- ${shell(served)}`,
  },
  {
    ...{ id: 'vscode', title: 'VS Code', suffix: 'vscode', key: 'servers', format: 'json', file: '.vscode/mcp.json' },
    link: (served) =>
      `vscode:mcp/install?${encodeURIComponent(JSON.stringify({ name: nameOf(served), type: 'stdio', ...entryOf(served) }))}`,
    command: (served) => `code --add-mcp '${JSON.stringify({ name: nameOf(served), type: 'stdio', ...entryOf(served) })}'`,
  },
  {
    ...{ id: 'cursor', title: 'Cursor', suffix: 'cursor', key: 'mcpServers', format: 'json', file: '.cursor/mcp.json' },
    link: (served) =>
      `cursor://anysphere.cursor-deeplink/mcp/install?name=${encodeURIComponent(nameOf(served))}&config=${encodeURIComponent(btoa(JSON.stringify(entryOf(served))))}`,
  },
  {
    ...{ id: 'codex', title: 'Codex', suffix: 'codex', key: 'mcp_servers', format: 'toml', file: '~/.codex/config.toml' },
    command: (served) => `codex mcp add ${nameOf(served)} -- ${shell(served)}`,
  },
  { id: 'other', title: 'Other', suffix: 'agent', key: 'mcpServers', format: 'json' },
]

export const clientOf = (id: string): Client => CLIENTS.find((client) => client.id === id) ?? CLIENTS.at(-1)!

/** What the CLI does for the same: edits the client's file with a backup, prints the change. */
export const addCommand = (client: Client, { server, agent }: Served): string =>
  client.id === 'other'
    ? `npx postern connector run ${server} --agent ${agent}`
    : `npx postern client add ${client.id} ${server} --agent ${agent}`

/** The whole file, if nothing else stands in it. */
export function configText({ key, format }: Client, served: Served): string {
  const name = nameOf(served)
  const entry = entryOf(served)
  if (format === 'json') return JSON.stringify({ [key]: { [name]: entry } }, null, 2)
  const list = entry.args.map((word) => JSON.stringify(word)).join(', ')
  return `[${key}.${name}]\ncommand = ${JSON.stringify(entry.command)}\nargs = [${list}]`
}
