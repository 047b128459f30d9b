import { encodeBase64url, encodeSigned, keyIdOf } from '@postern/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Call, Everybody, TestControl } from '../fixtures/control.ts'
import { enrolEverybody, loginOf, openTestControl, origin, seedOf, T0 } from '../fixtures/control.ts'
import { revocation } from '../fixtures/organisation.ts'
import { machineKey, requestOf, signKey } from '../fixtures/people.ts'
import { databases } from './database/databases.ts'

describe.each(databases)('signed requests on $name', (kind) => {
  let t: TestControl
  let all: Everybody
  beforeAll(async () => {
    t = await openTestControl(kind)
    all = await enrolEverybody(t)
  })
  afterAll(() => t[Symbol.asyncDispose]())
  const read = (call: Call) => t.call('GET', '/api/v1/log', call)
  const report = (call: Call) => t.call('POST', '/api/v1/presence', { by: all.gateway, body: { version: '1' }, ...call })
  const refused = (reason: string) => ({ status: 401, json: { error: { code: 'UNAUTHENTICATED', reason } } })

  test('are accepted from every kind of enrolled key and from a session', async () => {
    for (const by of [all.gateway, all.agent, all.admin, all.person]) expect((await read({ by })).status).toBe(200)
  })
  test('are needed where anybody is not served', async () => {
    expect(await read({})).toMatchObject({ status: 401, json: { error: { code: 'UNAUTHENTICATED' } } })
  })
  test('count for one method, one path and one query', async () => {
    expect(await read({ by: all.gateway, sign: { method: 'POST' } })).toMatchObject(refused('BAD_SIGNATURE'))
    expect(await read({ by: all.gateway, sign: { url: `${origin}/api/v1/acks` } })).toMatchObject(refused('BAD_SIGNATURE'))
    expect(await read({ by: all.gateway, sign: { url: `${origin}/api/v1/log?from=1` } })).toMatchObject(refused('BAD_SIGNATURE'))
  })
  test('count for exactly the bytes of the body', async () => {
    expect(await report({ sign: { body: new TextEncoder().encode('{"version":"2"}') } })).toMatchObject(refused('WRONG_DIGEST'))
    const swap = (headers: Record<string, string>) => {
      headers['content-digest'] = 'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:'
    }
    expect(await report({ spoil: swap })).toMatchObject(refused('WRONG_DIGEST'))
  })
  test('count for one of our own hosts only', async () => {
    const elsewhere = { by: all.gateway, sign: { url: 'https://evil.example/api/v1/log' }, headers: { host: 'evil.example' } }
    expect(await read(elsewhere)).toMatchObject({ status: 401, json: { error: { code: 'WRONG_AUTHORITY' } } })
    const forwarded = { by: all.gateway, sign: { url: 'https://evil.example/api/v1/log' } }
    expect(await read(forwarded)).toMatchObject(refused('BAD_SIGNATURE'))
  })
  test('count for their minute', async () => {
    expect(await read({ by: all.gateway, sign: { created: t.now.seconds - 200 } })).toMatchObject(refused('EXPIRED'))
    expect(await read({ by: all.gateway, sign: { created: t.now.seconds + 200 } })).toMatchObject(refused('NOT_YET_VALID'))
  })
  test('count once', async () => {
    const sign = { nonce: seedOf('once').subarray(0, 16) }
    expect((await read({ by: all.gateway, sign })).status).toBe(200)
    expect(await read({ by: all.gateway, sign })).toMatchObject({ status: 401, json: { error: { code: 'REPLAYED' } } })
    expect((await read({ by: all.agent, sign })).status).toBe(200)
  })
  test('sent several times at once are served once', async () => {
    const sign = { nonce: seedOf('race').subarray(0, 16) }
    const answers = await Promise.all(Array.from({ length: 12 }, () => read({ by: all.gateway, sign })))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })
  test('are not remembered for longer than they could be sent again', async () => {
    const { deleteExpired } = await import('../../packages/control/src/cleaner.ts')
    await deleteExpired(t.control.db, t.now.seconds + 3600)
    expect(await t.control.db.prisma.usedNonce.count()).toBe(0)
  })
  test('of a form that is not exactly ours are refused', async () => {
    const spoil = (change: (h: Record<string, string>) => void) => read({ by: all.gateway, spoil: change })
    const without = await spoil((h) => delete h['content-digest'])
    expect(without).toMatchObject(refused('UNSIGNED'))
    const other = await spoil((h) => {
      h['signature-input'] = h['signature-input']!.replace('"@query" ', '')
    })
    expect(other).toMatchObject(refused('MALFORMED'))
    const half = await spoil((h) => delete h.signature)
    expect(half).toMatchObject(refused('UNSIGNED'))
  })
  test('are refused under keys that are not enrolled, or enrolled for something else', async () => {
    expect(await read({ by: machineKey('@eve', 'auth') })).toMatchObject(refused('UNKNOWN_KEY'))
    expect(await read({ by: machineKey('@bot', 'call') })).toMatchObject(refused('UNKNOWN_KEY'))
    expect(await read({ by: machineKey('@gw', 'receipt') })).toMatchObject(refused('UNKNOWN_KEY'))
    expect(await read({ by: signKey('@ana') })).toMatchObject(refused('UNKNOWN_KEY'))
    const claimed = keyIdOf(machineKey('@gw', 'auth').publicKey)
    expect(await read({ by: machineKey('@eve', 'auth'), sign: { kid: claimed } })).toMatchObject(refused('BAD_SIGNATURE'))
  })
  test('are not helped by a bearer token', async () => {
    expect((await read({ headers: { authorization: 'Bearer whatever' } })).status).toBe(401)
  })
})

