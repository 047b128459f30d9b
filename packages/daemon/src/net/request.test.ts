import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { requestBytes, requestJson } from './request.ts'

async function serve(answer: (request: IncomingMessage, response: ServerResponse, body: string) => void) {
  const server = createServer(async (request, response) => {
    answer(request, response, Buffer.concat(await request.toArray()).toString())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections()) }
}

test('JSON goes and JSON comes, and headers are made for exactly the bytes that are sent', async () => {
  await using server = await serve((request, response, body) => {
    response.end(
      JSON.stringify({ method: request.method, body, signed: request.headers['x-signed'], type: request.headers['content-type'] }),
    )
  })
  const headers = ({ method, body }: { method: string; body: Uint8Array }) => ({ 'x-signed': `${method} ${Buffer.from(body)}` })
  const { body } = await requestJson({ url: `${server.url}/x`, json: { a: 1 }, headers })
  expect(body).toEqual({ method: 'POST', body: '{"a":1}', signed: 'POST {"a":1}', type: 'application/json' })
})

test("the server's own error keeps its code, message, fix and request id", async () => {
  await using server = await serve((_, response) => {
    response.writeHead(409).end(JSON.stringify({ error: { code: 'CONFLICT', message: 'seq 7 is taken', fix: 'replay', request_id: 'r1' } }))
  })
  const expected = { code: 'CONFLICT', message: 'seq 7 is taken', fix: 'replay', requestId: 'r1', status: 409, retryable: false }
  await expect(requestJson({ url: server.url })).rejects.toMatchObject(expected)
})

test.each([
  [500, '<html>oops', true],
  [503, '', true],
  [429, '{"error":7}', true],
  [404, 'null', false],
])('%i with %j is HTTP_ERROR, retryable: %s', async (status, body, retryable) => {
  await using server = await serve((_, response) => void response.writeHead(status).end(body))
  await expect(requestJson({ url: `${server.url}/p` })).rejects.toMatchObject({ code: 'HTTP_ERROR', status, retryable })
})

test('a redirect is not followed', async () => {
  let asked = 0
  await using server = await serve((_, response) => {
    asked += 1
    response.writeHead(302, { location: '/elsewhere' }).end()
  })
  await expect(requestJson({ url: server.url })).rejects.toMatchObject({ code: 'HTTP_ERROR', status: 302 })
  expect(asked).toBe(1)
})

test('an answer over its bound is cut off', async () => {
  await using server = await serve((_, response) => void response.end('x'.repeat(2000)))
  await expect(requestBytes({ url: server.url, maxResponseBytes: 1999 })).rejects.toMatchObject({ code: 'TOO_LARGE' })
  expect((await requestBytes({ url: server.url, maxResponseBytes: 2000 })).body).toHaveLength(2000)
})

test('a server that does not answer, or stops in the middle, is given up in time', async () => {
  await using server = await serve((request, response) => {
    if (request.url === '/half') response.write('{')
  })
  await expect(requestJson({ url: server.url, timeoutMs: 30 })).rejects.toMatchObject({ code: 'TIMED_OUT', retryable: true })
  await expect(requestJson({ url: `${server.url}/half`, timeoutMs: 30 })).rejects.toMatchObject({ code: 'TIMED_OUT' })
})

test('a server that is not there is named', async () => {
  const failed = requestJson({ url: 'http://127.0.0.1:1/x' })
  await expect(failed).rejects.toMatchObject({ code: 'UNREACHABLE', retryable: true, message: expect.stringMatching(/^127\.0\.0\.1:1 .*/) })
})

test('an empty answer is undefined, and one that is no JSON is refused', async () => {
  await using server = await serve((request, response) => void response.end(request.url === '/empty' ? '' : 'hello'))
  expect((await requestJson({ url: `${server.url}/empty` })).body).toBeUndefined()
  await expect(requestJson({ url: server.url })).rejects.toMatchObject({ code: 'BAD_ANSWER' })
})

test('the caller can give up', async () => {
  await using server = await serve(() => {})
  const given = new AbortController()
  const asked = requestJson({ url: server.url, signal: given.signal })
  given.abort()
  await expect(asked).rejects.toMatchObject({ code: 'UNREACHABLE' })
})
