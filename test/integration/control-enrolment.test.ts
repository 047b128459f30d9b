import { encodeBase64url, encodeSigned } from '@postern/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Everybody, TestControl } from '../fixtures/control.ts'
import { enrolEverybody, openTestControl, T0 } from '../fixtures/control.ts'
import { append as applied, draft } from '../fixtures/organisation.ts'
import { requestOf, signKey } from '../fixtures/people.ts'
import { databases } from './database/databases.ts'

describe.each(databases)('enrolment on $name', (kind) => {
  let t: TestControl
  let all: Everybody
  beforeAll(async () => {
    t = await openTestControl(kind)
    all = await enrolEverybody(t)
  })
  afterAll(() => t[Symbol.asyncDispose]())
  const newCode = async (body: object = { kind: 'agent' }, by = all.admin) => (await t.call('POST', '/api/v1/codes', { by, body })).json
  const submit = (code: string, atsign: string, change: object = {}, of: 'agent' | 'gateway' = 'agent') =>
    t.call('POST', '/api/v1/enrolments', { body: { code, ...requestOf(all.branch.org, of, atsign, change), facts: { host: 'kite-7' } } })

  test('codes look like F4KD-9TWP and are stored hashed', async () => {
    const { code, exp } = await newCode()
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/)
    expect(exp).toBe(t.now.seconds + 900)
    const stored = JSON.stringify(await t.control.db.prisma.enrolmentCode.findMany())
    expect(stored).not.toContain(code)
    expect(stored).not.toContain(code.replace('-', ''))
  })
  test('a code is used once, by one request, even in a race, and is read as people type it', async () => {
    const { code } = await newCode()
    const typed = code.toLowerCase().replace('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')
    const answers = await Promise.all([submit(code, '@a1'), submit(typed, '@a2')])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401])
    expect(await submit(code, '@a3')).toMatchObject({ status: 401, json: { error: { code: 'BAD_CODE' } } })
  })
  test('a code ends after its time, and when it is voided', async () => {
    const { code, id } = await newCode({ kind: 'agent', minutes: 5 })
    t.now.seconds += 301
    expect(await submit(code, '@a4')).toMatchObject({ status: 401, json: { error: { code: 'BAD_CODE' } } })
    t.now.seconds -= 301
    expect((await t.call('DELETE', `/api/v1/codes/${id}`, { by: all.person })).status).toBe(404)
    expect((await t.call('DELETE', `/api/v1/codes/${id}`, { by: all.admin })).status).toBe(200)
    expect((await submit(code, '@a4')).status).toBe(401)
  })
  test('codes cannot be guessed at speed', async () => {
    const { guesses } = t.control.limits
    expect((await submit('AAAA-1000', '@a5')).status).toBe(401)
    guesses.spend(6_000) // ten minutes' worth: a slow machine does not empty it meanwhile
    expect(await submit('AAAA-1001', '@a5')).toMatchObject({ status: 429, json: { error: { code: 'TOO_MANY' } } })
    guesses.spend(-6_001)
  })
  test('a person with a delegation invites agents with its tags, and nobody else', async () => {
    const make = (body: object) => t.call('POST', '/api/v1/codes', { by: all.person, body })
    expect(await make({ kind: 'gateway' })).toMatchObject({ status: 403, json: { error: { code: 'NOT_PERMITTED' } } })
    expect(await make({ kind: 'person' })).toMatchObject({ status: 403 })
    expect(await make({ kind: 'agent', tags: ['prod'] })).toMatchObject({ status: 403 })
    const { json } = await make({ kind: 'agent', tags: ['dev'] })
    expect(await submit(json.code, '@a6', { owner: '@ana' })).toMatchObject({ status: 403 })
    expect(await submit(json.code, '@a6', { owner: '@ben' })).toMatchObject({ status: 200 })
    const { enrolments } = (await t.call('GET', '/api/v1/enrolments', { by: all.person })).json
    expect(enrolments).toMatchObject([
      { atsign: '@a6', kind: 'agent', owner: '@ben', tags: ['dev'], invited_by: '@ben', facts: { host: 'kite-7' } },
    ])
  })
  test('a request must be signed by all its keys, for this organisation, of the kind the code is for', async () => {
    const { code } = await newCode()
    const { request, proofs } = requestOf(all.branch.org, 'agent', '@a7')
    const post = (body: object) => t.call('POST', '/api/v1/enrolments', { body: { code, request, proofs, ...body } })
    expect(await post({ proofs: proofs.slice(1) })).toMatchObject({ status: 400, json: { error: { code: 'BAD_PROOF' } } })
    const foreign = requestOf(encodeBase64url(new Uint8Array(32)), 'agent', '@a7')
    expect(await post(foreign)).toMatchObject({ status: 400, json: { error: { code: 'WRONG_ORG' } } })
    expect(await submit(code, '@g7', {}, 'gateway')).toMatchObject({ status: 403, json: { error: { code: 'NOT_PERMITTED' } } })
    const late = requestOf(all.branch.org, 'agent', '@a7', { exp: T0 - 1 })
    expect(await post(late)).toMatchObject({ status: 400, json: { error: { code: 'EXPIRED' } } })
    expect(await post({})).toMatchObject({ status: 200 }) // none of these used the code up
  })
  test('the same request cannot be queued again with another code', async () => {
    const [one, two] = [await newCode(), await newCode()]
    expect((await submit(one.code, '@a8')).status).toBe(200)
    expect(await submit(two.code, '@a8')).toMatchObject({ status: 401, json: { error: { code: 'REPLAYED' } } })
  })
  test('whoever knows the id follows the request, reads the log, and learns at once of the signature', async () => {
    const { code } = await newCode({ kind: 'gateway' })
    expect((await t.call('GET', '/api/v1/log', { headers: { 'postern-code': code } })).json.entries.length).toBeGreaterThan(3)
    const { id } = (await submit(code, '@gw9', {}, 'gateway')).json
    expect((await t.call('GET', '/api/v1/log', { headers: { 'postern-code': code } })).status).toBe(401)
    expect((await t.call('GET', `/api/v1/log?enrolment=${id}`)).json.org).toBe(all.branch.org)
    expect((await t.call('GET', '/api/v1/log?enrolment=AAAAAAAAAAAAAAAAAAAAAA')).status).toBe(401)
    expect(await t.call('GET', `/api/v1/enrolments/${id}`)).toMatchObject({ status: 200, json: { status: 'pending' } })
    const waiting = t.call('GET', `/api/v1/enrolments/${id}?wait=20`)
    const body = { ...requestOf(all.branch.org, 'gateway', '@gw9'), exp: T0 + 1e6, tags: [] }
    const statement = draft(all.branch, 'gateway.enroll', body as never)
    t.now.seconds = Math.max(t.now.seconds, all.branch.state.at + 60)
    expect((await t.call('POST', '/api/v1/log', { by: all.admin, body: { entry: encodeSigned(statement) } })).status).toBe(200)
    all.branch = applied(all.branch, statement)
    expect((await waiting).json).toEqual({ status: 'enrolled', seq: all.branch.state.seq })
  })
  test('a refusal reaches the machine with its reason, and is final', async () => {
    const { code } = await newCode()
    const { id } = (await submit(code, '@a10')).json
    const refuse = (by = all.admin) => t.call('POST', `/api/v1/enrolments/${id}/refuse`, { by, body: { reason: 'not ours' } })
    expect((await refuse(all.person)).status).toBe(404)
    expect((await refuse()).status).toBe(200)
    expect(await refuse()).toMatchObject({ status: 409, json: { error: { code: 'ALREADY_DECIDED' } } })
    expect((await t.call('GET', `/api/v1/enrolments/${id}?wait=5`)).json).toEqual({ status: 'refused', reason: 'not ours' })
  })
  test('a request that nobody signs ends after an hour', async () => {
    const { code } = await newCode()
    const { id } = (await submit(code, '@a11')).json
    t.now.seconds += 3601
    expect((await t.call('GET', `/api/v1/enrolments/${id}`)).json).toEqual({ status: 'expired' })
    expect((await t.call('GET', `/api/v1/log?enrolment=${id}`)).status).toBe(401)
    t.now.seconds -= 3601
  })
})

