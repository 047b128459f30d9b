import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

// What a signing page hands back to a terminal of the same machine: a fragment, which browsers send to nobody, so one tiny page posts it.

const HOST = '127.0.0.1'
const MAX_BYTES = 64 * 1024
const SCRIPT = `const say=(text)=>{document.querySelector('p').textContent=text};const given=location.hash.slice(1);history.replaceState(null,'','/');
if(!given)say('Nothing came back. Go on in the terminal.');else fetch('/',{method:'POST',body:given,headers:{'content-type':'text/plain'}}).then((answer)=>answer.text()).then(say,()=>say('The terminal does not wait any more.'))`
const STYLE = 'body{font:1.1rem system-ui;margin:4rem auto;max-width:32rem;padding:0 1rem;color-scheme:light dark}'
const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Postern</title><style>${STYLE}</style><p role="status">One moment…</p><script>${SCRIPT}</script></html>`
const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

const HEADERS = {
  'content-security-policy': `default-src 'none'; script-src ${hashOf(SCRIPT)}; style-src ${hashOf(STYLE)}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
}

/** Waits on this machine, for one answer. */
export interface Loopback extends AsyncDisposable {
  readonly port: number
  /** Resolves with what was handed back and taken. */
  readonly taken: Promise<string>
}

/**
 * Listens on loopback alone, until one answer was taken. Whoever else finds the port can offer something, but nothing that `take` refuses
 * changes anything.
 * @param take Throws for what is not the answer that was waited for; its message is shown in the browser.
 */
export async function openLoopback(take: (given: string) => void): Promise<Loopback> {
  const { promise: taken, resolve } = Promise.withResolvers<string>()
  let isTaken = false
  let origin = ''
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => void answer(request, response))
  await new Promise<void>((listening, reject) => {
    server.once('error', reject)
    server.listen({ host: HOST, port: 0 }, listening)
  })
  const { port } = server.address() as AddressInfo
  origin = `http://${HOST}:${port}`
  return {
    port,
    taken,
    [Symbol.asyncDispose]: () =>
      new Promise((done) => {
        server.close(() => done())
        setImmediate(() => server.closeIdleConnections())
        setTimeout(() => server.closeAllConnections(), 500).unref()
      }),
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url, headers } = request
    const isHere = headers.host === `${HOST}:${port}` && url?.split('?', 1)[0] === '/'
    if (isHere && method === 'GET') return send(response, 200, PAGE, 'text/html; charset=utf-8')
    if (!isHere || method !== 'POST' || headers.origin !== origin)
      return send(response, isHere && method !== 'POST' ? 405 : 404, 'not here')
    const body = await read(request)
    if (body === undefined) return send(response, 413, 'That is too long.')
    if (isTaken) return send(response, 409, 'The terminal has its answer already.')
    try {
      take(body)
    } catch (error) {
      return send(response, 400, `Not signed in: ${(error as Error).message}`)
    }
    isTaken = true
    send(response, 200, 'Done. You can close this tab and go on in the terminal.')
    resolve(body)
  }

  function send(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
    response.writeHead(status, { ...HEADERS, 'content-type': type, connection: 'close' }).end(text)
  }
}

async function read(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
