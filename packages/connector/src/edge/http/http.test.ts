import { request } from 'node:http'
import type { RpcMessage, RpcRequest } from '@postern/core'
import { classify, metaOf } from '@postern/core'
import { createLog, createMetrics } from '@postern/daemon'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemDeps } from '../../deps.ts'
import { createEvents } from '../../events.ts'
import type { ClientEnd } from '../../session/client-session.ts'
import type { HttpEdge } from './http.ts'
import { openHttpEdge } from './http.ts'

const token = 'correct-horse-battery-staple-0123456789'
const deps = systemDeps(createLog('test', { level: 'silent' }))

/** What stands behind the endpoint: answers `echo` and `initialize`, does as told by the others, and keeps what it gets. */
class FakeServer {
  readonly sessions: { client: ClientEnd; got: RpcMessage[]; isClosed: boolean }[] = []

  openSession = (client: ClientEnd) => {
    const session = { client, got: [] as RpcMessage[], isClosed: false }
    this.sessions.push(session)
    return {
      receive: (message: RpcMessage) => {
        session.got.push(message)
        if (message.kind === 'request') this.#answer(client, message)
      },
      drained: async () => {},
      close: () => {
        session.isClosed = true
      },
    }
  }

  #answer(client: ClientEnd, { id, method, params }: RpcRequest): void {
    const say = (json: object) =>
      client.deliver(classify({ jsonrpc: '2.0', ...json } as never), Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...json })))
    if (method === 'initialize') return say({ id, result: { protocolVersion: '2025-11-25', capabilities: {} } })
    if (method === 'unknown') return say({ id, error: { code: -32_601, message: 'no such method' } })
    if (method === 'unsupported') return say({ id, error: { code: -32_022, message: 'no such version' } })
    if (method === 'progress') {
      say({ method: 'notifications/progress', params: { progressToken: metaOf(params).progressToken!, progress: 1 } })
      return say({ id, result: { done: true } })
    }
    if (method === 'question') return say({ id: 77, method: 'roots/list', params: {} })
    if (method === 'wait') return
    say({ id, result: { echo: params } })
  }
}

let server: FakeServer
let edge: HttpEdge
let port: number
beforeEach(async () => {
  server = new FakeServer()
  edge = await openHttpEdge(0, token, server, deps, createEvents(deps.log, createMetrics()))
  port = Number(new URL(edge.url).port)
})
afterEach(() => edge.close())

interface Sent {
  method?: string
  path?: string
  headers?: Record<string, string | undefined>
  body?: unknown
  /** Instead of JSON of the body. */
  raw?: string | Buffer
}
interface Got {
  status: number
  headers: Record<string, unknown>
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
  json: any
}

/** Not `fetch`, which lets nobody choose Host. */
function send({ method = 'POST', path = '/mcp', headers = {}, body, raw }: Sent = {}): Promise<Got> {
  const given = {
    host: `127.0.0.1:${port}`,
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...headers,
  }
  const chosen = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Record<string, string>
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', method, path, headers: chosen, setHost: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk))
      response.on('end', () => {
        const isJson = response.headers['content-type']?.includes('json')
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined })
      })
    })
    asked.on('error', reject)
    asked.end(raw ?? (body === undefined ? undefined : JSON.stringify(body)))
  })
}

const envelope = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }
const modern = (method: string, params: object = {}, id: number | string = 1) => ({
  body: { jsonrpc: '2.0', id, method, params: { ...params, _meta: { ...envelope, ...(params as { _meta?: object })._meta } } },
  headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method } as Record<string, string | undefined>,
})
const initialize = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
}
const begin = async () => String((await send({ body: initialize })).headers['mcp-session-id'])
const legacy = (session: string, body: object): Sent => ({ body: { jsonrpc: '2.0', ...body }, headers: { 'mcp-session-id': session } })

