import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import type WebSocket from 'ws'
import { WebSocketServer } from 'ws'
import type { OperationError } from '../errors.ts'
import type { Socket, SocketOptions } from './socket.ts'
import { openSocket } from './socket.ts'

async function serve(onConnection: (socket: WebSocket, connection: number) => void, options = {}) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options })
  let connection = 0
  server.on('connection', (socket) => {
    connection += 1
    onConnection(socket, connection)
  })
  await once(server, 'listening')
  const close = () => {
    for (const socket of server.clients) socket.terminate()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, server, [Symbol.asyncDispose]: close }
}

/** A socket whose events are kept in order; `count` of them are awaited. */
function dial(
  url: string,
  count: number,
  options: Partial<SocketOptions> = {},
): { socket: Socket; happened: string[]; enough: Promise<void> } & AsyncDisposable {
  const happened: string[] = []
  const { promise: enough, resolve } = Promise.withResolvers<void>()
  const note = (what: string) => {
    happened.push(what)
    if (happened.length === count) resolve()
  }
  const socket = openSocket(url, {
    backoff: { next: () => 1, reset() {} },
    onDown: (error: OperationError) => note(`down: ${error.message}`),
    ...options,
    onOpen() {
      note('open')
      options.onOpen?.()
    },
    onMessage(bytes) {
      note(Buffer.from(bytes).toString())
      options.onMessage?.(bytes)
    },
  })
  return { socket, happened, enough, [Symbol.asyncDispose]: () => socket.close() }
}

test('messages go both ways, and after a break it dials again', async () => {
  await using server = await serve((socket, connection) => {
    socket.on('message', (data) => {
      socket.send(Buffer.from(`${data} ${connection}`))
      if (connection === 1) socket.close(1000, 'bye')
    })
  })
  await using it = dial(server.url, 5, { onOpen: () => it.socket.send(Buffer.from('hello')) })
  await it.enough
  expect(it.happened).toEqual(['open', 'hello 1', 'down: bye', 'open', 'hello 2'])
})

test('nobody there: it says so, and tries until somebody is', async () => {
  const server = await serve(() => {})
  const { url } = server
  await server[Symbol.asyncDispose]()
  await using it = dial(url, 2)
  expect(it.socket.isOpen).toBe(false)
  expect(() => it.socket.send(new Uint8Array(1))).toThrow(expect.objectContaining({ code: 'NOT_CONNECTED', retryable: true }))
  await expect(it.socket.drained()).rejects.toMatchObject({ code: 'NOT_CONNECTED' })
  await it.enough
  expect(it.happened[0]).toContain('ECONNREFUSED')
})

test('a peer that does not answer a probe is given up', async () => {
  await using server = await serve(() => {}, { autoPong: false })
  await using it = dial(server.url, 2, { probeAfterMs: 10, deadAfterMs: 20 })
  await it.enough
  expect(it.happened).toEqual(['open', 'down: no answer to a probe'])
})

test('a peer that is silent but answers probes is kept', async () => {
  let pings = 0
  const { promise: probed, resolve } = Promise.withResolvers<void>()
  await using server = await serve((socket) => {
    socket.on('ping', () => {
      pings += 1
      if (pings === 4) resolve()
    })
  })
  await using it = dial(server.url, 1, { probeAfterMs: 5, deadAfterMs: 5000 })
  await probed
  expect(it.happened).toEqual(['open'])
})

test('text, a message over the bound and a receiver that throws end that connection only', async () => {
  await using server = await serve((socket, connection) => {
    if (connection === 1) socket.send('text')
    if (connection === 2) socket.send(new Uint8Array(101))
    if (connection === 3) socket.send(Buffer.from('throw'))
  })
  await using it = dial(server.url, 8, {
    maxMessageBytes: 100,
    onMessage() {
      throw new Error('what is this')
    },
  })
  await it.enough
  expect(it.happened.filter((what) => what !== 'open')).toEqual([
    'down: the other side sent text',
    expect.stringMatching(/^down: .*[Mm]ax payload/),
    'throw',
    'down: what is this',
  ])
})

test('what waits is bounded, and drained() tells when there is room again', async () => {
  let accepted: WebSocket | undefined
  await using server = await serve((socket) => {
    accepted = socket
    socket.pause()
  })
  await using it = dial(server.url, 1, { maxBufferedBytes: 1 << 20 })
  await it.enough
  await it.socket.drained()
  const chunk = new Uint8Array(100_000)
  const fill = () => {
    for (;;) it.socket.send(chunk)
  }
  expect(fill).toThrow(expect.objectContaining({ code: 'BUFFER_FULL', retryable: true }))
  let isDrained = false
  const drained = it.socket.drained().then(() => {
    isDrained = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(isDrained).toBe(false)
  accepted!.resume()
  await drained
  it.socket.send(chunk)
})

test('who waits for room learns when the connection ends', async () => {
  let accepted: WebSocket | undefined
  await using server = await serve((socket) => {
    accepted = socket
    socket.pause()
  })
  await using it = dial(server.url, 1, { maxBufferedBytes: 4 << 20 })
  await it.enough
  expect(() => {
    for (;;) it.socket.send(new Uint8Array(100_000))
  }).toThrow('bytes already wait')
  const waiting = it.socket.drained()
  accepted!.terminate()
  await expect(waiting).rejects.toMatchObject({ code: 'NOT_CONNECTED' })
})

test('drop() gives a connection up and dials again; close() does not', async () => {
  await using server = await serve(() => {})
  await using it = dial(server.url, 3, {
    onOpen: () => {
      if (it.happened.length === 1) it.socket.drop('it lied')
    },
  })
  await it.enough
  expect(it.happened).toEqual(['open', 'down: it lied', 'open'])
  await it.socket.close()
  await it.socket.close()
  expect(it.happened).toHaveLength(3)
})

test('sealed messages arrive as they are, without a mask', async () => {
  const { promise: came, resolve } = Promise.withResolvers<string>()
  await using server = await serve((socket) => socket.on('message', (data) => resolve(String(data))))
  await using it = dial(server.url, 1, { isSealed: true, onOpen: () => it.socket.send(Buffer.from('ciphertext')) })
  expect(await came).toBe('ciphertext')
})

test('a redirect is not followed', async () => {
  await using target = await serve(() => {})
  const { createServer } = await import('node:http')
  const http = createServer().on('upgrade', (_, socket) => socket.end(`HTTP/1.1 302 Found\r\nLocation: ${target.url}\r\n\r\n`))
  http.listen(0)
  await once(http, 'listening')
  await using it = dial(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`, 1)
  await it.enough
  expect(it.happened[0]).toContain('302')
  http.close().closeAllConnections()
})
