// What everybody dials as the control plane: its operator's own proxy in front of the real one. An operator can read and rewrite every
// answer, so a control plane that lies is an honest one behind a front that does.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Agent, createServer, request as dial } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** One request that came through, as an operator sees it. */
export interface Seen {
  readonly method: string
  /** With its query. */
  readonly path: string
  /** Key id under which it was signed; undefined when it was not. */
  readonly kid: string | undefined
}

/** Rewrites what the control plane answered. `undefined`: this answer stays as it is. */
export type Lie = (seen: Seen, answer: unknown) => unknown

export interface Front extends AsyncDisposable {
  readonly url: string
  /** Port of the real control plane. */
  target: number
  /** What it lies about now. */
  lie: Lie | undefined
  /** Resolves once a request matches that came after this call. */
  untilAsked(what: string, matches: (seen: Seen) => boolean, timeoutMs?: number): Promise<void>
  /** Breaks all connections and lets new requests wait until it is disposed, so that the control plane behind can be exchanged. */
  hold(): Disposable
  /** Breaks all connections, so that whoever still wants something comes again. */
  hangUp(): void
}

const ASKED_MS = 60_000

export async function openFront(): Promise<Front> {
  const upstream = new Agent({ keepAlive: true })
  const watchers = new Set<(seen: Seen) => void>()
  let free: Promise<void> = Promise.resolve()
  const server = createServer(async (request, response) => {
    const asked = seenOf(request)
    await free
    if (response.destroyed) return
    forward(request, response, { port: front.target, agent: upstream, rewrite: front.lie && ((answer) => front.lie?.(asked, answer)) })
    response.once('close', () => {
      for (const watch of watchers) watch(asked)
    })
  })
  const { port } = await listening(server)
  const front: Front = {
    url: `http://localhost:${port}`,
    target: 0,
    lie: undefined,
    async untilAsked(what, matches, timeoutMs = ASKED_MS) {
      const asked = Promise.withResolvers<void>()
      const watch = (one: Seen) => matches(one) && asked.resolve()
      watchers.add(watch)
      const timeout = new AbortController()
      const late = pause(timeoutMs, undefined, { signal: timeout.signal }).then(() => {
        throw new Error(`waited ${timeoutMs / 1000} s for ${what}`)
      })
      await Promise.race([asked.promise, late]).finally(() => {
        watchers.delete(watch)
        timeout.abort()
        late.catch(() => {})
      })
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      free = promise
      server.closeAllConnections()
      upstream.destroy()
      return { [Symbol.dispose]: resolve }
    },
    hangUp: () => server.closeAllConnections(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      upstream.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return front
}

async function listening(server: Server): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, 'localhost', resolve))
  return server.address() as AddressInfo
}

/** RFC 9421 names the key in `Signature-Input`. Who signed is not verified here: this is only what the operator sees. */
function seenOf(request: IncomingMessage): Seen {
  const input = String(request.headers['signature-input'] ?? '')
  return { method: request.method ?? '', path: request.url ?? '', kid: /keyid="([^"]+)"/.exec(input)?.[1] }
}

interface Route {
  readonly port: number
  readonly agent: Agent
  readonly rewrite: ((answer: unknown) => unknown) | undefined
}

function forward(request: IncomingMessage, response: ServerResponse, { port, agent, rewrite }: Route): void {
  const { method, url, headers } = request
  const onward = dial({ host: 'localhost', port, agent, method, path: url, headers }, (answer) => {
    if (rewrite && /json/.test(answer.headers['content-type'] ?? '')) {
      return void rewritten(answer, response, rewrite).catch(() => response.destroy()) // one side has hung up
    }
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    response.flushHeaders()
    answer.pipe(response)
    answer.once('close', () => response.end())
  })
  onward.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()))
  response.once('close', () => onward.destroy())
  request.pipe(onward)
}

async function rewritten(answer: IncomingMessage, response: ServerResponse, rewrite: (answer: unknown) => unknown): Promise<void> {
  const pieces: Buffer[] = []
  for await (const piece of answer) pieces.push(piece as Buffer)
  const honest = Buffer.concat(pieces)
  const lie = rewrite(JSON.parse(honest.toString()))
  const bytes = lie === undefined ? honest : Buffer.from(JSON.stringify(lie))
  const { 'transfer-encoding': _, ...headers } = answer.headers
  response.writeHead(lie === undefined ? (answer.statusCode ?? 200) : 200, { ...headers, 'content-length': bytes.length }).end(bytes)
}