describe('who may come in', () => {
  test.each([
    ['another Host', { host: 'evil.example' }],
    ['our address with another port', { host: '127.0.0.1:1' }],
    ['no Host', { host: '' }],
    ['a foreign Origin', { origin: 'https://evil.example' }],
    ['Origin null', { origin: 'null' }],
    ['the Origin of another local program', { origin: 'http://localhost:6274' }],
  ])('%s is answered 403, whatever the token', async (_, headers) => {
    const { status, json } = await send({ ...modern('echo'), headers: { ...modern('echo').headers, ...headers } })
    expect([status, json.error.code]).toEqual([403, -32_600])
    expect(server.sessions).toEqual([])
  })

  test('our own Origin and the name localhost are let in', async () => {
    const own = { host: `localhost:${port}`, origin: `http://localhost:${port}` }
    expect((await send({ ...modern('echo'), headers: { ...modern('echo').headers, ...own } })).status).toBe(200)
  })

  test.each([
    ['no token', '/mcp', undefined],
    ['another token', '/mcp', `Bearer ${token}x`],
    ['a prefix of the token', '/mcp', `Bearer ${token.slice(0, -1)}`],
    ['a token of another scheme', '/mcp', `Basic ${token}`],
    ['another token in the path', `/mcp/${token}x`, undefined],
    ['a wrong header beside the right path', `/mcp/${token}`, 'Bearer wrong'],
    ['the token in the query', `/mcp?token=${token}`, undefined],
    ['the token in the query under another name', `/mcp?access_token=${token}`, undefined],
  ])('%s is answered 401', async (_, path, authorization) => {
    const { status, headers } = await send({ ...modern('echo'), path, headers: { ...modern('echo').headers, authorization } })
    expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer'])
  })

  test('the token may stand in the path, for clients that send no header', async () => {
    const { status } = await send({
      ...modern('echo'),
      path: `/mcp/${token}`,
      headers: { ...modern('echo').headers, authorization: undefined },
    })
    expect(status).toBe(200)
  })

  test('there is nothing at other paths, and no other methods', async () => {
    expect((await send({ ...modern('echo'), path: '/' })).status).toBe(404)
    expect((await send({ ...modern('echo'), path: '/mcpx' })).status).toBe(404)
    expect((await send({ method: 'PUT' })).status).toBe(405)
    expect((await send({ method: 'OPTIONS' })).status).toBe(405)
  })
})

describe('what is refused before it is understood', () => {
  test.each([
    ['another content type', { 'content-type': 'text/plain' }, 415],
    ['no content type', { 'content-type': undefined }, 415],
    ['something that only looks like JSON’s', { 'content-type': 'application/jsonp' }, 415],
    ['a packed body', { 'content-encoding': 'gzip' }, 415],
    ['a client that takes no events', { accept: 'application/json' }, 406],
  ])('%s', async (_, headers, status) => {
    expect((await send({ ...modern('echo'), headers: { ...modern('echo').headers, ...headers } })).status).toBe(status)
  })

  test('parameters of the content type do no harm', async () => {
    const headers = { ...modern('echo').headers, 'content-type': 'Application/JSON; charset=utf-8' }
    expect((await send({ ...modern('echo'), headers })).status).toBe(200)
  })

  test('a body over 4 MiB, announced or not', async () => {
    const raw = Buffer.alloc((4 << 20) + 1, 0x20)
    expect((await send({ raw, headers: { 'content-length': String(raw.length) } })).status).toBe(413)
    const chunked = await send({ raw, headers: { 'transfer-encoding': 'chunked' } }).catch(() => ({ status: 413 })) // hung up on
    expect(chunked.status).toBe(413)
  })

  test.each([
    ['not JSON', '{', -32_700],
    ['nothing', '', -32_700],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"echo"}]', -32_600],
    ['a member that stands twice', '{"jsonrpc":"2.0","id":1,"method":"echo","params":{"a":1,"a":2}}', -32_600],
    ['an unknown member', '{"jsonrpc":"2.0","id":1,"method":"echo","Method":"other"}', -32_600],
    ['an id that is null', '{"jsonrpc":"2.0","id":null,"method":"echo"}', -32_600],
    ['another JSON-RPC', '{"jsonrpc":"1.0","id":1,"method":"echo"}', -32_600],
  ])('%s', async (_, raw, code) => {
    const { status, json } = await send({ raw })
    expect([status, json.error.code]).toEqual([400, code])
  })

  test('a refusal has the id of the request as far as it can be made out', async () => {
    const { json } = await send({ raw: '{"jsonrpc":"2.0","id":"x7","method":"echo","params":{"a":1,"a":2}}' })
    expect(json.id).toBe('x7')
  })
})

