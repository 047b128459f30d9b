import type { Principal } from '@postern/control'
import { createCaller } from '@postern/control'
import { encodeBase64url, encodeSigned, linkHash, signAck, signReceipt } from '@postern/core'
import { native } from '@postern/daemon'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ANSWER_TIMEOUT_MS } from '../../packages/control/src/grants/exchange.ts'
import { followEvents } from '../../packages/control/src/stream/follow.ts'
import type { Everybody, Signer, TestControl } from '../fixtures/control.ts'
import { enrolEverybody, openTestControl, T0 } from '../fixtures/control.ts'
import { revocation } from '../fixtures/organisation.ts'
import { machineKey, requestOf } from '../fixtures/people.ts'
import { openStream } from '../fixtures/stream.ts'
import { databases, postgres, withoutPostgres } from './database/databases.ts'

describe.each(databases)('event streams on $name', (kind) => {
  let t: TestControl
  let all: Everybody
  let pins = 0
  beforeAll(async () => {
    t = await openTestControl(kind)
    all = await enrolEverybody(t)
  })
  afterAll(() => t[Symbol.asyncDispose]())
  const grow = async () => {
    const set = [{ name: `tool${++pins}`, digest: encodeBase64url(new Uint8Array(32)), risk: 'read' as const }]
    all.branch = await t.append(all.branch, 'server.pin', { gateway: '@gw' as never, server: 'fs', set, unset: [] })
    return { seq: all.branch.state.seq, hash: all.branch.state.head }
  }

  test('begin with where things stand', async () => {
    const stream = await openStream(t, all.gateway)
    expect(stream.response.headers.get('content-type')).toContain('text/event-stream')
    expect(stream.response.headers.get('cache-control')).toContain('no-transform')
    expect(stream.ready.data).toEqual({ head: t.control.ledger.head(), revocations: 0, resumed: false })
    stream.abort()
  })
  test('tell edges of every statement, in order', async () => {
    const stream = await openStream(t, all.gateway)
    for (const expected of [await grow(), await grow()]) expect((await stream.next('log'))!.data).toEqual(expected)
    stream.abort()
  })
  test('resume after the last event that was seen, without a gap', async () => {
    const first = await openStream(t, all.agent)
    await grow()
    const { id } = (await first.next('log'))!
    first.abort()
    const missed = [await grow(), await grow()]
    const second = await openStream(t, all.agent, id)
    expect(second.ready.data.resumed).toBe(true)
    for (const expected of missed) expect((await second.next('log'))!.data).toEqual(expected)
    second.abort()
  })
  test('say so when they cannot resume', async () => {
    const stream = await openStream(t, all.agent, '999999')
    expect(stream.ready.data.resumed).toBe(false)
    stream.abort()
    await t.control.db.prisma.event.deleteMany()
    const older = await openStream(t, all.agent, '1')
    expect(older.ready.data.resumed).toBe(false)
    older.abort()
    expect((await t.call('GET', '/api/v1/stream', { by: all.agent, headers: { 'last-event-id': 'x' } })).status).toBe(400)
  })
  test('tell edges nothing that is meant for people', async () => {
    const edge = await openStream(t, all.agent)
    const person = await openStream(t, all.person)
    const admin = await openStream(t, all.admin)
    const { code } = (await t.call('POST', '/api/v1/codes', { by: all.admin, body: { kind: 'agent' } })).json
    await t.call('POST', '/api/v1/enrolments', { body: { code, ...requestOf(all.branch.org, 'agent', '@new') } })
    expect((await admin.next('enrolment'))!.data).toMatchObject({ atsign: '@new', status: 'pending' })
    const head = await grow()
    expect(await edge.read()).toMatchObject({ event: 'log', data: head })
    expect((await person.next('log'))!.data).toMatchObject(head)
    for (const stream of [edge, person, admin]) stream.abort()
  })
  test('bring receipts and acks to administrators, as counts and heads', async () => {
    const admin = await openStream(t, all.admin)
    const { jws: ack } = tokens(all)
    expect((await t.call('POST', '/api/v1/acks', { by: all.gateway, body: { acks: [ack] } })).json).toEqual({
      stored: 1,
      known: 0,
      refused: [],
    })
    expect((await admin.next('ack'))!.data).toMatchObject({ gateway: '@gw', seq: all.branch.state.seq })
    admin.abort()
  })
  test('carry revocations as they were signed, and end for whom they hit', async () => {
    const stream = await openStream(t, all.gateway)
    const hit = await openStream(t, all.agent)
    const { enrolment } = all.branch.state.identities.get('@bot' as never)!
    const signed = revocation(all.branch, { kind: 'enrolment', id: enrolment })
    expect((await t.call('POST', '/api/v1/revocations', { body: encodeSigned(signed) })).status).toBe(200)
    expect((await stream.next('revocation'))!.data).toEqual(encodeSigned(signed))
    expect(await hit.next('never')).toBeUndefined()
    const { json } = await t.call('GET', '/api/v1/revocations', { by: all.gateway })
    expect(json).toMatchObject({ revocations: [encodeSigned(signed)], next: null })
    const stranger = revocation(all.branch, { kind: 'enrolment', id: enrolment }, { by: [machineKey('@gw', 'auth')] })
    const answer = await t.call('POST', '/api/v1/revocations', { body: encodeSigned(stranger) })
    expect(answer.status).toBe(200) // the same bytes are known already, whoever signed this copy
    const other = revocation(all.branch, { kind: 'enrolment', id: enrolment }, { by: [machineKey('@gw', 'auth')], reason: 'other' })
    expect(await t.call('POST', '/api/v1/revocations', { body: encodeSigned(other) })).toMatchObject({
      json: { error: { code: 'NOT_ENTITLED' } },
    })
    stream.abort()
  })
  test('of one key are at most four; the oldest gives way', async () => {
    const streams = []
    for (let i = 0; i < 5; i++) streams.push(await openStream(t, all.gateway))
    expect(await streams[0]!.next('never')).toBeUndefined()
    expect(t.control.streams.attached(all.branch.org)).toContain('@gw')
    for (const stream of streams) stream.abort()
  })
  test('end when the person signs out', async () => {
    const by = await t.login('@ana')
    const stream = await openStream(t, by)
    expect((await t.call('DELETE', '/api/v1/sessions', { by })).status).toBe(200)
    expect(await stream.next('never')).toBeUndefined()
  })
})

