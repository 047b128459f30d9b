import { encodeBase64url, encodeSigned, linkHash, policyDigest, stateHash, utf8 } from '@postern/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rebuild } from '../../packages/control/src/authority/project.ts'
import type { Everybody, TestControl } from '../fixtures/control.ts'
import { enrolEverybody, openTestControl, replayServed, secret, T0 } from '../fixtures/control.ts'
import { append as applied, draft, found, genesisOf } from '../fixtures/organisation.ts'
import { requestOf, signKey } from '../fixtures/people.ts'
import { databases } from './database/databases.ts'

console.log(`the control plane's tests run on ${databases.map(({ name }) => name).join(' and ')}`)
const policy = utf8('{"v":1,"name":"main","rules":[]}')

describe.each(databases)('founding an organisation on $name', (kind) => {
  let t: TestControl
  beforeAll(async () => {
    t = await openTestControl(kind)
  })
  afterAll(() => t[Symbol.asyncDispose]())
  const entry = encodeSigned(genesisOf())
  const post = (body: object) => t.call('POST', '/api/v1/log', { body })

  test('wants the secret', async () => {
    expect(await post({ entry })).toMatchObject({ status: 401, json: { error: { code: 'BAD_SECRET' } } })
    expect(await post({ entry, secret: 'guess' })).toMatchObject({ status: 401, json: { error: { code: 'BAD_SECRET' } } })
  })
  test('wants it within 15 minutes after the start', async () => {
    t.now.seconds += 900
    expect(await post({ entry: encodeSigned(genesisOf()), secret })).toMatchObject({ status: 401, json: { error: { code: 'BAD_SECRET' } } })
    t.now.seconds -= 900
  })
  test('wants every founding signature, whatever the secret', async () => {
    const { bytes, signatures } = genesisOf()
    const answer = await post({ entry: encodeSigned({ bytes, signatures: signatures.slice(1) }), secret })
    expect(answer).toMatchObject({ status: 400, json: { error: { code: 'SIGNATURE_MISSING' } } })
    expect(await t.control.db.prisma.statement.count()).toBe(0)
  })
  test('works once, and the same again is answered the same', async () => {
    const hash = linkHash(genesisOf().bytes)
    expect(await post({ entry, secret })).toMatchObject({ status: 200, json: { seq: 0, hash } })
    expect(await post({ entry, secret })).toMatchObject({ status: 200, json: { seq: 0, hash } })
    const other = encodeSigned(genesisOf({ name: 'Other' }))
    expect(await post({ entry: other, secret })).toMatchObject({ status: 409, json: { error: { code: 'ALREADY_FOUNDED' } } })
  })
})

test.each(databases)('of two organisations founded at the same time on $name one wins', async (kind) => {
  await using t = await openTestControl(kind)
  const both = ['One', 'Two'].map((name) => t.call('POST', '/api/v1/log', { body: { entry: encodeSigned(genesisOf({ name })), secret } }))
  const statuses = (await Promise.all(both)).map(({ status }) => status)
  expect(statuses.sort()).toEqual([200, 409])
  expect(await t.control.db.prisma.organisation.count()).toBe(1)
})

