import { encodeSigned } from '@postern/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Everybody, TestControl } from '../fixtures/control.ts'
import { enrolEverybody, openTestControl, secret } from '../fixtures/control.ts'
import { genesisOf } from '../fixtures/organisation.ts'
import { databases, pglite } from './database/databases.ts'

const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value)
const json = { 'content-type': 'application/json' }

describe.each(databases)('bad input on $name', (kind) => {
  let t: TestControl
  let all: Everybody
  beforeAll(async () => {
    t = await openTestControl(kind)
    all = await enrolEverybody(t)
  })
  afterAll(() => t[Symbol.asyncDispose]())
  const post = (path: string, bytes: Uint8Array<ArrayBuffer>) => t.call('POST', path, { by: all.gateway, bytes, headers: json })
  const entry = JSON.stringify(encodeSigned(genesisOf()))

  const bodies: Record<string, [string, string]> = {
    'not JSON': ['{"entry":', 'MALFORMED'],
    nothing: ['', 'MALFORMED'],
    'not an object': ['[]', 'MALFORMED'],
    'an unknown field': [`{"entry":${entry},"admin":true}`, 'UNKNOWN_FIELD'],
    'an unknown field inside': [`{"entry":{"bytes":"","signatures":[],"x":1}}`, 'UNKNOWN_FIELD'],
    'a field twice': [`{"entry":${entry},"entry":${entry}}`, 'DUPLICATE_NAME'],
    'a prototype': [`{"__proto__":{},"entry":${entry}}`, 'MALFORMED'],
    'depth without end': [`${'['.repeat(40)}${']'.repeat(40)}`, 'TOO_DEEP'],
    'a lone surrogate': ['{"entry":"\\ud800"}', 'MALFORMED'],
    'bytes that are not canonical base64url': ['{"entry":{"bytes":"QQ==","signatures":[]}}', 'MALFORMED'],
    'signed bytes that are not a statement': ['{"entry":{"bytes":"e30","signatures":[]}}', 'MALFORMED'],
    'signed bytes that are not canonical JSON': ['{"entry":{"bytes":"eyAgfQ","signatures":[]}}', 'NOT_CANONICAL'],
  }
  test.each(Object.entries(bodies))('that has %s gets a code, and nothing is stored', async (_, [body, code]) => {
    const before = await t.control.db.prisma.statement.count()
    const answer = await post('/api/v1/log', text(body))
    expect(answer).toMatchObject({ status: 400, json: { error: { code } } })
    expect(answer.json.error.request_id).toBe(answer.response.headers.get('x-request-id'))
    expect(await t.control.db.prisma.statement.count()).toBe(before)
  })
  test('that is too large is refused while it is read', async () => {
    expect(await post('/api/v1/sessions', text(' '.repeat(65_537)))).toMatchObject({ status: 413, json: { error: { code: 'TOO_LARGE' } } })
    let sent = 0
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 16_384
        controller.enqueue(new Uint8Array(16_384))
      },
    })
    const { POST } = await import('../../app/api/v1/sessions/route.ts')
    const request = new Request('http://localhost:3000/api/v1/sessions', { method: 'POST', body: endless, duplex: 'half' } as RequestInit)
    expect((await POST(request, { params: Promise.resolve({}) })).status).toBe(413)
    expect(sent).toBeLessThan(200_000)
  })
  test('of another content type is refused', async () => {
    const answer = await t.call('POST', '/api/v1/log', { by: all.gateway, bytes: text('{}'), headers: { 'content-type': 'text/plain' } })
    expect(answer).toMatchObject({ status: 415, json: { error: { code: 'BAD_CONTENT_TYPE' } } })
  })
  test('in a query is refused like in a body', async () => {
    const get = (query: string) => t.call('GET', `/api/v1/log?${query}`, { by: all.gateway })
    expect(await get('from=0&since=1')).toMatchObject({ status: 400, json: { error: { code: 'UNKNOWN_FIELD' } } })
    expect(await get('from=0&from=1')).toMatchObject({ status: 400, json: { error: { code: 'DUPLICATE_NAME' } } })
    for (const from of ['-1', '1.5', '1e3', '', '99999999999999999']) {
      expect(await get(`from=${from}`)).toMatchObject({ status: 400, json: { error: { code: 'MALFORMED' } } })
    }
    expect(await t.call('GET', '/api/v1/fleet?x=1', { by: all.admin })).toMatchObject({ status: 400 })
  })
  test('where no body is taken is refused', async () => {
    const answer = await t.call('DELETE', '/api/v1/sessions', { by: all.admin, body: {} })
    expect(answer).toMatchObject({ status: 400, json: { error: { code: 'UNKNOWN_FIELD' } } })
  })
  test('reaches neither the answer nor the log of the process', async () => {
    const answer = await t.call('POST', '/api/v1/log', {
      body: { entry: encodeSigned(genesisOf({ name: 'X' })), secret: 'a guessed secret' },
    })
    expect(JSON.stringify(answer.json)).not.toContain('a guessed secret')
  })
  test('to tRPC gets the same codes, behind the same signature', async () => {
    const { POST, GET } = await import('../../app/api/trpc/[trpc]/route.ts')
    const send = (path: string, init: RequestInit) =>
      (init.method === 'POST' ? POST : GET)(
        new Request(`http://localhost:3000/api/trpc/${path}`, { ...init, headers: { ...json, host: 'localhost:3000' } }),
      )
    const refused = await send('fleet.list?input=%7B%7D', { method: 'GET' })
    expect(refused.status).toBe(401)
    expect(await refused.json()).toMatchObject({ error: { data: { reason: 'UNAUTHENTICATED', code: 'UNAUTHORIZED' } } })
    const unknown = await send('authority.append', { method: 'POST', body: `{"entry":${entry},"x":1}` })
    expect(await unknown.json()).toMatchObject({ error: { data: { reason: 'UNKNOWN_FIELD' } } })
    const twice = await send('authority.append', { method: 'POST', body: '{"entry":1,"entry":2}' })
    expect(await twice.json()).toMatchObject({ error: { code: 'DUPLICATE_NAME' } })
    const founded = await send('authority.append', {
      method: 'POST',
      body: JSON.stringify({ entry: encodeSigned(genesisOf({ name: 'Y' })), secret }),
    })
    expect(await founded.json()).toMatchObject({ error: { data: { reason: 'ALREADY_FOUNDED', httpStatus: 409 } } })
  })
})

test('what a person or machine may send is listed in tags, lists and sizes with an end', async () => {
  await using t = await openTestControl(pglite)
  const { json: document } = await t.call('GET', '/api/v1/openapi.json')
  const unbounded: string[] = []
  const walk = (schema: Record<string, unknown>, at: string) => {
    if (schema.type === 'array' && schema.maxItems === undefined && !('minItems' in schema)) unbounded.push(at)
    if (schema.type === 'string' && !schema.maxLength && !schema.pattern && !schema.enum && !schema.const) unbounded.push(at)
    for (const [name, value] of Object.entries(schema)) if (typeof value === 'object' && value) walk(value as never, `${at}.${name}`)
  }
  for (const [path, methods] of Object.entries<Record<string, { requestBody?: { content: Record<string, { schema?: object }> } }>>(
    document.paths,
  )) {
    for (const [method, { requestBody }] of Object.entries(methods)) {
      const schema = requestBody?.content['application/json']?.schema
      if (schema && path !== '/api/v1/presence') walk(schema as never, `${method} ${path}`) // tool definitions are any JSON, bounded as a whole
    }
  }
  expect(unbounded).toEqual([])
})