describe.each(databases)('statements that want more signatures on $name', (kind) => {
  test('wait until the threshold is met, and are then appended', async () => {
    await using t = await openTestControl(kind)
    const two = { m: 2 }
    const founding = { admins: ['@ana', '@bob'], thresholds: { root: two, sensitive: two, routine: { m: 1 } } }
    const branch = await t.found(founding)
    const [ana, bob] = [await t.login('@ana'), await t.login('@bob')]
    const statement = draft(branch, 'threshold.set', { thresholds: founding.thresholds }, { by: [signKey('@ana')] })
    t.now.seconds = branch.state.at + 60
    const posted = await t.call('POST', '/api/v1/requests', { by: ana, body: encodeSigned(statement) })
    expect(posted.json).toMatchObject({ status: 'open', seq: 1 })
    const path = `/api/v1/requests/${posted.json.id}`
    const { needed } = (await t.call('GET', path, { by: bob })).json
    expect((await t.call('GET', path)).json.needed).toEqual(needed) // a signer has no session, but knows the id
    expect((await t.call('GET', `/api/v1/log?request=${posted.json.id}`)).json.entries).toHaveLength(1)
    expect(needed).toMatchObject([{ by: 'admins', class: 'root', m: 2, signed: ['@ana'], met: false }, { when: 'after' }])
    const stranger = [signKey('@eve').sign('postern-statement-v1', statement.bytes)]
    const sign = (signatures: object[]) => t.call('POST', `${path}/signatures`, { by: bob, body: { signatures } })
    expect(await sign(stranger)).toMatchObject({ status: 400, json: { error: { code: 'BAD_SIGNATURE' } } })
    expect(await sign([signKey('@bob').sign('postern-statement-v1', statement.bytes)])).toMatchObject({ json: { status: 'complete' } })
    expect(t.control.ledger.state?.seq).toBe(1)
    expect((await t.call('GET', path, { by: ana })).json.status).toBe('complete')
    expect(await sign([signKey('@bob').sign('postern-statement-v1', statement.bytes)])).toMatchObject({ status: 409 })
  })
  test('are void once another statement has their place', async () => {
    await using t = await openTestControl(kind)
    const two = { m: 2 }
    const branch = await t.found({ admins: ['@ana', '@bob'], thresholds: { root: two, sensitive: { m: 1 }, routine: { m: 1 } } })
    const ana = await t.login('@ana')
    const statement = draft(branch, 'threshold.set', { thresholds: branch.state.thresholds }, { by: [signKey('@ana')] })
    t.now.seconds = branch.state.at + 60
    const { json } = await t.call('POST', '/api/v1/requests', { by: ana, body: encodeSigned(statement) })
    const person = { ...requestOf(branch.org, 'person', '@ben'), exp: T0 + 1e6, tags: [] }
    await t.append(branch, 'person.enroll', person as never)
    expect((await t.call('GET', `/api/v1/requests/${json.id}`, { by: ana })).json.status).toBe('superseded')
    const again = await t.call('POST', '/api/v1/requests', { by: ana, body: encodeSigned(statement) })
    expect(again).toMatchObject({ status: 409 })
  })
})
