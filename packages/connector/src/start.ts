import type { Running } from '@postern/daemon'
import { createHealth, createMetrics, Disposers, openHealthSocket } from '@postern/daemon'
import { openAgent } from './agent/agent.ts'
import { openAuthority } from './agent/authority.ts'
import type { ConnectorConfig } from './config.ts'
import { Connection } from './connection.ts'
import type { ConnectorDeps } from './deps.ts'
import { openHttpEdge } from './edge/http/http.ts'
import { openToken } from './edge/http/token.ts'
import { openStdioEdge } from './edge/stdio.ts'
import { createEvents } from './events.ts'
import { openGivenGrant } from './grants/given-grant.ts'
import { openRelayBook } from './link/relays.ts'

/** What this program says about itself to the control plane. */
export const VERSION = '0.1.0'

export interface RunningConnector extends Running {
  /** The client has gone. Absent over HTTP, where clients come and go. */
  readonly ended?: Promise<void>
  /** Where HTTP clients connect; undefined over stdio. */
  readonly url?: string
  readonly connection: Connection
}

/**
 * Starts a connector: one agent, one MCP server, one local endpoint. The client is served at once; what it asks waits for the gateway.
 * @throws {ConnectorError} {OperationError} {EdgeError} when the keys, the stored log or the endpoint cannot be used
 */
export async function start(config: ConnectorConfig, deps: ConnectorDeps): Promise<RunningConnector> {
  const disposers = new Disposers()
  try {
    return await open(config, deps, disposers)
  } catch (error) {
    await disposers.dispose()
    throw error
  }
}

async function open(config: ConnectorConfig, deps: ConnectorDeps, disposers: Disposers): Promise<RunningConnector> {
  const { server } = config
  const metrics = createMetrics()
  const events = createEvents(deps.log, metrics)
  const agent = await openAgent(config.agent, config.stateRoot)
  const given = config.grant === undefined ? undefined : await openGivenGrant(config.grant, deps)
  const authority = await openAuthority(agent, config.control ?? agent.control, deps, events)
  const { client } = authority
  const relays = await openRelayBook({ fixed: config.relays, client, directory: agent.directory, version: VERSION })
  const connection = new Connection({ server, agent, authority, relays, deps, events, given, waitMs: config.waitSeconds * 1000 })
  disposers.add(() => connection.close())
  connection.open()

  const name = `connector-${agent.atsign}-${server}-${process.pid}`
  const health = createHealth(
    'connector',
    () => ({ status: connection.trouble ? 'degraded' : 'ok', ...viewOf(connection, config) }),
    metrics,
  )
  disposers.use(await openHealthSocket(health, name, { state: config.stateRoot, config: '', runtime: config.runtimeRoot }))
  const close = () => disposers.dispose()
  const serves = `connector for ${agent.atsign} serves ${server}`
  if (config.http === undefined) {
    const edge = openStdioEdge(connection, deps)
    disposers.add(() => edge.close())
    return { ready: `${serves} on stdio`, connection, ended: edge.ended, close }
  }
  const token = await openToken(agent.directory, config.tokenFile, deps.random)
  const edge = await openHttpEdge(config.http, token, connection, deps, events)
  disposers.add(() => edge.close())
  return { ready: `${serves} on ${edge.url}`, connection, url: edge.url, close }
}

const viewOf = (connection: Connection, { agent, server }: ConnectorConfig) => ({
  agent,
  server,
  gateway: connection.gateway ?? null,
  trouble: connection.trouble?.code ?? null,
  sessions: connection.sessionCount,
  pending: connection.pendingCount,
})
