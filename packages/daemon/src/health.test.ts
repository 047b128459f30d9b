import { once } from 'node:events'
import { existsSync, mkdtempSync, statSync, writeFileSync } from 'node:fs'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { HealthReport } from './health.ts'
import { createHealth, healthSocketPath, openHealthSocket, readHealth } from './health.ts'
import { createMetrics } from './metrics.ts'

const placesIn = (runtime: string | undefined, state = mkdtempSync(join(tmpdir(), 'h-'))) => ({ runtime, state, config: '' })
const newPlaces = () => placesIn(join(mkdtempSync(join(tmpdir(), 'h-')), 'postern'))
const isFine = () => createHealth('sample', () => ({ status: 'ok' }))

test('a process tells of itself, with its counters', () => {
  const metrics = createMetrics()
  metrics.counter('calls_total').add(3)
  expect(createHealth('sample', () => ({ status: 'ok', head: 7 }), metrics).report()).toMatchObject({
    ...{ status: 'ok', head: 7, name: 'sample', pid: process.pid, uptime_seconds: 0, counters: { calls_total: 3 } },
  })
})

test('the socket is for this user only, and gone after closing', async () => {
  const at = newPlaces()
  const socket = await openHealthSocket(isFine(), 'gateway-@gw', at)
  expect(statSync(socket.path).mode & 0o777).toBe(0o600)
  expect(statSync(at.runtime!).mode & 0o777).toBe(0o700)
  expect(await readHealth('gateway-@gw', at)).toMatchObject({ status: 'ok' })
  await socket[Symbol.asyncDispose]()
  expect(existsSync(socket.path)).toBe(false)
  expect(await readHealth('gateway-@gw', at)).toBeUndefined()
})

test('a second process of the same name is refused; what a dead one left is replaced', async () => {
  const at = newPlaces()
  await using socket = await openHealthSocket(isFine(), 'x', at)
  await expect(openHealthSocket(isFine(), 'x', at)).rejects.toMatchObject({ code: 'ALREADY_RUNNING' })
  expect(await readHealth('x', at)).toBeDefined()
  writeFileSync(healthSocketPath('y', at), '')
  await using other = await openHealthSocket(isFine(), 'y', at)
  expect(other.path).not.toBe(socket.path)
})

test('without a runtime directory it lives under the state directory, and a long name is shortened', () => {
  expect(healthSocketPath('x', placesIn(undefined, '/s'))).toBe('/s/run/x.sock')
  const long = healthSocketPath(`gateway-@${'x'.repeat(100)}`, placesIn('/run/user/0/postern'))
  expect(long).toMatch(/^\/run\/user\/0\/postern\/[0-9a-f]{16}\.sock$/)
})

test('over HTTP it is 200 or 503, GET only, and leaves other paths alone', async () => {
  let status: HealthReport['status'] = 'ok'
  const health = createHealth('sample', () => ({ status }))
  const server = createServer((request, response) => health.answer(request, response) || response.writeHead(404).end()).listen(0)
  const ask = async (path: string, method = 'GET') => {
    const [response] = await once(get({ port: (server.address() as AddressInfo).port, path, method }), 'response')
    return response.resume().statusCode
  }
  expect(await ask('/health?x=1')).toBe(200)
  status = 'degraded'
  expect(await ask('/health')).toBe(200)
  status = 'failing'
  expect(await ask('/health')).toBe(503)
  expect([await ask('/health', 'DELETE'), await ask('/'), await ask('/healthy')]).toEqual([405, 404, 404])
  server.close().closeAllConnections()
})