function tokens({ branch }: Everybody) {
  const { seq, head } = branch.state
  const receipt = machineKey('@gw', 'receipt')
  const claims = {
    v: 1 as const,
    org: branch.org,
    iss: '@gw' as never,
    kid: kidOf('@gw', 'receipt'),
    epoch: encodeBase64url(new Uint8Array(16)),
  }
  const revocations = { count: 0, digest: encodeBase64url(new Uint8Array(32)) }
  const jws = signAck({ ...claims, seq, head, revocations, at: T0 }, receipt.seed, native)
  return { jws }
}
const kidOf = (atsign: string, use: 'receipt') => machineKey(atsign, use).sign('postern-login-v1', new Uint8Array()).kid

describe.each(databases)('grants over REST on $name', (kind) => {
  let t: TestControl
  let all: Everybody
  beforeAll(async () => {
    t = await openTestControl(kind, { answerTimeoutMs: 3000 })
    all = await enrolEverybody(t)
  })
  afterAll(() => t[Symbol.asyncDispose]())
  const sealed = encodeBase64url(new Uint8Array(600).fill(7))
  const answer = encodeBase64url(new Uint8Array(500).fill(9))
  const ask = (signal?: AbortSignal) =>
    t.call('POST', '/api/v1/grants', { by: all.agent, body: { gateway: '@gw', ask: sealed }, ...(signal ? { signal } : {}) })

  test('carry the sealed ask to the gateway and the sealed answer back, and keep neither', async () => {
    const gateway = await openStream(t, all.gateway)
    const asking = ask()
    const { data, id } = (await gateway.next('ask'))!
    expect(data).toEqual({ id: data.id, sealed })
    expect(id).toBeUndefined()
    expect((await t.call('POST', `/api/v1/grants/${data.id}/answer`, { by: all.gateway, body: { answer } })).status).toBe(200)
    expect(await asking).toMatchObject({ status: 200, json: { answer } })
    gateway.abort()
    await t.control.grantLog[Symbol.asyncDispose]()
    const { grants } = (await t.call('GET', '/api/v1/grants', { by: all.admin })).json
    expect(grants).toMatchObject([{ id: data.id, agent: '@bot', gateway: '@gw', outcome: 'answered', ask_bytes: 600, answer_bytes: 500 }])
    const stored = JSON.stringify(
      [await t.control.db.prisma.grantRequest.findMany(), await t.control.db.prisma.event.findMany()],
      (_, v) => (typeof v === 'bigint' ? `${v}` : v),
    )
    expect(stored).not.toContain(sealed.slice(0, 40))
    expect(await t.control.db.prisma.grantRelay.count()).toBe(0)
  })
  test('can be answered by that gateway only, and once', async () => {
    const gateway = await openStream(t, all.gateway)
    const asking = ask()
    const { id } = (await gateway.next('ask'))!.data
    all.branch = await t.append(all.branch, 'gateway.enroll', {
      ...requestOf(all.branch.org, 'gateway', '@gw2'),
      exp: T0 + 1e6,
      tags: [],
    } as never)
    const give = (by: Signer) => t.call('POST', `/api/v1/grants/${id}/answer`, { by, body: { answer } })
    expect((await give(machineKey('@gw2', 'auth'))).status).toBe(404)
    expect((await give(all.gateway)).status).toBe(200)
    expect((await asking).status).toBe(200)
    expect((await give(all.gateway)).status).toBe(404)
    gateway.abort()
  })
  test('can be answered several at a time', async () => {
    const gateway = await openStream(t, all.gateway)
    const asking = [ask(), ask(), ask()]
    const ids = []
    for (const _ of asking) ids.push((await gateway.next('ask'))!.data.id)
    const answers = [...ids, 'A'.repeat(22)].map((id) => ({ id, answer }))
    const { json } = await t.call('POST', '/api/v1/grants/answers', { by: all.gateway, body: { answers } })
    expect(json).toEqual({ delivered: 3, late: ['A'.repeat(22)] })
    for (const { status } of await Promise.all(asking)) expect(status).toBe(200)
    gateway.abort()
  })
  test('reach a gateway that connects while the agent waits', async () => {
    const asking = ask()
    const gateway = await openStream(t, all.gateway)
    const { id } = (await gateway.next('ask'))!.data
    await t.call('POST', `/api/v1/grants/${id}/answer`, { by: all.gateway, body: { answer } })
    expect((await asking).status).toBe(200)
    gateway.abort()
  })
  test('say in time that the gateway is unreachable', async () => {
    expect(ANSWER_TIMEOUT_MS).toBe(10_000)
    expect(await ask()).toMatchObject({ status: 504, json: { error: { code: 'GATEWAY_UNREACHABLE' } } })
    const elsewhere = { by: all.agent, body: { gateway: '@bot', ask: sealed } }
    expect(await t.call('POST', '/api/v1/grants', elsewhere)).toMatchObject({ status: 404 })
  })
})

