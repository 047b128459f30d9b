import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname } from 'node:path'
import { errnoOf, OperationError } from '@postern/daemon'
import type { SignerDist } from './dist.ts'
import { headersFor } from './dist.ts'

export interface SignerServer {
  readonly url: string
  close(): Promise<void>
}

export interface SignerServerOptions {
  readonly host: string
  readonly port: number
  /** Origins of the control plane: the only ones the page may talk to. */
  readonly consoles: readonly string[]
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
}
/** Addresses of the one page. */
const PAGES = new Set(['/', '/genesis'])

/**
 * Serves the signing page and nothing else: GET and HEAD of exactly the files that were built, each with the headers that were built with
 * them. No cookie, no state, no log of what was asked for; what is to be signed stands behind '#' and never arrives here.
 * @throws {OperationError} PORT_TAKEN
 */
export async function serveSigner(dist: SignerDist, { host, port, consoles }: SignerServerOptions): Promise<SignerServer> {
  const headers = { ...headersFor(dist, consoles), 'cache-control': 'no-cache' }
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => answer(request, response))
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const isTaken = errnoOf(error) === 'EADDRINUSE'
      reject(isTaken ? new OperationError('PORT_TAKEN', `port ${port} is taken`, { fix: 'add --port <another one>', cause: error }) : error)
    })
    server.listen({ host, port, exclusive: true }, resolve)
  })
  const open = (server.address() as AddressInfo).port
  return {
    url: `http://${['127.0.0.1', '::1'].includes(host) ? 'localhost' : host}:${open}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }

  function answer({ method, url = '/' }: IncomingMessage, response: ServerResponse): void {
    const path = url.split('?', 1)[0]!
    const name = PAGES.has(path) ? 'index.html' : path.slice(1)
    const bytes = dist.files.get(name)
    const isRead = method === 'GET' || method === 'HEAD'
    const status = !isRead ? 405 : bytes ? 200 : 404
    const body = status === 200 ? bytes! : Buffer.from(status === 404 ? 'not found\n' : 'GET or HEAD\n')
    const type = status === 200 ? (TYPES[extname(name)] ?? 'application/octet-stream') : 'text/plain; charset=utf-8'
    response.writeHead(status, {
      ...headers,
      'content-type': type,
      'content-length': body.length,
      ...(isRead ? {} : { allow: 'GET, HEAD' }),
    })
    response.end(method === 'HEAD' ? undefined : body)
  }
}
