import { parseAtSign, parseJoinString } from '@postern/core'
import type { Running } from '@postern/daemon'
import { createHealth, createMetrics, Disposers, openHealthSocket, unixSeconds } from '@postern/daemon'
import type { Agent } from './agent/agent.ts'
import { openAgent } from './agent/agent.ts'
import type { AgentAuthority } from './agent/authority.ts'
import { openAuthority } from './agent/authority.ts'
import type { ConnectorConfig } from './config.ts'
import { Connection } from './connection.ts'
import type { ConnectorDeps } from './deps.ts'
import { openHttpEdge } from './edge/http/http.ts'
import { openToken } from './edge/http/token.ts'
import { openStdioEdge } from './edge/stdio.ts'
import { createEvents } from './events.ts'
import { openGivenGrant } from './grants/given-grant.ts'
import type { JoinOrder } from './join/asked.ts'
import { makeAgent } from './join/asked.ts'
import type { JoinStatus } from './join/joiner.ts'
import { untilEnrolled } from './join/joiner.ts'
import type { RelayBook } from './link/relays.ts'
import { openRelayBook } from './link/relays.ts'
import type { Visitor } from './session/lobby.ts'
import { Lobby } from './session/lobby.ts'

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
  const order = orderOf(config)
  if (order) await makeAgent(config.agent, order, config.stateRoot, deps)
  const agent = await openAgent(config.agent, config.stateRoot)
  const given = config.grant === undefined ? undefined : await openGivenGrant(config.grant, deps)
  const authority = await openAuthority(agent, config.control ?? agent.control, deps, events)
  const { client } = authority
  const relays = await openRelayBook({ fixed: config.relays, client, directory: agent.directory, version: VERSION })
  const connection = new Connection({
    server,
    agent,
    authority,
    relays,
    deps,
    events,
    given,
    waitMs: config.waitSeconds * 1000,
    approvalWaitMs: config.approvalWaitSeconds * 1000,
  })
  disposers.add(() => connection.close())
  const lobby = openLobby({ connection, relays, server, deps })
  const enter = () => {
    connection.open()
    lobby.open()
  }
  if (!order || authority.isEnrolled) enter()
  else disposers.add(waitToEnter({ agent, authority, order, lobby, server, deps, enter }))

  const name = `connector-${agent.atsign}-${server}-${process.pid}`
  const health = createHealth(
    'connector',
    () => ({ status: connection.trouble ? 'degraded' : 'ok', ...viewOf(connection, lobby, config) }),
    metrics,
  )
  disposers.use(await openHealthSocket(health, name, { state: config.stateRoot, config: '', runtime: config.runtimeRoot }))
  const close = () => disposers.dispose()
  const serves = `connector for ${agent.atsign} serves ${server}`
  if (config.http === undefined) {
    const edge = openStdioEdge(lobby, deps)
    disposers.add(() => edge.close())
    return { ready: `${serves} on stdio`, connection, ended: edge.ended, close }
  }
  const token = await openToken(agent.directory, config.tokenFile, deps.random)
  const edge = await openHttpEdge(config.http, token, lobby, deps, events)
  disposers.add(() => edge.close())
  return { ready: `${serves} on ${edge.url}`, connection, url: edge.url, close }
}

function orderOf({ join, owner }: ConnectorConfig): JoinOrder | undefined {
  return join === undefined ? undefined : { join: parseJoinString(join), owner: owner === undefined ? undefined : parseAtSign(owner) }
}

interface LobbyDeps {
  readonly connection: Connection
  readonly relays: RelayBook
  readonly server: string
  readonly deps: ConnectorDeps
}

/** Whoever comes is told to the control plane, for people to look at: once when it introduces itself, and when it has its tools. */
function openLobby({ connection, relays, server, deps }: LobbyDeps): Lobby {
  const onVisitor = ({ name, version, tools }: Visitor) => {
    relays.visit({ server, name, version, ...(tools === undefined ? {} : { tools }) })
    if (connection.gateway !== undefined) relays.ask().catch(() => {}) // a later report says it too
  }
  return new Lobby({ connection, version: VERSION, now: () => unixSeconds(deps.clock), onVisitor })
}

/** Before anything is known of the request, a client may wait this long for the first word. */
const QUIET_MS = 1_500
/** A client introduces itself at once, if it does. */
const INTRODUCTION_MS = 1_000

interface Entrance {
  readonly agent: Agent
  readonly authority: AgentAuthority
  readonly order: JoinOrder
  readonly lobby: Lobby
  readonly server: string
  readonly deps: ConnectorDeps
  readonly enter: () => void
}

/** Asks to be enrolled beside everything else. @returns what ends it */
function waitToEnter({ agent, authority, order, lobby, server, deps, enter }: Entrance): () => void {
  const stop = new AbortController()
  let status: JoinStatus | undefined
  const desk = () => lobby.desk(() => ({ agent: agent.atsign, server, status }))
  const quiet = deps.after(QUIET_MS, desk)
  const onStatus = (found: JoinStatus) => {
    if (found.kind !== status?.kind) deps.log.info({ status: found.kind }, `${agent.atsign} is not enrolled yet`)
    status = found
    desk()
  }
  const clientName = () => Promise.race([lobby.met.then(({ name, version }) => `${name} ${version}`.trim()), later(deps)])
  untilEnrolled({ agent, authority, order, deps, version: VERSION, clientName, onStatus, signal: stop.signal }).then(
    () => {
      quiet[Symbol.dispose]()
      enter()
    },
    (error) => onStatus({ kind: 'unreachable', why: (error as Error).message }),
  )
  return () => {
    quiet[Symbol.dispose]()
    stop.abort()
  }
}

const later = ({ after }: ConnectorDeps) => new Promise<undefined>((resolve) => after(INTRODUCTION_MS, () => resolve(undefined)))

const viewOf = (connection: Connection, { visitor }: Lobby, { agent, server }: ConnectorConfig) => ({
  agent,
  server,
  client: visitor ? { name: visitor.name, version: visitor.version, at: visitor.at } : null,
  tools: visitor?.tools ?? null,
  called: visitor?.called ?? null,
  gateway: connection.gateway ?? null,
  trouble: connection.trouble?.code ?? null,
  sessions: connection.sessionCount,
  pending: connection.pendingCount,
})
