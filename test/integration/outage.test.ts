// PostgreSQL behind a line that is cut: the control plane says so with a code, waits, and goes on by itself.
import type { ServerEvent } from '@postern/daemon'
import { openEventSource } from '@postern/daemon'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Line } from '../fixtures/line.ts'
import { openLine } from '../fixtures/line.ts'
import type { ControlChild, Home } from '../fixtures/processes.ts'
import { freePorts, openHome, scripts, startControl, startNode, until } from '../fixtures/processes.ts'
import type { Edge, RunningOrganisation } from '../fixtures/running-organisation.ts'
import { foundOrganisation } from '../fixtures/running-organisation.ts'
import type { TestDatabase } from './database/databases.ts'
import { postgres, withoutPostgres } from './database/databases.ts'

describe.skipIf(withoutPostgres !== undefined)('PostgreSQL behind a line that is cut', () => {
  let home: Home
  let database: TestDatabase
  let line: Line
  let control: ControlChild
  let organisation: RunningOrganisation
  let gateway: Edge<'gateway'>
  let url: string
  beforeAll(async () => {
    home = await openHome('outage')
    database = await postgres.create()
    const at = new URL(database.url)
    line = await openLine({ host: at.hostname, port: Number(at.port || 5432) })
    at.host = `127.0.0.1:${line.port}`
    url = at.href
    const [port] = (await freePorts(1)) as [number]
    control = await startControl(home, { port, databaseUrl: url })
    organisation = await foundOrganisation(control, home)
    gateway = await organisation.enrolKeys('gateway', '@gw')
  })
  afterAll(async () => {
    await control?.stop('SIGKILL')
    await line?.[Symbol.asyncDispose]()
    await database?.[Symbol.asyncDispose]()
    await home?.[Symbol.asyncDispose]()
  })

  const health = async () => {
    const answer = await fetch(`${control.url}/api/health`)
    return {
      http: answer.status,
      retry: answer.headers.get('retry-after'),
      ...((await answer.json()) as { code?: string; database: string }),
    }
  }
  /** What a request of ours is told, however long the line is dead: the code, and the seconds it took. */
  const failure = async (request: () => Promise<unknown>) => {
    const began = performance.now()
    const { code, status } = await request().then(
      () => ({ code: 'NONE', status: 200 }),
      (error: { code: string; status: number }) => error,
    )
    return { code, status, isInTime: performance.now() - began < 15_000 }
  }
  const unavailable = { code: 'DATABASE_UNAVAILABLE', status: 503, isInTime: true }
  const read = () => organisation.clientOf(gateway).call('/api/v1/log?from=0')
  const write = () => organisation.append('release', { target: { kind: 'grant', id: organisation.org } })
  const ready = () => until('the control plane to be healthy', 20_000, async () => ((await health()).http === 200 ? true : undefined))

  test('is said with 503 and a code, at the health address and by every request', async () => {
    expect(await health()).toMatchObject({ http: 200, database: 'postgres' })
    line.cut()
    expect(await health()).toMatchObject({ http: 503, code: 'DATABASE_UNAVAILABLE', database: 'down', retry: '1' })
    expect(await failure(read)).toEqual(unavailable)
    expect(await failure(write)).toEqual(unavailable)
    line.mend()
    await ready()
  })

  test('is over when the line is back: nothing is lost, nothing was half stored, and who follows the log hears of the next statement', async () => {
    const heard: ServerEvent[] = []
    const client = organisation.clientOf(gateway)
    await using _ = openEventSource(client.url('/api/v1/stream'), {
      headers: (request) => client.sign(request),
      onEvent: (event) => void heard.push(event),
    })
    await until('the stream', 10_000, () => heard.length > 0 || undefined)
    const { seq } = organisation.state
    line.cut()
    expect(await failure(write)).toEqual(unavailable)
    line.mend()
    await ready()
    await write()
    expect(organisation.state.seq).toBe(seq + 1)
    const { head } = await client.call<{ head: { seq: number } }>('/api/v1/log?from=0')
    expect(head.seq).toBe(seq + 1)
    const isNews = ({ event, data }: ServerEvent) => event === 'log' && JSON.parse(data).seq === seq + 1
    await until(`the event among ${JSON.stringify(heard)}`, 20_000, () => heard.some(isNews) || undefined)
  })

  test('without a word, as by a pulled cable, is noticed in time and over by itself', { timeout: 90_000 }, async () => {
    line.freeze()
    const began = performance.now()
    expect(await health()).toMatchObject({ http: 503, code: 'DATABASE_UNAVAILABLE' })
    expect(performance.now() - began).toBeLessThan(5000)
    expect(await failure(read)).toEqual(unavailable)
    line.mend()
    await ready()
    await read()
    await write()
  })

  test('at the start is waited for: the process runs, says why it does not serve, and serves when the line is back', async () => {
    line.cut()
    control.process.kill('SIGKILL')
    await control.exit
    const { port } = new URL(control.url)
    const env = { ...home.env, NODE_ENV: 'production', DATABASE_URL: url, POSTERN_PUBLIC_URL: control.url, POSTERN_LOG_LEVEL: 'warn' }
    const child = startNode('control plane', scripts.next, ['start', '-H', 'localhost', '-p', port], { env })
    control = { ...control, ...child }
    const said = await until('an answer', 30_000, () => health().catch(() => undefined))
    expect(said).toMatchObject({ http: 503, code: 'DATABASE_UNAVAILABLE' })
    line.mend()
    await ready()
    await read()
  })
})