describe('the modern era', () => {
  test('a request is answered under its own id, text or number', async () => {
    expect((await send(modern('echo', { a: 1 }, 'x'))).json).toMatchObject({ id: 'x', result: { echo: { a: 1 } } })
    expect((await send(modern('echo', {}, 5))).json.id).toBe(5)
  })

  test('callers that use the same ids at once do not meet', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => send(modern('echo', { i }, 1))))
    expect(answers.map(({ json }) => [json.id, json.result.echo.i])).toEqual(answers.map((_, i) => [1, i]))
    expect(server.sessions).toHaveLength(1)
  })

  test.each([
    ['no version header', { 'mcp-protocol-version': undefined }],
    ['another version in the header', { 'mcp-protocol-version': '2027-01-01' }],
    ['no method header', { 'mcp-method': undefined }],
    ['another method in the header', { 'mcp-method': 'other' }],
    ['a method header in other letters', { 'mcp-method': 'ECHO' }],
  ])('%s is a mismatch', async (_, headers) => {
    const { status, json } = await send({ ...modern('echo'), headers: { ...modern('echo').headers, ...headers } })
    expect([status, json.error.code, json.id]).toEqual([400, -32_020, 1])
  })

  test.each([
    ['missing', undefined, 400],
    ['another', 'write', 400],
    ['the same', ' echo ', 200],
    ['the same in Base64', `=?base64?${Buffer.from('echo').toString('base64')}?=`, 200],
    ['Base64 that is spoilt', '=?base64?ZWNo?=', 400],
  ])('the name of a tool in the header: %s', async (_, name, status) => {
    const call = modern('tools/call', { name: 'echo', arguments: {} })
    const got = await send({ ...call, headers: { ...call.headers, 'mcp-name': name } })
    expect(got.status).toBe(status)
    if (status === 400) expect(got.json.error.code).toBe(-32_020)
  })

  test('what is missing in the envelope is reported before any header', async () => {
    const body = { jsonrpc: '2.0', id: 1, method: 'echo', params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } } }
    const { status, json } = await send({ body })
    expect([status, json.error.code]).toEqual([400, -32_602])
    const unclaimed = await send({ body: { jsonrpc: '2.0', id: 1, method: 'echo' }, headers: { 'mcp-protocol-version': '2026-07-28' } })
    expect([unclaimed.status, unclaimed.json.error.code]).toEqual([400, -32_602])
  })

  test('an old version in the envelope is unsupported, and the answer says which is', async () => {
    const call = modern('echo')
    const body = { ...call.body, params: { _meta: { ...envelope, 'io.modelcontextprotocol/protocolVersion': '2025-11-25' } } }
    const { status, json } = await send({ body, headers: { ...call.headers, 'mcp-protocol-version': '2025-11-25' } })
    expect([status, json.error.code, json.error.data.supported]).toEqual([400, -32_022, ['2026-07-28']])
  })

  test('the status follows the error, although it comes later', async () => {
    expect((await send(modern('unknown'))).status).toBe(404)
    expect((await send(modern('unsupported'))).status).toBe(400)
  })

  test('what comes before the response makes it an event stream, under the caller’s own progress token', async () => {
    const { status, headers, text } = await send(modern('progress', { _meta: { progressToken: 'mine' } }))
    expect([status, headers['content-type']]).toEqual([200, 'text/event-stream'])
    const events = text.split('\n\n').flatMap((event) => (event.includes('data: ') ? [JSON.parse(event.split('data: ')[1]!)] : []))
    expect(events).toMatchObject([{ params: { progressToken: 'mine' } }, { id: 1, result: { done: true } }])
  })

  test('a caller that goes away cancels its request, and only that', async () => {
    const call = modern('wait')
    const asked = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/mcp',
      headers: {
        ...call.headers,
        host: `127.0.0.1:${port}`,
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: '*/*',
      } as never,
    })
    asked.on('error', () => {})
    asked.end(JSON.stringify(call.body))
    await expect.poll(() => server.sessions[0]?.got.length).toBe(1)
    const sent = server.sessions[0]!.got[0] as RpcRequest
    asked.destroy()
    await expect.poll(() => server.sessions[0]!.got.length).toBe(2)
    expect(server.sessions[0]!.got[1]).toMatchObject({ method: 'notifications/cancelled', params: { requestId: sent.id } })
  })

  test('a cancellation that is posted cancels nothing of anybody', async () => {
    const note = { ...modern('notifications/cancelled', { requestId: 1 }) }
    expect((await send({ ...note, body: { ...note.body, id: undefined } })).status).toBe(202)
    expect(server.sessions).toEqual([])
  })

  test('GET and DELETE do not exist', async () => {
    for (const method of ['GET', 'DELETE'])
      expect((await send({ method, headers: { 'mcp-protocol-version': '2026-07-28' } })).status).toBe(405)
  })
})

