import { createHash } from 'node:crypto'
import { chmod, rm } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { places } from './config.ts'
import { makePrivateDirectory } from './durable.ts'
import { OperationError } from './errors.ts'
import type { Metrics } from './metrics.ts'

export interface HealthReport {
  readonly status: 'ok' | 'degraded' | 'failing'
  readonly [detail: string]: unknown
}

export interface Health {
  report(): HealthReport
  /** Answers `GET /health` (200, or 503 when failing) and returns true; leaves every other request alone. */
  answer(request: IncomingMessage, response: ServerResponse): boolean
}

/**
 * A process's own view of itself, asked anew each time.
 * @param detail Whatever else is worth knowing; its `status` is what decides between 200 and 503.
 */
export function createHealth(name: string, detail: () => HealthReport, metrics?: Metrics): Health {
  const began = performance.now()
  const report = (): HealthReport => ({
    ...detail(),
    name,
    pid: process.pid,
    uptime_seconds: Math.floor((performance.now() - began) / 1000),
    memory_bytes: process.memoryUsage.rss(),
    ...(metrics ? { counters: metrics.snapshot() } : {}),
  })
  return { report, answer: (request, response) => answer(report, request, response) }
}

function answer(report: () => HealthReport, request: IncomingMessage, response: ServerResponse): boolean {
  if (request.url?.split('?', 1)[0] !== '/health') return false
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end()
    return true
  }
  const health = report()
  const body = JSON.stringify(health)
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store', 'content-length': Buffer.byteLength(body) }
  response.writeHead(health.status === 'failing' ? 503 : 200, headers).end(request.method === 'HEAD' ? undefined : body)
  return true
}

/** Longest path a socket address takes everywhere (macOS: 104 with the final zero). */
const MAX_SOCKET_PATH = 103

/**
 * Where the health socket of a process lives: `$XDG_RUNTIME_DIR/postern/<name>.sock`, else in the state directory. A name too long
 * for a socket address is replaced by its digest.
 */
export function healthSocketPath(name: string, { runtime, state } = places()): string {
  const directory = runtime ?? join(state, 'run')
  const plain = join(directory, `${name}.sock`)
  if (Buffer.byteLength(plain) <= MAX_SOCKET_PATH) return plain
  return join(directory, `${createHash('sha256').update(name).digest('hex').slice(0, 16)}.sock`)
}

/**
 * Serves health on a Unix socket that only this user can open (0600, in a 0700 directory): a process that must not listen on the network.
 * @throws {OperationError} `ALREADY_RUNNING` when a live process answers there; a socket left by a dead one is replaced
 */
export async function openHealthSocket(health: Health, name: string, at = places()): Promise<AsyncDisposable & { readonly path: string }> {
  const path = healthSocketPath(name, at)
  await makePrivateDirectory(join(path, '..'))
  if (await isAnswering(path)) throw new OperationError('ALREADY_RUNNING', `a process already answers on ${path}`)
  await rm(path, { force: true })
  const server = createServer((request, response) => {
    if (!health.answer(request, response)) response.writeHead(404).end()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new OperationError('STORAGE_FAILED', `cannot open ${path}: ${cause.message}`, { cause })))
    server.listen(path, resolve)
  })
  await chmod(path, 0o600)
  server.unref()
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections())
  return { path, [Symbol.asyncDispose]: close }
}

/** What a process on this machine says of itself, or undefined when none answers within a second. */
export function readHealth(name: string, at = places()): Promise<HealthReport | undefined> {
  return new Promise((resolve) => {
    const asked = request({ socketPath: healthSocketPath(name, at), path: '/health', timeout: 1000 }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
        if (body.length > 1 << 20) response.destroy()
      })
      response.on('error', () => resolve(undefined))
      response.on('close', () => resolve(parseReport(body)))
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => resolve(undefined))
    asked.end()
  })
}

function parseReport(body: string): HealthReport | undefined {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path)
    const end = (answer: boolean) => {
      probe.destroy()
      resolve(answer)
    }
    probe.once('connect', () => end(true)).once('error', () => end(false))
  })
}
