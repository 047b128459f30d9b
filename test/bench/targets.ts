// Ways to one echo tool: straight, through other people's bridges, and through Postern. Each is a connected SDK client and what runs for it.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { Child, Home } from '../fixtures/processes.ts'
import { connectorCommand, freePorts, scripts, startNode, until } from '../fixtures/processes.ts'
import { peer } from './peers.ts'
import type { Stage } from './stage.ts'
import { AGENT, SERVER } from './stage.ts'

export const eras = ['legacy', 'modern'] as const
export type Era = (typeof eras)[number]
const modes = { legacy: 'legacy', modern: { pin: '2026-07-28' } } as const

export interface Target extends AsyncDisposable {
  readonly name: string
  readonly client: Client
  /** Processes between client and server, by name, whose CPU time is of interest. */
  readonly pids: Readonly<Record<string, number>>
}

type Command = { readonly command: string; readonly args: readonly string[]; readonly env?: Readonly<Record<string, string>> }
const node = (...args: readonly string[]): Command => ({ command: process.execPath, args })
const echoStdio = peer('mcp/echo-stdio.mjs')

const newClient = (era: Era) => new Client({ name: 'bench', version: '1.0.0' }, { versionNegotiation: { mode: modes[era] } })

async function overStdio(
  name: string,
  era: Era,
  { command, args, env = {} }: Command,
  beside: string,
  pids: Target['pids'] = {},
): Promise<Target> {
  const client = newClient(era)
  const transport = new StdioClientTransport({ command, args: [...args], env: { ...env }, stderr: 'pipe' })
  transport.stderr?.on('data', () => {}) // read, so that nobody waits to be read
  await client.connect(transport, { timeout: 30_000 })
  const child = transport.pid === null ? {} : { [beside]: transport.pid }
  return { name: `${name}, ${era}`, client, pids: { ...child, ...pids }, [Symbol.asyncDispose]: () => client.close() }
}

async function overHttp(name: string, era: Era, url: string, token?: string, pids: Target['pids'] = {}): Promise<Target> {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {}
  const client = newClient(era)
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }), { timeout: 30_000 })
  return { name: `${name}, ${era}`, client, pids, [Symbol.asyncDispose]: () => client.close() }
}

/** Opens all of them at once: they are alive together and measured in turns. `stack` ends them. */
export async function openTargets(stage: Stage, stack: AsyncDisposableStack): Promise<Target[]> {
  const [direct, proxied, bridged] = await freePorts(3)
  const serve = async (name: string, script: string, args: readonly string[], isUp: (child: Child) => Promise<unknown>) => {
    const child = stack.use(startNode(name, script, args, { cwd: stage.home.path, env: stage.home.env }))
    await isUp(child)
    return child
  }
  const answers = (port: number) => () =>
    until(`port ${port}`, 20_000, () =>
      fetch(`http://127.0.0.1:${port}/`).then(
        () => true,
        () => undefined,
      ),
    )
  const http = await serve('echo over HTTP', peer('mcp/echo-http.mjs'), [String(direct)], (child) => child.said(/ready/))
  const url = `http://127.0.0.1:${direct}/mcp`
  const ports = ['--host', '127.0.0.1', '--port', String(proxied)]
  const proxyArgs = [...ports, '--server', 'stream', '--', process.execPath, echoStdio]
  const proxy = await serve('mcp-proxy', peer('node_modules/mcp-proxy/dist/bin/mcp-proxy.mjs'), proxyArgs, answers(proxied!))
  const bridgeArgs = [
    '--stdio',
    `${process.execPath} ${echoStdio}`,
    '--outputTransport',
    'streamableHttp',
    '--stateful',
    '--port',
    String(bridged),
    '--logLevel',
    'none',
  ]
  const bridge = await serve('supergateway', peer('node_modules/supergateway/dist/index.js'), bridgeArgs, answers(bridged!))
  const connector = await openHttpConnector(stage, stack)
  const shared = { relay: stage.relay.pid, gateway: stage.gateway.pid, 'control plane (receipts)': stage.control.pid }

  const opening: (() => Promise<Target>)[] = [
    ...eras.map((era) => () => overStdio('SDK stdio, direct', era, node(echoStdio), 'server')),
    ...eras.map((era) => () => overHttp('SDK HTTP, direct', era, url, undefined, { server: http.pid })),
    () => overHttp('mcp-proxy', 'legacy', `http://127.0.0.1:${proxied}/mcp`, undefined, { proxy: proxy.pid }),
    () => overHttp('supergateway', 'legacy', `http://127.0.0.1:${bridged}/mcp`, undefined, { bridge: bridge.pid }),
    () =>
      overStdio(
        'mcp-remote',
        'legacy',
        node(peer('node_modules/mcp-remote/dist/proxy.js'), url, '--allow-http', '--transport', 'http-only'),
        'mcp-remote',
        { server: http.pid },
      ),
    ...eras.map((era) => () => overStdio('Postern, stdio', era, connectorCommand(stage.home, AGENT, SERVER), 'connector', shared)),
    ...eras.map((era) => () => overHttp('Postern, HTTP', era, connector.url, connector.token, { connector: connector.pid, ...shared })),
  ]
  const targets: Target[] = []
  for (const open of opening) targets.push(stack.use(await open()))
  return targets
}

/** One agent over stdio, for those who want just a call. */
export const openAgentTarget = ({ home }: Stage, agent: string): Promise<Target> =>
  overStdio(agent, 'modern', connectorCommand(home, agent, SERVER), 'connector')

async function openHttpConnector({ home }: Stage, stack: AsyncDisposableStack): Promise<{ url: string; token: string; pid: number }> {
  const args = ['--agent', AGENT, '--server', SERVER, '--http', '0']
  const child = stack.use(startNode('connector over HTTP', scripts.connector, args, { env: home.env }))
  const [, url] = await child.said(/(http:\/\/\S+\/mcp)/)
  return { url: url!, token: await readToken(home), pid: child.pid }
}

const readToken = async (home: Home) => (await readFile(join(home.state, 'agent', AGENT, 'http-token'), 'utf8')).trim()