describe.each(databases)('sessions on $name', (kind) => {
  let t: TestControl
  let all: Everybody
  beforeAll(async () => {
    t = await openTestControl(kind)
    all = await enrolEverybody(t)
  })
  afterAll(() => t[Symbol.asyncDispose]())
  const post = (signed: ReturnType<typeof loginOf>) => t.call('POST', '/api/v1/sessions', { body: { login: encodeSigned(signed) } })

  test('last 12 hours and say whose they are', async () => {
    const by = await t.login('@ben')
    const me = { status: 200, json: { atsign: '@ben', role: 'person', expires: t.now.seconds + 43_200 } }
    expect(await t.call('GET', '/api/v1/sessions', { by })).toMatchObject(me)
    t.now.seconds += 43_200
    expect((await t.call('GET', '/api/v1/sessions', { by })).status).toBe(401)
    t.now.seconds -= 43_200
  })
  test('want a login for this console, now, by a key of that person', async () => {
    const seed = seedOf('s1')
    const at = t.now.seconds
    const refusals = [
      [loginOf(t.control, '@ben', seed, at, { console: 'https://evil.example' }), 'WRONG_AUDIENCE'],
      [loginOf(t.control, '@ben', seed, at - 600), 'EXPIRED'],
      [loginOf(t.control, '@ben', seed, at + 600), 'NOT_YET_VALID'],
      [loginOf(t.control, '@ben', seed, at, { org: encodeBase64url(seedOf('other')) }), 'WRONG_ORG'],
      [loginOf(t.control, '@ben', seed, at, {}, signKey('@ana')), 'BAD_SIGNATURE'],
      [loginOf(t.control, '@gw', seed, at), 'NOT_ENTITLED'],
      [loginOf(t.control, '@eve', seed, at, {}, signKey('@eve')), 'NOT_ENTITLED'],
    ] as const
    for (const [login, code] of refusals) expect(await post(login), code).toMatchObject({ status: 400, json: { error: { code } } })
    expect(await t.control.db.prisma.session.count({ where: { publicKey: encodeBase64url(seedOf('s1')) } })).toBe(0)
  })
  test('open once per login, and once per session key', async () => {
    const login = loginOf(t.control, '@ben', seedOf('s2'), t.now.seconds)
    expect((await post(login)).status).toBe(200)
    expect(await post(login)).toMatchObject({ status: 401, json: { error: { code: 'REPLAYED' } } })
    expect(await post(loginOf(t.control, '@ana', seedOf('s2'), t.now.seconds + 1))).toMatchObject({ status: 401 })
  })
  test('never run under an enrolled key', async () => {
    const login = loginOf(t.control, '@ben', all.gateway.seed, t.now.seconds)
    expect(await post(login)).toMatchObject({ status: 400, json: { error: { code: 'WRONG_KEY_USE' } } })
  })
  test('end by sign-out, and by an administrator, at once', async () => {
    const [one, two] = [await t.login('@ben'), await t.login('@ben')]
    expect((await t.call('DELETE', '/api/v1/sessions', { by: one })).status).toBe(200)
    expect((await t.call('GET', '/api/v1/sessions', { by: one })).status).toBe(401)
    const { json } = await t.call('GET', '/api/v1/sessions', { by: two })
    expect((await t.call('DELETE', `/api/v1/sessions/${json.kid}`, { by: all.admin })).status).toBe(200)
    expect((await t.call('GET', '/api/v1/sessions', { by: two })).status).toBe(401)
  })
  test('of somebody else are not to be seen or ended', async () => {
    const mine = await t.call('GET', '/api/v1/sessions', { by: all.admin })
    expect((await t.call('DELETE', `/api/v1/sessions/${mine.json.kid}`, { by: all.person })).status).toBe(404)
    const { json } = await t.call('GET', '/api/v1/sessions/all', { by: all.person })
    expect(new Set(json.sessions.map((s: { atsign: string }) => s.atsign))).toEqual(new Set(['@ben']))
  })
  test('end with the key that opened them', async () => {
    const by = await t.login('@ben')
    const kid = keyIdOf(signKey('@ben').publicKey)
    const signed = revocation(all.branch, { kind: 'key', id: kid })
    expect((await t.call('POST', '/api/v1/revocations', { body: encodeSigned(signed) })).status).toBe(200)
    expect(await t.call('GET', '/api/v1/sessions', { by })).toMatchObject({ status: 401 })
  })
  test('and the keys of edges end with their revocation, rotation and lease', async () => {
    const read = (by: { seed: Uint8Array }) => t.call('GET', '/api/v1/log', { by })
    const enrol = { ...requestOf(all.branch.org, 'gateway', '@gw', { generation: 2 }), exp: T0 + 10_000, tags: [] }
    all.branch = await t.append(all.branch, 'gateway.enroll', enrol as never)
    expect((await read(all.gateway)).status).toBe(401)
    const renewed = machineKey('@gw', 'auth', 2)
    expect((await read(renewed)).status).toBe(200)
    t.now.seconds = T0 + 10_000
    expect((await read(renewed)).status).toBe(401)
    t.now.seconds = T0 + 9000
    const { enrolment } = all.branch.state.identities.get('@gw' as never)!
    await t.call('POST', '/api/v1/revocations', { body: encodeSigned(revocation(all.branch, { kind: 'enrolment', id: enrolment })) })
    expect((await read(renewed)).status).toBe(401)
  })
})