describe.each(databases)('the authority log on $name', (kind) => {
  let t: TestControl
  let all: Everybody
  beforeAll(async () => {
    t = await openTestControl(kind)
    all = await enrolEverybody(t)
  })
  afterAll(() => t[Symbol.asyncDispose]())
  const post = (entry: ReturnType<typeof draft>, extra: object = {}) =>
    t.call('POST', '/api/v1/log', { body: { entry: encodeSigned(entry), ...extra }, by: all.admin })
  const pin = (tool: string) => ({
    gateway: '@gw' as never,
    server: 'fs',
    set: [{ name: tool, digest: encodeBase64url(new Uint8Array(32)), risk: 'read' as const }],
    unset: [],
  })

  test('is served byte for byte, so that a reader arrives at the same state', async () => {
    const state = await replayServed(t, all.branch.org, all.gateway)
    expect(stateHash(state)).toBe(stateHash(all.branch.state))
    expect(stateHash(t.control.ledger.state!)).toBe(stateHash(all.branch.state))
  })
  test('takes one of two statements for the same place, and tells the other one the head', async () => {
    const rivals = [draft(all.branch, 'server.pin', pin('one')), draft(all.branch, 'server.pin', pin('two'))]
    const answers = await Promise.all(rivals.map((rival) => post(rival)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
    const winner = rivals[answers.findIndex(({ status }) => status === 200)]!
    const loser = answers.find(({ status }) => status === 409)!
    const head = { seq: all.branch.state.seq + 1, hash: linkHash(winner.bytes) }
    expect(loser.json.error).toMatchObject({ code: 'CONFLICT', head })
    all.branch = applied(all.branch, winner)
    expect(await post(winner)).toMatchObject({ status: 200, json: head })
  })
  test('refuses what core refuses, and stores nothing of it', async () => {
    const before = await t.control.db.prisma.statement.count()
    const unsigned = draft(all.branch, 'server.pin', pin('x'), { by: [] })
    expect(await post(unsigned)).toMatchObject({ status: 400, json: { error: { code: 'THRESHOLD_NOT_MET' } } })
    const stranger = draft(all.branch, 'server.pin', pin('x'), { by: [signKey('@eve')] })
    expect(await post(stranger)).toMatchObject({ status: 400, json: { error: { code: 'THRESHOLD_NOT_MET' } } })
    const foreign = found({ name: 'Other' })
    const other = draft(foreign, 'threshold.set', { thresholds: foreign.state.thresholds })
    expect(await post(other)).toMatchObject({ status: 400, json: { error: { code: 'WRONG_ORG' } } })
    const early = draft(all.branch, 'server.pin', pin('x'), { at: t.now.seconds + 600 })
    expect(await post(early)).toMatchObject({ status: 400, json: { error: { code: 'NOT_YET_VALID' } } })
    const { at } = all.branch.state
    t.now.seconds = at + 1
    const late = draft(all.branch, 'server.pin', pin('x'), { at, nva: at })
    expect(await post(late)).toMatchObject({ status: 400, json: { error: { code: 'EXPIRED' } } })
    const named = draft(all.branch, 'server.pin', pin('x'), { at, rev: [encodeBase64url(new Uint8Array(32))] })
    expect(await post(named)).toMatchObject({ status: 409, json: { error: { code: 'UNKNOWN_REVOCATION' } } })
    expect(await t.control.db.prisma.statement.count()).toBe(before)
  })
  test('refuses an unknown operation that would halt every edge, although an administrator signed it', async () => {
    const bytes = utf8(
      `{"at":${all.branch.state.at},"body":{},"nva":${all.branch.state.at + 600},"op":"moon.landing","org":"${all.branch.org}","prev":"${all.branch.state.head}","rev":[],"seq":${all.branch.state.seq + 1},"v":1}`,
    )
    const signed = { bytes, signatures: [signKey('@ana').sign('postern-statement-v1', bytes)] }
    expect(await post(signed)).toMatchObject({ status: 400, json: { error: { code: 'UNKNOWN_OP' } } })
  })
  test('takes a complete statement from somebody who cannot sign in: its signatures are what counts', async () => {
    const statement = draft(all.branch, 'server.pin', pin('three'))
    const answer = await t.call('POST', '/api/v1/log', { body: { entry: encodeSigned(statement) } })
    expect(answer.status).toBe(200)
    all.branch = applied(all.branch, statement)
  })
  test('takes policy.set only with its bytes', async () => {
    const body = { sha256: policyDigest(policy), name: 'main' }
    const statement = draft(all.branch, 'policy.set', body)
    expect(await post(statement)).toMatchObject({ status: 409, json: { error: { code: 'POLICY_MISSING' } } })
    const bad = encodeBase64url(utf8('{"v":1}'))
    expect(await post(statement, { policy: bad })).toMatchObject({ status: 400, json: { error: { code: 'MALFORMED' } } })
    expect(await post(statement, { policy: encodeBase64url(policy) })).toMatchObject({ status: 200 })
    all.branch = applied(all.branch, statement)
    const { response } = await t.call('GET', `/api/v1/policies/${body.sha256}`, { by: all.gateway })
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(policy)
  })
  test('keeps policy bytes by their own digest only', async () => {
    const put = (sha256: string, bytes: Uint8Array) =>
      t.call('PUT', `/api/v1/policies/${sha256}`, { bytes: Uint8Array.from(bytes), by: all.admin })
    const other = utf8('{"v":1,"name":"other","rules":[]}')
    expect(await put(policyDigest(policy), other)).toMatchObject({ status: 400, json: { error: { code: 'WRONG_DIGEST' } } })
    expect(await put(policyDigest(other), other)).toMatchObject({ status: 200 })
    const repeated = utf8('{"v":1,"name":"a","name":"b","rules":[]}')
    expect(await put(policyDigest(repeated), repeated)).toMatchObject({ status: 400, json: { error: { code: 'DUPLICATE_NAME' } } })
    expect(await put(policyDigest(other), new Uint8Array(256 * 1024 + 1))).toMatchObject({ status: 413 })
  })
  test('is all there is: drop the derived tables, replay the log, and they are whole', async () => {
    const replaced = {
      ...requestOf(all.branch.org, 'agent', '@bot', { owner: '@ben', generation: 2 }),
      exp: T0 + 9e6,
      tags: [],
      owner: '@ben',
    }
    all.branch = await t.append(all.branch, 'agent.enroll', replaced as never)
    const { prisma } = t.control.db
    const dump = async () => ({
      identities: await prisma.identity.findMany({ orderBy: { atsign: 'asc' } }),
      keys: await prisma.identityKey.findMany({ orderBy: { kid: 'asc' } }),
      servers: await prisma.server.findMany({ orderBy: { name: 'asc' } }),
    })
    const before = await dump()
    expect(before.keys.filter(({ live }) => !live)).toHaveLength(3)
    await prisma.$executeRaw`TRUNCATE identities, identity_keys, servers`
    const state = await replayServed(t, all.branch.org, all.admin)
    await prisma.$transaction((tx) => rebuild(tx, state))
    expect(await dump()).toEqual(before)
  })
  test('stops where the database was tampered with, says so, and serves what is really stored', async () => {
    const { prisma } = t.control.db
    const row = await prisma.statement.findFirstOrThrow({ orderBy: { seq: 'desc' } })
    const forged = { ...row, seq: row.seq + 1, hash: encodeBase64url(new Uint8Array(32)), signatures: [] }
    await prisma.statement.create({ data: forged })
    await t.control.ledger.refresh()
    expect(t.control.ledger.broken).toMatchObject({ seq: row.seq + 1 })
    expect(await t.call('GET', '/api/health')).toMatchObject({ status: 200, json: { status: 'degraded', code: 'LOG_INVALID' } })
    expect((await t.call('GET', '/api/v1/log', { by: all.gateway })).json.head.seq).toBe(row.seq + 1)
    const next = draft(all.branch, 'server.pin', pin('four'))
    expect(await post(next)).toMatchObject({ status: 409, json: { error: { code: 'LOG_INVALID' } } })
  })
})
