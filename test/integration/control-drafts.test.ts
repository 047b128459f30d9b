// Drafts: what a session may prepare, what the signing page brings back, and that nothing but signatures decides.
import type { Actor } from '@postern/control'
import { createCaller } from '@postern/control'
import type { Bodies, KeyId, Signature } from '@postern/core'
import {
  decodeBase64url,
  draftStatement,
  encodeBase64url,
  keyIdOf,
  parseAtSign,
  parseRevocation,
  parseStatement,
  policyDigest,
  portable,
} from '@postern/core'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Everybody, TestControl } from '../fixtures/control.ts'
import { enrolEverybody, openTestControl } from '../fixtures/control.ts'
import { draft } from '../fixtures/organisation.ts'
import type { TestKey } from '../fixtures/people.ts'
import { bytesOf, ed25519Key, requestOf, seedOf, signKey, T0 } from '../fixtures/people.ts'
import { databases } from './database/databases.ts'

const YEAR = 31_536_000
const policy = Buffer.from(
  JSON.stringify({
    name: 'main',
    rules: [{ effect: 'allow', id: 'all', servers: ['notes'], tools: ['read'], who: ['@bot'] }],
    tests: [],
    v: 1,
  }),
)

describe.each(databases)('drafts on $name', (kind) => {
  let t: TestControl
  let all: Everybody
  const actorOf = (atsign: string, role: Actor['role']): Actor => ({
    ...{ role, atsign: parseAtSign(atsign), org: all.branch.org, kid: encodeBase64url(seedOf(`session of ${atsign}`)) },
    login: keyIdOf(signKey(atsign).publicKey),
  })
  const as = (atsign: string, role: Actor['role'] = 'admin') =>
    createCaller({ control: t.control, principal: actorOf(atsign, role), requestId: 'test' }).requests
  const get = async (id: string) => (await t.call('GET', `/api/v1/requests/${id}`)).json
  /** As the signing page: fetches by id, compares the hash, signs, posts, without any session. */
  const sign = async (
    made: { id: string; url: string },
    by: readonly TestKey[],
    namespace: Parameters<TestKey['sign']>[0] = 'postern-statement-v1',
  ) => {
    const asked = requestIn(made.url)
    const { bytes } = await get(made.id)
    expect(encodeBase64url(portable.sha256(decodeBase64url(bytes)))).toBe(asked.sha256)
    return post(made.id, { signatures: by.map((key) => key.sign(namespace, decodeBase64url(bytes))) })
  }
  const post = (id: string, body: { bytes?: string; signatures: readonly Signature[] }) =>
    t.call('POST', `/api/v1/requests/${id}/signatures`, { body })
  const requestIn = (url: string) => JSON.parse(Buffer.from(new URL(url).hash.slice(1), 'base64url').toString())
  const told: unknown[] = []
  const enrolmentOf = async (who: 'agent' | 'gateway' | 'person', atsign: string, by = all.admin) => {
    const { json } = await t.call('POST', '/api/v1/codes', { by, body: { kind: who } })
    const asked = requestOf(all.branch.org, who, atsign, { exp: t.now.seconds + 3600 })
    const body = { code: json.code, ...asked, facts: {} }
    return (await t.call('POST', '/api/v1/enrolments', { body })).json.id as string
  }

  beforeEach(async () => {
    t = await openTestControl(kind)
    all = await enrolEverybody(t)
    told.length = 0
    t.control.bus.subscribe(({ kind, to, data }) => {
      if (kind === 'request') told.push({ to, status: data.status, op: data.op })
    })
    return () => t[Symbol.asyncDispose]()
  })

  test('a statement is drafted without a signature, and becomes one in the log by the signature of its administrator', async () => {
    const body: Bodies['person.enroll'] = { ...requestOf(all.branch.org, 'person', '@eve'), exp: T0 + YEAR / 2, tags: [] }
    const made = await as('@ana').draft({ op: 'person.enroll', body: body as never, back: '/people' })
    expect(requestIn(made.url)).toEqual({
      ...{
        v: 1,
        kind: 'statement',
        control: 'http://localhost:3000',
        org: all.branch.org,
        id: made.id,
        sha256: made.sha256,
        back: '/people',
      },
    })
    expect(made.url.startsWith('https://sign.example/#')).toBe(true)
    expect(await get(made.id)).toMatchObject({ kind: 'statement', op: 'person.enroll', status: 'open', signatures: [], created_by: '@ana' })
    expect(t.control.ledger.state?.identities.has(parseAtSign('@eve'))).toBe(false)
    expect((await sign(made, [signKey('@ana')])).json).toMatchObject({ status: 'complete', seq: made.seq })
    expect(t.control.ledger.state?.identities.has(parseAtSign('@eve'))).toBe(true)
    await expect
      .poll(() => told)
      .toEqual([
        { to: '@ana', status: 'open', op: 'person.enroll' },
        { to: '@ana', status: 'open', op: 'person.enroll' },
        { to: '@ana', status: 'complete', op: 'person.enroll' },
      ])
  })
  test('a signature that counts for nothing is refused, and so is one for something else', async () => {
    const body = { ...requestOf(all.branch.org, 'person', '@eve'), exp: T0 + YEAR / 2, tags: [] }
    const made = await as('@ana').draft({ op: 'person.enroll', body: body as never })
    const refused = { status: 400, json: { error: { code: 'BAD_SIGNATURE' } } }
    expect(await sign(made, [signKey('@ben')])).toMatchObject(refused)
    expect(await sign(made, [signKey('@ana')], 'postern-revocation-v1')).toMatchObject(refused)
    const bytes = decodeBase64url((await get(made.id)).bytes)
    const other = encodeBase64url(draft(all.branch, 'admin.remove', { atsign: parseAtSign('@ana') }).bytes)
    const signatures = [signKey('@ana').sign('postern-statement-v1', bytes)]
    expect(await post(made.id, { bytes: other, signatures })).toMatchObject({ status: 400, json: { error: { code: 'MALFORMED' } } })
    expect((await get(made.id)).status).toBe('open')
  })
  test('strangers guess only so often', async () => {
    const made = await as('@ana')
      .draft({ op: 'admin.remove', body: { atsign: '@ana' } as never })
      .catch(() => undefined)
    expect(made).toBeUndefined() // the last administrator stays
    t.control.limits.strangers.spend(10_000)
    const signatures = [signKey('@eve').sign('postern-statement-v1', new Uint8Array())]
    expect(await post('AAAAAAAAAAAAAAAAAAAAAA', { signatures })).toMatchObject({ status: 429 })
  })
  test('asked twice within a second it is one request', async () => {
    const body = { ...requestOf(all.branch.org, 'person', '@eve'), exp: T0 + YEAR / 2, tags: [] }
    const [one, two] = [
      await as('@ana').draft({ op: 'person.enroll', body: body as never }),
      await as('@ana').draft({ op: 'person.enroll', body: body as never }),
    ]
    expect(two).toEqual(one)
  })
  test('what core would refuse is not drafted', async () => {
    await expect(as('@ana').draft({ op: 'no.such', body: {} })).rejects.toMatchObject({ cause: { refusal: { status: 400 } } })
    await expect(as('@ana').draft({ op: 'admin.remove', body: { atsign: '@nobody' } })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    await expect(as('@ana').draft({ op: 'release', body: { extra: 1 } })).rejects.toMatchObject({
      cause: { refusal: { code: 'UNKNOWN_FIELD' } },
    })
  })
  test('when somebody else was faster it is void, and drafted again with the same meaning for the new place', async () => {
    const body = (atsign: string) => ({ ...requestOf(all.branch.org, 'person', atsign), exp: T0 + YEAR / 2, tags: [] }) as never
    const first = await as('@ana').draft({ op: 'person.enroll', body: body('@eve') })
    const second = await as('@ana').draft({ op: 'person.enroll', body: body('@fay') })
    const before = (await get(second.id)).bytes
    await sign(first, [signKey('@ana')])
    expect(await get(second.id)).toMatchObject({ status: 'superseded' })
    const late = { signatures: [signKey('@ana').sign('postern-statement-v1', decodeBase64url(before))] }
    expect(await post(second.id, late)).toMatchObject({ status: 409, json: { error: { code: 'ALREADY_DECIDED' } } })
    t.now.seconds += 5
    const again = await as('@ana').redraft({ id: second.id })
    expect(again).toMatchObject({ id: second.id, seq: first.seq! + 1 })
    const fresh = parseStatement(decodeBase64url((await get(second.id)).bytes))
    expect({ op: fresh.op, body: fresh.body }).toEqual({ op: 'person.enroll', body: parseStatement(decodeBase64url(before)).body })
    expect(await post(second.id, late)).toMatchObject({ status: 400, json: { error: { code: 'BAD_SIGNATURE' } } })
    expect((await sign(again, [signKey('@ana')])).json.status).toBe('complete')
    await expect(as('@ana').redraft({ id: second.id })).rejects.toMatchObject({ code: 'CONFLICT' })
  })
  test('is refused by whoever knows its id, who was perhaps only asked to sign', async () => {
    const made = await as('@ana').draft({
      op: 'server.pin',
      body: {
        gateway: '@gw',
        server: 'notes',
        set: [{ name: 'read', digest: encodeBase64url(bytesOf('tool', 32)), risk: 'read' }],
        unset: [],
      } as never,
    })
    const answer = await t.call('POST', `/api/v1/requests/${made.id}/refuse`, { body: { reason: 'not asked for' } })
    expect(answer.status).toBe(200)
    expect(await get(made.id)).toMatchObject({ status: 'refused', reason: 'not asked for' })
    expect(await sign(made, [signKey('@ana')])).toMatchObject({ status: 409 })
    expect((await t.call('POST', '/api/v1/requests/AAAAAAAAAAAAAAAAAAAAAA/refuse', { body: { reason: 'x' } })).status).toBe(404)
  })
  test('expires with its statement', async () => {
    const made = await as('@ana').draft({
      op: 'server.pin',
      body: {
        gateway: '@gw',
        server: 'notes',
        set: [{ name: 'read', digest: encodeBase64url(bytesOf('tool', 32)), risk: 'read' }],
        unset: [],
      } as never,
    })
    t.now.seconds += 24 * 3600 + 1
    expect(await get(made.id)).toMatchObject({ status: 'expired' })
    expect(await sign(made, [signKey('@ana')])).toMatchObject({ status: 410 })
    expect(await as('@ana').redraft({ id: made.id })).toMatchObject({ id: made.id, seq: made.seq })
    expect(await get(made.id)).toMatchObject({ status: 'open' })
  })
  test('a policy travels with its draft, is shown to the signing page, and is there when the statement is complete', async () => {
    const body = { name: 'main', sha256: policyDigest(policy) }
    await expect(as('@ana').draft({ op: 'policy.set', body, policy: encodeBase64url(Buffer.from('{}')) })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    })
    const made = await as('@ana').draft({ op: 'policy.set', body, policy: encodeBase64url(policy) })
    expect((await get(made.id)).policy).toBe(encodeBase64url(policy))
    expect((await sign(made, [signKey('@ana')])).json.status).toBe('complete')
    expect(t.control.ledger.state?.policy?.sha256).toBe(policyDigest(policy))
  })

  test('a revocation of several targets is drafted, signed once and taken up', async () => {
    const targets = ['@bot', '@gw'].map((name) => ({
      kind: 'enrolment' as const,
      id: all.branch.state.identities.get(parseAtSign(name))!.enrolment,
    }))
    const made = await as('@ana').draftRevocation({ targets, reason: 'laptop lost', until: t.now.seconds + 3600 })
    expect(requestIn(made.url)).toMatchObject({ kind: 'revocation', id: made.id, sha256: made.sha256 })
    expect(parseRevocation(decodeBase64url((await get(made.id)).bytes))).toMatchObject({
      reason: 'laptop lost',
      targets: expect.any(Array),
    })
    const notEntitled = { status: 400, json: { error: { code: 'NOT_ENTITLED' } } }
    expect(await sign(made, [signKey('@ben')], 'postern-revocation-v1')).toMatchObject(notEntitled)
    expect(await sign(made, [signKey('@ana')], 'postern-statement-v1')).toMatchObject(notEntitled)
    expect(t.control.ledger.revocationCount()).toBe(0)
    expect((await sign(made, [signKey('@ana')], 'postern-revocation-v1')).json).toMatchObject({ status: 'complete', hash: made.hash })
    expect(t.control.ledger.revocationCount()).toBe(1)
    expect(await get(made.id)).toMatchObject({ status: 'complete' })
  })
  test('a revocation that came another way completes its draft', async () => {
    const targets = [{ kind: 'enrolment' as const, id: all.branch.state.identities.get(parseAtSign('@bot'))!.enrolment }]
    const made = await as('@ana').draftRevocation({ targets, reason: 'test' })
    const { bytes } = await get(made.id)
    const signatures = [signKey('@ana').sign('postern-revocation-v1', decodeBase64url(bytes))]
    await t.call('POST', '/api/v1/revocations', { body: { bytes, signatures } })
    expect(await get(made.id)).toMatchObject({ status: 'complete' })
  })

  test('an invite is asked for by its limits; the signing page brings its bytes, which must be those limits', async () => {
    const made = await as('@ana').draftInvite({ kind: 'gateway', tags: ['prod', 'eu'], uses: 3, days: 2 })
    expect(requestIn(made.url)).toEqual({ v: 1, kind: 'invite', control: 'http://localhost:3000', org: all.branch.org, id: made.id })
    const asked = await get(made.id)
    expect(asked).toMatchObject({
      kind: 'invite',
      invite: { kind: 'gateway', tags: ['eu', 'prod'], uses: 3, exp: t.now.seconds + 2 * 86_400 },
    })
    expect(asked.bytes).toBeUndefined()
    const key = inviteKeyOf('token')
    const bytesFor = (change: object = {}) =>
      draftStatement(t.control.ledger.state!, 'invite', { key, ...asked.invite, ...change } as Bodies['invite'], { at: t.now.seconds })
    const bring = (bytes: Uint8Array, by = signKey('@ana')) =>
      post(made.id, { bytes: encodeBase64url(bytes), signatures: [by.sign('postern-statement-v1', bytes)] })
    for (const change of [{ uses: 4 }, { tags: ['eu'] }, { kind: 'agent' }, { exp: asked.invite.exp + 1 }]) {
      expect(await bring(bytesFor(change))).toMatchObject({ status: 400, json: { error: { code: 'MALFORMED' } } })
    }
    const other = draft(all.branch, 'server.pin', {
      gateway: parseAtSign('@gw'),
      server: 'notes',
      set: [{ name: 'read', digest: encodeBase64url(bytesOf('tool', 32)), risk: 'read' }],
      unset: [],
    } as never)
    expect(await bring(other.bytes)).toMatchObject({ status: 400, json: { error: { code: 'MALFORMED' } } })
    expect(await post(made.id, { signatures: [signKey('@ana').sign('postern-statement-v1', bytesFor())] })).toMatchObject({ status: 400 })
    expect(await bring(bytesFor(), signKey('@ben'))).toMatchObject({ status: 400, json: { error: { code: 'BAD_SIGNATURE' } } })
    expect(t.control.ledger.state?.invites.size).toBe(0)
    expect((await bring(bytesFor())).json).toMatchObject({ status: 'complete' })
    expect([...t.control.ledger.state!.invites.keys()]).toEqual([keyIdOf(key)])
  })

  describe('of somebody who is no administrator', () => {
    const ben = () => as('@ben', 'person')
    const forbidden = { code: 'FORBIDDEN' }
    const agentBody = (via: KeyId, change: object = {}) =>
      ({ ...requestOf(all.branch.org, 'agent', '@bens'), exp: T0 + 1e6, tags: ['dev'], owner: '@ben', via, ...change }) as never
    const withoutVia = ({ via: _, ...body }: Record<string, unknown>) => body as never
    const own = () => keyIdOf(signKey('@ben').publicKey)

    test('enrol agents under their own delegation, with their own signature', async () => {
      const made = await ben().draft({ op: 'agent.enroll', body: agentBody(own()) })
      expect((await sign(made, [signKey('@ben')])).json.status).toBe('complete')
      expect(t.control.ledger.state?.identities.get(parseAtSign('@bens'))).toMatchObject({ owner: '@ben' })
    })
    test('are refused for anything else: other statements, no delegation named, somebody else’s key, more than the delegation has', async () => {
      await expect(ben().draft({ op: 'admin.remove', body: { atsign: '@ana' } })).rejects.toMatchObject(forbidden)
      await expect(ben().draft({ op: 'agent.enroll', body: withoutVia(agentBody(own())) })).rejects.toMatchObject(forbidden)
      await expect(ben().draft({ op: 'agent.enroll', body: agentBody(keyIdOf(signKey('@ana').publicKey)) })).rejects.toMatchObject(
        forbidden,
      )
      await expect(ben().draft({ op: 'agent.enroll', body: agentBody(own(), { tags: ['prod'] }) })).rejects.toMatchObject({
        cause: { refusal: { code: 'CEILING_EXCEEDED' } },
      })
      await expect(ben().draftInvite({ kind: 'agent', tags: [], uses: 1, days: 1 })).rejects.toMatchObject(forbidden)
    })
    test('revoke their own agents, and nobody else’s', async () => {
      const idOf = (name: string) => ({ kind: 'enrolment' as const, id: all.branch.state.identities.get(parseAtSign(name))!.enrolment })
      await expect(ben().draftRevocation({ targets: [idOf('@gw')], reason: 'x' })).rejects.toMatchObject(forbidden)
      await expect(ben().draftRevocation({ targets: [idOf('@bot'), idOf('@gw')], reason: 'x' })).rejects.toMatchObject(forbidden)
      const grant = { kind: 'grant' as const, id: encodeBase64url(bytesOf('grant', 32)) }
      await expect(ben().draftRevocation({ targets: [grant], reason: 'x' })).rejects.toMatchObject(forbidden)
      const made = await ben().draftRevocation({ targets: [idOf('@bot')], reason: 'misbehaves' })
      expect((await sign(made, [signKey('@ben')], 'postern-revocation-v1')).json.status).toBe('complete')
    })
    test('are seen and redrafted by themselves and administrators', async () => {
      const hers = await as('@ana').draft({
        op: 'server.pin',
        body: {
          gateway: '@gw',
          server: 'notes',
          set: [{ name: 'read', digest: encodeBase64url(bytesOf('tool', 32)), risk: 'read' }],
          unset: [],
        } as never,
      })
      const his = await ben().draft({ op: 'agent.enroll', body: agentBody(own()) })
      const ids = async (caller: ReturnType<typeof as>) => (await caller.list()).requests.map(({ id }) => id).sort()
      expect(await ids(ben())).toEqual([his.id])
      expect(await ids(as('@ana'))).toEqual([hers.id, his.id].sort())
      await expect(ben().redraft({ id: hers.id })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })
  })

  describe('of an enrolment that waits', () => {
    test('has the usual lease, and what the administrator decided', async () => {
      const days = { person: 365, agent: 30, gateway: 180 }
      for (const who of ['person', 'agent', 'gateway'] as const) {
        const id = await enrolmentOf(who, `@new-${who}`)
        const made = await as('@ana').draftEnrolment({ enrolment: id, tags: ['b', 'a', 'b'] })
        const { op, body } = parseStatement(decodeBase64url((await get(made.id)).bytes))
        expect({ op, body }).toMatchObject({ op: `${who}.enroll`, body: { exp: t.now.seconds + days[who] * 86_400, tags: ['a', 'b'] } })
        expect((await sign(made, [signKey('@ana')])).json.status).toBe('complete')
        expect((await t.call('GET', `/api/v1/enrolments/${id}`)).json.status).toBe('enrolled')
        t.now.seconds += 1
        await expect(as('@ana').draftEnrolment({ enrolment: id, tags: [] })).rejects.toMatchObject({ code: 'CONFLICT' })
      }
    })
    test('tells the signing page what the asker says about itself, and is refused with its statement', async () => {
      const { json } = await t.call('POST', '/api/v1/codes', { by: all.admin, body: { kind: 'gateway' } })
      const asked = requestOf(all.branch.org, 'gateway', '@gw-words', { exp: t.now.seconds + 3600 })
      const body = { code: json.code, ...asked, facts: { host: 'debian 13' } }
      const { id } = (await t.call('POST', '/api/v1/enrolments', { body })).json
      const made = await as('@ana').draftEnrolment({ enrolment: id, tags: [] })
      expect(await get(made.id)).toMatchObject({ facts: { host: 'debian 13' }, code_by: '@ana' })
      const refusal = { body: { reason: 'the comparison words differ' } }
      expect((await t.call('POST', `/api/v1/requests/${made.id}/refuse`, refusal)).status).toBe(200)
      const fate = (await t.call('GET', `/api/v1/enrolments/${id}`)).json
      expect(fate).toEqual({ status: 'refused', reason: 'the comparison words differ' })
    })
    test('may make a person an administrator, or give a delegation', async () => {
      const fay = await enrolmentOf('person', '@fay')
      const made = await as('@ana').draftEnrolment({
        enrolment: fay,
        tags: ['dev'],
        delegation: { agents: 3, servers: ['notes'] },
        days: 10,
      })
      const { body } = parseStatement(decodeBase64url((await get(made.id)).bytes))
      expect(body).toMatchObject({ delegation: { agents: 3, servers: ['notes'], tags: ['dev'], exp: t.now.seconds + 10 * 86_400 } })
      const admin = await as('@ana').draftEnrolment({ enrolment: fay, tags: [], admin: true })
      expect((await get(admin.id)).op).toBe('admin.add')
      const gateway = await enrolmentOf('gateway', '@gw9')
      await expect(as('@ana').draftEnrolment({ enrolment: gateway, tags: [], admin: true })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    })
    test('by somebody with a delegation is in their own name, and ends with it', async () => {
      const id = await enrolmentOf('agent', '@bens2', all.person)
      const made = await as('@ben', 'person').draftEnrolment({ enrolment: id, tags: ['dev'], days: 3650 })
      const { body } = parseStatement(decodeBase64url((await get(made.id)).bytes))
      expect(body).toMatchObject({ owner: '@ben', via: keyIdOf(signKey('@ben').publicKey), exp: T0 + YEAR / 4 })
      expect((await sign(made, [signKey('@ben')])).json.status).toBe('complete')
    })
    test('that is somebody else’s, unknown or over is refused', async () => {
      const id = await enrolmentOf('gateway', '@gw9')
      await expect(as('@ben', 'person').draftEnrolment({ enrolment: id, tags: [] })).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await expect(as('@ana').draftEnrolment({ enrolment: 'nothing', tags: [] })).rejects.toMatchObject({ code: 'NOT_FOUND' })
      t.now.seconds += 3601
      await expect(as('@ana').draftEnrolment({ enrolment: id, tags: [] })).rejects.toMatchObject({ cause: { refusal: { code: 'GONE' } } })
    })
  })
})

const inviteKeyOf = (name: string) => ed25519Key(`invite ${name}`, 'invite').publicKey