describe('the legacy era', () => {
  test('begins with an id of at least 128 bits, and has a server of its own', async () => {
    const [one, two] = [await begin(), await begin()]
    expect(Buffer.from(one, 'base64url').length).toBeGreaterThanOrEqual(16)
    expect(one).not.toBe(two)
    expect(server.sessions).toHaveLength(2)
    expect((await send(legacy(one, { id: 1, method: 'echo', params: { a: 1 } }))).json).toMatchObject({ id: 1, result: { echo: { a: 1 } } })
  })

  test('without a session: 400; with an unknown one: 404', async () => {
    expect((await send({ body: { jsonrpc: '2.0', id: 1, method: 'echo' } })).status).toBe(400)
    const { status, json } = await send(legacy('nobody', { id: 1, method: 'echo' }))
    expect([status, json.error.code, json.id]).toEqual([404, -32_001, 1])
    expect((await send({ method: 'GET', headers: { 'mcp-session-id': 'nobody' } })).status).toBe(404)
    expect((await send({ method: 'DELETE', headers: { 'mcp-session-id': 'nobody' } })).status).toBe(404)
    expect((await send({ method: 'GET' })).status).toBe(400)
  })

  test('a session is nothing without the token', async () => {
    const session = await begin()
    const stolen = legacy(session, { id: 1, method: 'echo' })
    expect((await send({ ...stolen, headers: { ...stolen.headers, authorization: undefined } })).status).toBe(401)
  })

  test('ends with DELETE', async () => {
    const session = await begin()
    expect((await send({ method: 'DELETE', headers: { 'mcp-session-id': session } })).status).toBe(200)
    expect(server.sessions[0]!.isClosed).toBe(true)
    expect((await send(legacy(session, { id: 1, method: 'echo' }))).status).toBe(404)
  })

  test('notifications and answers are taken without one', async () => {
    const session = await begin()
    expect((await send(legacy(session, { method: 'notifications/initialized' }))).status).toBe(202)
    expect((await send(legacy(session, { id: 77, result: { roots: [] } }))).status).toBe(202)
    expect(server.sessions[0]!.got.map(({ kind }) => kind)).toEqual(['request', 'notification', 'response'])
  })

  test('an id that is in use, a version that nobody speaks, a second initialize', async () => {
    const session = await begin()
    void send(legacy(session, { id: 1, method: 'wait' })).catch(() => {}) // ends with the endpoint
    await expect.poll(() => server.sessions[0]!.got.length).toBe(2)
    expect((await send(legacy(session, { id: 1, method: 'echo' }))).status).toBe(400)
    const other = legacy(session, { id: 2, method: 'echo' })
    expect((await send({ ...other, headers: { ...other.headers, 'mcp-protocol-version': '1999-01-01' } })).status).toBe(400)
    expect((await send({ body: initialize, headers: { 'mcp-session-id': session } })).status).toBe(400)
    expect((await send({ body: initialize, headers: { 'mcp-protocol-version': '2026-07-28' } })).json.error.code).toBe(-32_020)
  })

  test('an unknown method keeps status 200: 404 would mean that the session is gone', async () => {
    expect((await send(legacy(await begin(), { id: 1, method: 'unknown' }))).status).toBe(200)
  })

  test('a question of the server goes to the request it came with', async () => {
    const session = await begin()
    const asked = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/mcp',
      headers: {
        host: `127.0.0.1:${port}`,
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'mcp-session-id': session,
      },
    })
    const event = new Promise<string>((resolve) =>
      asked.on('response', (response) => response.once('data', (chunk) => resolve(String(chunk)))),
    )
    asked.on('error', () => {})
    asked.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'question' }))
    expect(await event).toContain('"method":"roots/list"')
    asked.destroy()
  })

  test('one stream listens per session, and hears what belongs to no request', async () => {
    const session = await begin()
    const headers = { host: `127.0.0.1:${port}`, authorization: `Bearer ${token}`, accept: 'text/event-stream', 'mcp-session-id': session }
    const asked = request({ port, host: '127.0.0.1', path: '/mcp', headers })
    asked.on('error', () => {})
    const heard = new Promise<string>((resolve) =>
      asked.on('response', (response) => response.once('data', (chunk) => resolve(String(chunk)))),
    )
    const open = new Promise((resolve) => asked.on('response', resolve))
    asked.end()
    await open
    expect((await send({ method: 'GET', headers: { 'mcp-session-id': session } })).status).toBe(409)
    const changed = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' } as const
    server.sessions[0]!.client.deliver(classify(changed), Buffer.from(`{ "jsonrpc":"2.0",\n"method":"notifications/tools/list_changed"}`))
    expect(await heard).toBe(`event: message\ndata: ${JSON.stringify(changed)}\n\n`) // a line break would end the event early
    asked.destroy()
  })
})

test('it listens on the loopback address alone', async () => {
  expect(edge.url).toBe(`http://127.0.0.1:${port}/mcp`)
  await expect(openHttpEdge(port, token, server, deps, createEvents(deps.log, createMetrics()))).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    fix: expect.stringContaining('--http'),
  })
})
