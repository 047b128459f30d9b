import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { ServerEvent } from './event-parser.ts'
import { createEventParser } from './event-parser.ts'
import { openEventSource } from './event-source.ts'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))

describe('the event format', () => {
  const stream =
    ': ping\n\nid: 1\nevent: log\ndata: {"seq":1}\n\ndata: two\r\ndata: lines\r\n\r\nid\ndata:no space\n\nevent: empty\n\ndata: é\r\r'
  const events: ServerEvent[] = [
    { id: '1', event: 'log', data: '{"seq":1}' },
    { id: '1', event: 'message', data: 'two\nlines' },
    { id: '', event: 'message', data: 'no space' },
    { id: '', event: 'message', data: 'é' },
  ]

  test('is read whole', () => {
    expect(createEventParser(1000).push(bytes(`${stream}\n`))).toEqual(events)
  })

  test('is read byte by byte', () => {
    const parser = createEventParser(1000)
    expect([...bytes(`${stream}\n`)].flatMap((byte) => parser.push(Uint8Array.of(byte)))).toEqual(events)
  })

  test('is bounded: a line, and the lines of one event', () => {
    expect(() => createEventParser(10).push(bytes('data: 0123456789'))).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }))
    expect(() => createEventParser(10).push(bytes('data: 01234\ndata: 56789\ndata: x\n'))).toThrow(
      expect.objectContaining({ code: 'TOO_LARGE' }),
    )
  })
})

type Handler = (request: IncomingMessage, response: ServerResponse, connection: number) => void
async function serve(handler: Handler) {
  let connection = 0
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    connection += 1
    asked.push(request)
    handler(request, response, connection)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/stream`
  return { url, asked, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections()) }
}
const begin = (response: ServerResponse, text: string) => response.writeHead(200, { 'content-type': 'text/event-stream' }).write(text)
const backoff = { next: () => 1, reset() {} }

/** Follows a stream until `count` of what happens has happened. */
function follow(
  url: string,
  count: number,
  options: { deadAfterMs?: number; connectTimeoutMs?: number; fail?: (event: ServerEvent) => boolean } = {},
) {
  const happened: string[] = []
  let connections = 0
  const { promise: enough, resolve } = Promise.withResolvers<void>()
  const note = (what: string) => {
    happened.push(what)
    if (happened.length === count) resolve()
  }
  const { fail, ...rest } = options
  const source = openEventSource(url, {
    ...{ backoff, ...rest },
    headers() {
      connections += 1
      return { 'x-connection': String(connections) }
    },
    onEvent(event) {
      if (fail?.(event)) throw new Error('not now')
      note(event.data)
    },
    onDown: ({ code }) => note(code),
  })
  return { happened, enough, [Symbol.asyncDispose]: () => source.close() }
}

describe('following a stream', () => {
  test('after a break it resumes behind the last event, with headers made anew', async () => {
    await using server = await serve((_, response, connection) => {
      begin(response, `id: ${connection * 10}\ndata: event ${connection}\n\n`)
      if (connection === 1) response.end()
    })
    await using stream = follow(server.url, 3)
    await stream.enough
    expect(stream.happened).toEqual(['event 1', 'UNREACHABLE', 'event 2'])
    expect(server.asked.map(({ headers }) => [headers['last-event-id'], headers['x-connection']])).toEqual([
      [undefined, '1'],
      ['10', '2'],
    ])
  })

  test('an event that could not be handled comes again', async () => {
    await using server = await serve((_, response) => void begin(response, 'id: 5\ndata: x\n\n'))
    let isFirst = true
    const fail = () => {
      const failing = isFirst
      isFirst = false
      return failing
    }
    await using stream = follow(server.url, 2, { fail })
    await stream.enough
    expect(stream.happened).toEqual(['BAD_ANSWER', 'x'])
    expect(server.asked[1]!.headers['last-event-id']).toBeUndefined()
  })

  test('silence ends the connection, comments do not', async () => {
    await using server = await serve((_, response, connection) => {
      begin(response, ': hello\n\n')
      if (connection > 1) response.write('data: x\n\n')
    })
    await using stream = follow(server.url, 2, { deadAfterMs: 30 })
    await stream.enough
    expect(stream.happened).toEqual(['TIMED_OUT', 'x'])
  })

  test('a server that does not answer is given up', async () => {
    await using server = await serve((_, response, connection) => {
      if (connection > 1) begin(response, 'data: x\n\n')
    })
    await using stream = follow(server.url, 2, { connectTimeoutMs: 30 })
    await stream.enough
    expect(stream.happened).toEqual(['TIMED_OUT', 'x'])
  })

  test('a refusal keeps its code, and it is tried again', async () => {
    await using server = await serve((_, response, connection) => {
      if (connection === 1) response.writeHead(401).end(JSON.stringify({ error: { code: 'REPLAYED', message: 'again' } }))
      else if (connection === 2) response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')
      else begin(response, 'data: x\n\n')
    })
    await using stream = follow(server.url, 3)
    await stream.enough
    expect(stream.happened).toEqual(['REPLAYED', 'BAD_ANSWER', 'x'])
  })

  test('once closed, nothing more comes', async () => {
    await using server = await serve((_, response) => void begin(response, 'data: x\n\n'))
    const stream = follow(server.url, 1)
    await stream.enough
    await stream[Symbol.asyncDispose]()
    expect(server.asked).toHaveLength(1)
  })
})
