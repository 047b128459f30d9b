import { homedir } from 'node:os'
import { join, posix, win32 } from 'node:path'
import { stringify } from 'smol-toml'
import type { Environment } from './config.ts'
import { safeJson } from './output/escape.ts'

/** What an MCP client needs to know to start a server: no shell reads it. */
export interface Entry {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** The machine whose files are named. */
export interface Machine {
  readonly platform: NodeJS.Platform
  readonly home: string
  readonly environment: Environment
}

/** One MCP client. A row holds all that we know about it. */
export interface Client {
  readonly name: string
  readonly title: string
  /** What stands at the top of the file, around all servers. */
  readonly key: 'mcpServers' | 'servers' | 'mcp_servers'
  readonly format: 'json' | 'toml'
  /** Fields of an entry beside command, args and env. */
  readonly fixed?: Readonly<Record<string, string>>
  /** The person's own file. */
  readonly file: (machine: Machine) => string
  /** The file of one project, where there is one: from the project's directory. */
  readonly projectFile?: string
  /** The client's own command for the same, as words. */
  readonly command?: (name: string, entry: Entry) => readonly string[]
  /** What makes it read the file again. */
  readonly afterwards: string
  /** What is there when it is installed, beside its file. */
  readonly marks?: (machine: Machine) => readonly string[]
  /** Where it writes what went wrong with servers. */
  readonly logs?: (machine: Machine) => string
  /** Behind a person's name, in the atSign of their agent. */
  readonly suffix: string
  /** Known to split arguments at spaces. */
  readonly splitsArguments?: boolean
}

const named = ({ env }: Entry, flag: string) => Object.entries(env).flatMap(([name, value]) => [flag, `${name}=${value}`])

export const CLIENTS: readonly Client[] = [
  {
    ...{ name: 'claude-desktop', title: 'Claude Desktop', key: 'mcpServers', format: 'json' },
    file: (machine) => inApplications(machine, 'Claude', 'claude_desktop_config.json'),
    afterwards: 'quit Claude Desktop and open it again: it reads its file only when it starts',
    logs: (machine) =>
      machine.platform === 'darwin' ? inHome(machine, 'Library', 'Logs', 'Claude') : inApplications(machine, 'Claude', 'logs'),
    suffix: 'claude',
  },
  {
    ...{ name: 'claude-code', title: 'Claude Code', key: 'mcpServers', format: 'json', fixed: { type: 'stdio' } },
    file: (machine) => inHome(machine, '.claude.json'),
    projectFile: '.mcp.json',
    marks: (machine) => [inHome(machine, '.claude')],
    suffix: 'claude-code',
    command: (name, entry) => [
      'claude',
      'mcp',
      'add',
      '--scope',
      'user',
      name,
      ...named(entry, '--env'),
      '--',
      entry.command,
      ...entry.args,
    ],
    afterwards: 'start a new session; /mcp shows it',
  },
  {
    ...{ name: 'vscode', title: 'VS Code', key: 'servers', format: 'json', fixed: { type: 'stdio' } },
    file: (machine) => inApplications(machine, 'Code', 'User', 'mcp.json'),
    projectFile: '.vscode/mcp.json',
    suffix: 'vscode',
    command: (name, entry) => ['code', '--add-mcp', JSON.stringify({ name, ...fieldsOf(entry, { type: 'stdio' }) })],
    afterwards: 'VS Code asks whether it trusts the server',
  },
  {
    ...{ name: 'cursor', title: 'Cursor', key: 'mcpServers', format: 'json', fixed: { type: 'stdio' }, splitsArguments: true },
    file: (machine) => inHome(machine, '.cursor', 'mcp.json'),
    projectFile: '.cursor/mcp.json',
    suffix: 'cursor',
    afterwards: 'switch it on in Settings, MCP',
  },
  {
    ...{ name: 'codex', title: 'Codex', key: 'mcp_servers', format: 'toml' },
    file: ({ environment, ...machine }) =>
      environment.CODEX_HOME
        ? pathOf(machine.platform).join(environment.CODEX_HOME, 'config.toml')
        : inHome({ ...machine, environment }, '.codex', 'config.toml'),
    projectFile: '.codex/config.toml',
    suffix: 'codex',
    command: (name, entry) => ['codex', 'mcp', 'add', name, ...named(entry, '--env'), '--', entry.command, ...entry.args],
    afterwards: 'start a new session; /mcp shows it',
  },
]

export const findClient = (name: string): Client | undefined => CLIENTS.find((client) => client.name === name)

const pathOf = (platform: NodeJS.Platform) => (platform === 'win32' ? win32 : posix)
const inHome = ({ platform, home }: Machine, ...segments: string[]) => pathOf(platform).join(home, ...segments)

/** Where graphical programs keep their settings. */
function inApplications({ platform, home, environment }: Machine, ...segments: string[]): string {
  if (platform === 'darwin') return posix.join(home, 'Library', 'Application Support', ...segments)
  if (platform === 'win32') return win32.join(environment.APPDATA ?? win32.join(home, 'AppData', 'Roaming'), ...segments)
  const { XDG_CONFIG_HOME: given } = environment
  return posix.join(given?.startsWith('/') ? given : posix.join(home, '.config'), ...segments)
}

/** What an entry is for. */
export interface Served {
  readonly server: string
  readonly agent: string
  /** Enrols the agent at the first start. */
  readonly join?: string | undefined
  /** With `join`: the person it shall act for. */
  readonly owner?: string | undefined
}

/** Reads an entry that starts a connector of whichever installation. @returns undefined for everything else */
export function servedBy(entry: unknown): Served | undefined {
  const args = typeof entry === 'object' && entry !== null && 'args' in entry && Array.isArray(entry.args) ? (entry.args as unknown[]) : []
  const at = args.findIndex((word, i) => word === 'connector' && args[i + 1] === 'run')
  const [server, ...flags] = at < 0 ? [] : args.slice(at + 2)
  const agent = flags[flags.indexOf('--agent') + 1]
  return typeof server === 'string' && typeof agent === 'string' ? { server, agent } : undefined
}

/**
 * How a client starts the connector of this installation: this Node and this CLI by absolute path, because clients start without npm, in a
 * directory of their own and with next to no environment. A state directory elsewhere is therefore passed on.
 */
export function connectorEntry(main: string, node: string, { server, agent, join, owner }: Served, { XDG_STATE_HOME }: Environment): Entry {
  const asking = [...(join === undefined ? [] : ['--join', join]), ...(owner === undefined ? [] : ['--owner', owner])]
  return {
    command: node,
    args: [main, 'connector', 'run', server, '--agent', agent, ...asking],
    env: XDG_STATE_HOME?.startsWith('/') ? { XDG_STATE_HOME } : {},
  }
}

export const fieldsOf = ({ command, args, env }: Entry, fixed: Client['fixed']) => ({
  ...fixed,
  command,
  args,
  ...(Object.keys(env).length > 0 ? { env } : {}),
})

/** What is to be pasted: the whole file, if nothing else stands in it. */
export function documentOf(client: Client, name: string, entry: Entry): { readonly value: object; readonly text: string } {
  const value = { [client.key]: { [name]: fieldsOf(entry, client.fixed) } }
  return { value, text: client.format === 'toml' ? stringify(value).trimEnd() : safeJson(value, 2) }
}

/** Names that every client takes; Claude Code refuses dots. */
export const entryName = (server: string): string => server.replaceAll('.', '-')

/** Words as a POSIX shell reads them. */
export const shellText = (words: readonly string[]): string =>
  words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ')

export const thisMachine = (environment: Environment): Machine => ({
  platform: process.platform,
  home: environment.HOME ?? homedir(),
  environment,
})

/** `src/main.ts` of this installation. */
export const cliMain = join(import.meta.dirname, 'main.ts')