test.each(databases)('the console’s subscription on $name brings the same events, each with the id to resume after', async (kind) => {
  await using t = await openTestControl(kind)
  const all = await enrolEverybody(t)
  const principal = { role: 'admin', org: all.branch.org, atsign: '@ana', kid: 'x' } as unknown as Principal
  const abort = new AbortController()
  const caller = createCaller({ control: t.control, principal, requestId: 'test' }, { signal: abort.signal })
  const pin = (name: string) => ({
    gateway: '@gw' as never,
    server: 'fs',
    set: [{ name, digest: all.branch.org, risk: 'read' as const }],
    unset: [],
  })
  type Tracked = [id: string, event: { kind: string; data: { seq?: number } }]
  const take = async (events: AsyncIterable<unknown>, from = 0) => {
    for await (const tracked of events as AsyncIterable<Tracked>) if ((tracked[1].data.seq ?? from) >= from) return tracked
    throw new Error('it ended')
  }
  const [start, begun] = await take((await caller.stream.events({})) as AsyncIterable<unknown>)
  expect(begun).toEqual({ kind: 'missed', data: {} }) // whoever read something before has to read it again
  const next = all.branch.state.seq + 1
  const first = take((await caller.stream.events({ lastEventId: start })) as AsyncIterable<unknown>, next)
  all.branch = await t.append(all.branch, 'server.pin', pin('a'))
  const [id, event] = await first
  expect(event).toEqual({ kind: 'log', data: { seq: all.branch.state.seq, hash: all.branch.state.head } })
  all.branch = await t.append(all.branch, 'server.pin', pin('b'))
  const [, missed] = await take((await caller.stream.events({ lastEventId: id })) as AsyncIterable<unknown>)
  expect(missed).toMatchObject({ kind: 'log', data: { seq: all.branch.state.seq } })
  const [, gone] = await take((await caller.stream.events({ lastEventId: '999999' })) as AsyncIterable<unknown>)
  expect(gone).toMatchObject({ kind: 'missed' })
  abort.abort()
})

