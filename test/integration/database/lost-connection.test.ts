import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { openControl, operations, readControlConfig, serve } from '@postern/control'
import { createLog } from '@postern/daemon'
import { expect, test } from 'vitest'
import { enrolEverybody, openTestControl } from '../../fixtures/control.ts'
import { postgres, serverUrl, withoutPostgres } from './databases.ts'
import { migrations } from './migrations.ts'

/** A TCP connection that can be cut: refused from now on, and what is open broken off. */
async function openProxy(port: number, host: string) {
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((client) => {
    if (isCut) return void client.destroy()
    const upstream = connect(port, host)
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy()).on('close', () => to.destroy())
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: own } = server.address() as { port: number }
  return {
    port: own,
    cut() {
      isCut = true
      for (const socket of sockets) socket.destroy()
      sockets.clear()
    },
    mend() {
      isCut = false
    },
    async [Symbol.asyncDispose]() {
      this.cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

test.skipIf(withoutPostgres)('a lost PostgreSQL is 503 with a code, and comes back by itself, event streams included', async () => {
  const { hostname, port } = new URL(serverUrl)
  await using proxy = await openProxy(Number(port || 5432), hostname)
  await using database = await postgres.create()
  const url = new URL(database.url)
  url.hostname = '127.0.0.1'
  url.port = String(proxy.port)
  await using t = await openTestControl(postgres, { url: url.href })
  const all = await enrolEverybody(t)
  const abort = new AbortController()
  const { response } = await t.call('GET', '/api/v1/stream', { by: all.gateway, signal: abort.signal })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()

  proxy.cut()
  const down = { status: 503, json: { error: { code: 'DATABASE_UNAVAILABLE' } } }
  expect(await t.call('GET', '/api/health')).toMatchObject({
    status: 503,
    json: { status: 'unavailable', code: 'DATABASE_UNAVAILABLE', database: 'down' },
  })
  expect(await t.call('GET', '/api/v1/log', { by: all.gateway })).toMatchObject(down)
  expect((await t.call('GET', '/api/v1/log', { by: all.gateway })).response.headers.get('retry-after')).toBe('1')
  expect(await t.call('POST', '/api/v1/presence', { by: all.gateway, body: { version: '1' } })).toMatchObject(down)

  proxy.mend()
  await expect.poll(async () => (await t.call('GET', '/api/health')).status, { timeout: 10_000 }).toBe(200)
  expect((await t.call('GET', '/api/v1/log', { by: all.gateway })).status).toBe(200)
  const pin = { gateway: '@gw' as never, server: 'fs', set: [{ name: 'a', digest: all.branch.org, risk: 'read' as const }], unset: [] }
  const { state } = await t.append(all.branch, 'server.pin', pin)
  let received = ''
  while (!received.includes(`"seq":${state.seq}`)) received += (await reader.read()).value
  abort.abort()
})

test.skipIf(withoutPostgres)('a PostgreSQL that is down at the start is 503 with a code, and is used when it is there', async () => {
  const { hostname, port } = new URL(serverUrl)
  await using proxy = await openProxy(Number(port || 5432), hostname)
  await using database = await postgres.create()
  const url = new URL(database.url)
  url.hostname = '127.0.0.1'
  url.port = String(proxy.port)
  proxy.cut()
  const config = readControlConfig({ DATABASE_URL: url.href, POSTERN_MIGRATIONS: migrations })
  const log = createLog('test', { level: 'silent' })
  const health = operations.find(({ path }) => path === '/api/health')!
  const opened: AsyncDisposable[] = []
  const open = async () => {
    const control = await openControl(config, { log })
    opened.push(control)
    return control
  }
  const ask = async () => {
    const response = await serve(open, health, new Request('http://localhost:3000/api/health'))
    return { status: response.status, json: await response.json() }
  }
  expect(await ask()).toMatchObject({ status: 503, json: { status: 'unavailable', code: 'DATABASE_UNAVAILABLE' } })
  proxy.mend()
  expect(await ask()).toMatchObject({ status: 200, json: { status: 'ok', database: 'postgres' } })
  for (const control of opened) await control[Symbol.asyncDispose]()
})
