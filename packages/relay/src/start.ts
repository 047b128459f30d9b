import type { IncomingMessage, Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { MAX_FRAME_BYTES } from '@postern/core/frame'
import type { Log, Metrics, Running } from '@postern/daemon'
import { createHealth, createMetrics, Disposers, errnoOf, OperationError } from '@postern/daemon'
import { WebSocketServer } from 'ws'
import { Admission } from './admission.ts'
import type { RelayConfig } from './config.ts'
import { createEvents } from './events.ts'
import { Peer } from './peer.ts'
import { Relay } from './relay.ts'

export interface RelayDeps {
  readonly log: Log
  readonly metrics?: Metrics
  /** Monotonic milliseconds. */
  readonly now?: () => number
  /** Calls back once a second; returns how to stop it. Replaced in tests. */
  readonly everySecond?: (call: () => void) => () => void
  /** Connections that have not proven a key yet; strangers can take no more than these. Default 1024. */
  readonly maxWaiting?: number
}

export interface RunningRelay extends Running {
  /** The port it listens on: the configured one, or the one that was free. */
  readonly port: number
}

/** A stranger gets this long to send its request. */
const REQUEST_MS = 10_000
const CLOSE_MS = 1000

/**
 * Starts a relay.
 * @throws {OperationError} PORT_TAKEN
 */
export async function start(config: RelayConfig, deps: RelayDeps): Promise<RunningRelay> {
  const { log, metrics = createMetrics(), now = () => performance.now(), everySecond = realSeconds, maxWaiting = 1024 } = deps
  const disposers = new Disposers()
  const events = createEvents(log, metrics)
  const admission = new Admission({ controlUrl: config.controlUrl, now, onFailure: events.admissionFailed })
  const relay = new Relay({ admission, events, now, maxQueueBytes: config.maxQueueBytes, idleSeconds: config.idleSeconds })
  disposers.add(() => admission.close())

  const health = createHealth('relay', () => ({ status: admission.isFailing ? 'degraded' : 'ok', ...occupancy(relay) }), metrics)
  const server = createServer({ headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS, connectionsCheckingInterval: 2000 })
  server.on('request', (request, response) => health.answer(request, response) || response.writeHead(404).end())
  server.maxConnections = config.maxPeers + maxWaiting
  await listen(server, config)
  disposers.add(() => closeServer(server))

  const { port } = server.address() as AddressInfo
  acceptUpgrades(server, relay, namesOf(config, port), () => relay.waiting.size >= maxWaiting || relay.peers.size >= config.maxPeers)
  disposers.add(everySecond(() => relay.tick()))
  disposers.add(() => sayGoodbye(relay))
  return { ready: `relay listens on ws://${urlHost(config.host)}:${port}/relay`, port, close: () => disposers.dispose() }
}

const occupancy = (relay: Relay) => ({
  peers: relay.peers.size,
  organisations: relay.board.orgs.size,
  waiting: relay.waiting.size,
  congested: relay.board.congested.size,
  queued_bytes: [...relay.board.congested].reduce((sum, peer) => sum + peer.bufferedAmount, 0),
})

function acceptUpgrades(server: Server, relay: Relay, names: ReadonlySet<string>, isFull: () => boolean): void {
  const sockets = new WebSocketServer<typeof Peer>({
    noServer: true,
    WebSocket: Peer,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    maxFragments: 64,
    maxBufferedChunks: 1024,
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const host = request.headers.host?.toLowerCase() ?? ''
    if (request.url !== '/relay') return turnAway(socket, '404 Not Found')
    if (!names.has(host)) return turnAway(socket, '421 Misdirected Request')
    if (isFull()) return turnAway(socket, '503 Service Unavailable')
    sockets.handleUpgrade(request, socket, head, (peer) => relay.accept(peer, host))
  })
}

function turnAway(socket: Duplex, status: string): void {
  socket.on('error', () => {})
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
}

/** As a Host header writes them: without the port where it is the scheme's own. */
function namesOf({ names, host }: RelayConfig, port: number): ReadonlySet<string> {
  const loopback = ['localhost', '127.0.0.1', '[::1]', urlHost(host)].map((name) => `${name}:${port}`)
  return new Set(names.length > 0 ? names : port === 80 ? loopback.map((name) => name.slice(0, -3)) : loopback)
}

const urlHost = (host: string) => (host.includes(':') ? `[${host}]` : host)

async function listen(server: Server, { port, host }: RelayConfig): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen({ port, host, backlog: 4096 }, resolve)
  try {
    await promise
  } catch (cause) {
    if (errnoOf(cause) !== 'EADDRINUSE') throw cause
    const fix = `stop what listens there, or choose another port: POSTERN_RELAY_PORT=${port + 1}`
    throw new OperationError('PORT_TAKEN', `port ${port} on ${host} is taken; ${fix}`, { cause, fix })
  }
}

function realSeconds(call: () => void): () => void {
  const timer = setInterval(call, 1000)
  return () => clearInterval(timer)
}

async function sayGoodbye(relay: Relay): Promise<void> {
  const open = [...relay.waiting, ...relay.peers]
  const gone = open.map((peer) => new Promise((resolve) => peer.once('close', resolve)))
  relay.stop()
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, CLOSE_MS)
  await Promise.race([Promise.all(gone), late.promise])
  clearTimeout(timer)
  for (const peer of open) peer.terminate()
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