test.each(databases)('what the console follows on $name ends with the session, and with the person', async (kind) => {
  await using t = await openTestControl(kind)
  const all = await enrolEverybody(t)
  const actor = { role: 'person', org: all.branch.org, atsign: '@ben' as never, kid: 'k' } as const
  const drain = async (of: AsyncIterable<unknown>) => {
    for await (const _ of of);
    return 'ended'
  }
  const signedOut = drain(followEvents(t.control, actor, {}))
  const { prisma } = t.control.db
  const event = { org: all.branch.org, kind: 'session', to: '@ben', data: { kid: 'k' } } as const
  await prisma.$transaction((tx) => t.control.bus.publish(tx, event, t.now.seconds))
  expect(await signedOut).toBe('ended')
  const revoked = drain(followEvents(t.control, { ...actor, kid: 'l' }, {}))
  const { enrolment } = all.branch.state.identities.get('@ben' as never)!
  await t.call('POST', '/api/v1/revocations', { body: encodeSigned(revocation(all.branch, { kind: 'enrolment', id: enrolment })) })
  expect(await revoked).toBe('ended')
  expect(await drain(followEvents(t.control, { ...actor, kid: 'm' }, { until: t.now.seconds }))).toBe('ended')
})

test.skipIf(withoutPostgres)('two replicas on PostgreSQL carry a grant, a revocation and the log between them', async () => {
  await using database = await postgres.create()
  await using one = await openTestControl(postgres, { url: database.url })
  await using two = await openTestControl(postgres, { url: database.url })
  const all = await enrolEverybody(one)
  await expect
    .poll(() => two.control.ledger.head())
    .toEqual({ seq: all.branch.state.seq, hash: linkHash(all.branch.entries.at(-1)!.bytes) })
  two.now.seconds = one.now.seconds
  const gateway = await openStream(two, all.gateway)
  const sealed = encodeBase64url(new Uint8Array(600))
  const asking = one.call('POST', '/api/v1/grants', { by: all.agent, body: { gateway: '@gw', ask: sealed } })
  const { id } = (await gateway.next('ask'))!.data
  const answer = encodeBase64url(new Uint8Array(10))
  expect((await two.call('POST', `/api/v1/grants/${id}/answer`, { by: all.gateway, body: { answer } })).status).toBe(200)
  expect(await asking).toMatchObject({ status: 200, json: { answer } })
  const { enrolment } = all.branch.state.identities.get('@bot' as never)!
  const signed = revocation(all.branch, { kind: 'enrolment', id: enrolment })
  await one.call('POST', '/api/v1/revocations', { body: encodeSigned(signed) })
  expect((await gateway.next('revocation'))!.data).toEqual(encodeSigned(signed))
  await expect.poll(async () => (await two.call('GET', '/api/v1/log', { by: all.agent })).status).toBe(401)
  gateway.abort()
})

test.skipIf(withoutPostgres)('two replicas on PostgreSQL give one place in the log to one statement', async () => {
  await using database = await postgres.create()
  await using one = await openTestControl(postgres, { url: database.url })
  await using two = await openTestControl(postgres, { url: database.url })
  const { branch } = await enrolEverybody(one)
  await two.control.ledger.refresh()
  const { draft } = await import('../fixtures/organisation.ts')
  two.now.seconds = one.now.seconds = branch.state.at + 60
  const pin = (name: string) => ({
    gateway: '@gw' as never,
    server: 'fs',
    set: [{ name, digest: branch.org, risk: 'read' as const }],
    unset: [],
  })
  const answers = await Promise.all(
    [one, two].map((t, i) => t.call('POST', '/api/v1/log', { body: { entry: encodeSigned(draft(branch, 'server.pin', pin(`t${i}`))) } })),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
  expect(await one.control.db.prisma.server.count()).toBe(1)
})

test.each(databases)('receipts on $name are verified, stored once, and searched within dates', async (kind) => {
  await using t = await openTestControl(kind)
  const all = await enrolEverybody(t)
  const epoch = encodeBase64url(new Uint8Array(16).fill(1))
  const base = {
    v: 1 as const,
    org: all.branch.org,
    iss: '@gw' as never,
    kid: kidOf('@gw', 'receipt'),
    epoch,
    agent: '@bot' as never,
    server: 'fs',
  }
  const outcome = { tool: 'read', decision: 'allow' as const, code: 'OK', status: 'ok' as const, t0: T0, t1: T0 + 1 }
  const sign = (change: object, seed = machineKey('@gw', 'receipt').seed) =>
    signReceipt({ ...base, ...outcome, rseq: 1, ...change } as never, seed, native)
  const post = async (receipts: string[]) => (await t.call('POST', '/api/v1/receipts', { by: all.gateway, body: { receipts } })).json
  const first = sign({})
  expect(await post([first, sign({ rseq: 2, tool: 'write' }), first])).toEqual({ stored: 2, known: 1, refused: [] })
  expect(await post([first])).toEqual({ stored: 0, known: 1, refused: [] })
  const refused = [
    { index: 0, code: 'RECEIPT_CONFLICT' },
    { index: 1, code: 'BAD_SIGNATURE' },
    { index: 2, code: 'UNKNOWN_KEY' },
    { index: 3, code: 'NOT_YET_VALID' },
  ]
  const bad = [
    sign({ code: 'OTHER' }),
    sign({ rseq: 3 }, machineKey('@bot', 'call').seed),
    sign({ rseq: 4, iss: '@bot' }),
    sign({ rseq: 5, t1: T0 + 9999 }),
  ]
  expect(await post([...bad, sign({ rseq: 6 })])).toEqual({ stored: 1, known: 0, refused })
  const list = async (query: string, by = all.admin) => (await t.call('GET', `/api/v1/receipts?${query}`, { by })).json
  expect((await list('limit=2')).receipts).toHaveLength(2)
  const { next } = await list('limit=2')
  expect((await list(`limit=2&cursor=${next}`)).receipts).toMatchObject([{ rseq: 1, jws: first }])
  expect((await list('tool=write')).receipts).toMatchObject([{ rseq: 2, agent: '@bot', t0: T0 }])
  expect((await list(`to=${T0}`)).receipts).toEqual([])
  expect((await list('agent=@eve')).receipts).toEqual([])
  expect((await list('', all.person)).receipts).toHaveLength(3)
})

test.each(databases)('the fleet on $name shows what the log, the acks and the edges say', async (kind) => {
  await using t = await openTestControl(kind)
  const all = await enrolEverybody(t)
  const tools = [{ name: 'read', description: 'Reads', inputSchema: { type: 'object', properties: { path: { type: 'string' } } } }]
  const report = await t.call('POST', '/api/v1/presence', {
    by: all.gateway,
    body: { version: '0.1.0', host: 'kite-7', servers: [{ name: 'fs', tools }] },
  })
  expect(report.json).toEqual({ relays: ['ws://localhost:3002/relay'], head: t.control.ledger.head() })
  expect((await t.call('POST', '/api/v1/presence', { by: all.agent, body: { version: '1', servers: [] } })).status).toBe(403)
  await t.call('POST', '/api/v1/acks', { by: all.gateway, body: { acks: [tokens(all).jws] } })
  const { members } = (await t.call('GET', '/api/v1/fleet', { by: all.person })).json
  expect(members.map(({ atsign }: { atsign: string }) => atsign)).toEqual(['@ana', '@ben', '@bot', '@gw'])
  expect(members[3]).toMatchObject({ kind: 'gateway', state: 'live', presence: { online: true, version: '0.1.0', host: 'kite-7' } })
  expect(members[3].ack).toMatchObject({ seq: all.branch.state.seq })
  expect(members[2]).toMatchObject({ kind: 'agent', owner: '@ben', tags: ['dev'] })
  expect((await t.call('GET', '/api/v1/fleet/@gw/tools', { by: all.admin })).json.servers).toMatchObject([{ name: 'fs', tools }])
  expect((await t.call('GET', '/api/v1/fleet/@gw9/tools', { by: all.admin })).status).toBe(404)
  const ids = [machineKey('@gw', 'auth'), machineKey('@eve', 'auth'), machineKey('@bot', 'call')].map(
    (key) => key.sign('postern-login-v1', new Uint8Array()).kid,
  )
  const admitted = await t.call('POST', '/api/v1/relay/admitted', { body: { org: all.branch.org, ids } })
  expect(admitted.json).toEqual({ admitted: [ids[0]], ttl_seconds: 60 })
  const elsewhere = await t.call('POST', '/api/v1/relay/admitted', { body: { org: encodeBase64url(new Uint8Array(32)), ids } })
  expect(elsewhere.json.admitted).toEqual([])
})
