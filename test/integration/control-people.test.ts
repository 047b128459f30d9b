// What the console's people, codes and settings pages read: who belongs here, what a code was used for, which sessions are open.
import type { Actor } from '@postern/control'
import { createCaller } from '@postern/control'
import type { AtSign } from '@postern/core'
import { encodeBase64url, keyIdOf, parseAtSign, parseSignerRequest } from '@postern/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TestControl } from '../fixtures/control.ts'
import { openTestControl } from '../fixtures/control.ts'
import type { Branch } from '../fixtures/organisation.ts'
import { passkey, requestOf, seedOf, signKey, T0 } from '../fixtures/people.ts'
import { pglite } from './database/databases.ts'

const YEAR = 31_536_000
const phone = passkey('@ana phone')
let t: TestControl
let branch: Branch
beforeAll(async () => {
  t = await openTestControl(pglite)
  branch = await t.found({ keys: { '@ana': [phone, signKey('@ana')] } })
  const delegation = { agents: 2, tags: [], exp: T0 + YEAR / 4 }
  branch = await t.append(branch, 'person.enroll', {
    ...{ ...requestOf(branch.org, 'person', '@ben'), exp: T0 + YEAR / 4, tags: ['eu'], delegation },
  } as never)
  branch = await t.append(branch, 'agent.enroll', {
    ...{ ...requestOf(branch.org, 'agent', '@bens-bot'), exp: T0 + YEAR / 8, tags: [], owner: '@ben' as AtSign },
  } as never)
  await t.call('GET', '/api/health')
})
afterAll(() => t[Symbol.asyncDispose]())

const as = (atsign: string, role: Actor['role']) => {
  const kid = encodeBase64url(seedOf(`session of ${atsign}`))
  const principal: Actor = { role, atsign: parseAtSign(atsign), org: branch.org, kid, login: keyIdOf(signKey(atsign).publicKey) }
  return createCaller({ control: t.control, principal, requestId: 'test' })
}
const ana = () => as('@ana', 'admin')
const ben = () => as('@ben', 'person')

describe('people', () => {
  test('administrators stand first, with the keys they sign with and whether a passkey is on several devices', async () => {
    const { people, admins } = await ben().people.list()
    expect(people.map(({ atsign, role }) => `${atsign} ${role}`)).toEqual(['@ana admin', '@ben person'])
    expect(admins).toBe(1)
    expect(people[0]!.keys.map(({ kind, synced }) => ({ kind, synced }))).toEqual([
      { kind: 'passkey', synced: false },
      { kind: 'ssh', synced: undefined },
    ])
    expect(people[1]).toMatchObject({ agents: 1, tags: ['eu'], state: 'live', delegation: { agents: 2, used: 0 } })
  })
  test('how many sessions others have is for administrators', async () => {
    const sessionsSeen = async (by: ReturnType<typeof ana>) => (await by.people.list()).people.map(({ sessions }) => sessions)
    expect(await sessionsSeen(ana())).toEqual([0, 0])
    expect(await sessionsSeen(ben())).toEqual([undefined, 0])
  })
  test('one person comes with the agents that act for them', async () => {
    expect(await ana().people.get({ atsign: '@ben' })).toMatchObject({ atsign: '@ben', owns: [{ atsign: '@bens-bot' }], admins: 1 })
    await expect(ana().people.get({ atsign: '@bens-bot' })).rejects.toThrow('there is no person @bens-bot')
  })
})

describe('codes', () => {
  test('the link of a code opens the page that shows the join string, and carries no pin of its own', async () => {
    const { code, url } = await ana().enrolment.createJoin({ kind: 'gateway', name: '@gw-paris', server: 'fs' })
    const request = parseSignerRequest(new URL(url).hash.slice(1))
    expect(request).toMatchObject({ kind: 'join', code, for: 'gateway', name: '@gw-paris', server: 'fs', org: branch.org })
  })
  test('a person without a delegation makes none, and one with it only for agents', async () => {
    await expect(ben().enrolment.createJoin({ kind: 'gateway' })).rejects.toThrow('a delegation covers agents only')
    expect((await ben().enrolment.createJoin({ kind: 'agent', client: 'claude-desktop' })).code).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/)
  })
  test('a used code says what it was used for, and the request says what became of it', async () => {
    const { id, code } = await ana().enrolment.createJoin({ kind: 'gateway' })
    const body = { code, ...requestOf(branch.org, 'gateway', '@gw-used') }
    const made = (await t.call('POST', '/api/v1/enrolments', { body })).json
    const codeNow = async () => (await ana().enrolment.codes()).codes.find((each) => each.id === id)
    expect(await codeNow()).toMatchObject({ used: true, request: { id: made.id, atsign: '@gw-used', status: 'pending' } })
    expect(await ana().enrolment.get({ id: made.id })).toMatchObject({ atsign: '@gw-used', status: 'pending', invited_by: '@ana' })
    await ana().enrolment.refuse({ id: made.id, reason: 'not ours' })
    expect(await codeNow()).toMatchObject({ request: { status: 'refused' } })
    expect(await ana().enrolment.get({ id: made.id })).toMatchObject({ status: 'refused', reason: 'not ours' })
  })
  test('somebody else’s request cannot be read by its id', async () => {
    const { code } = await ana().enrolment.createJoin({ kind: 'gateway' })
    const { json } = await t.call('POST', '/api/v1/enrolments', { body: { code, ...requestOf(branch.org, 'gateway', '@gw-other') } })
    await expect(ben().enrolment.get({ id: json.id })).rejects.toThrow('no such enrolment request')
  })
})

test('the organisation is shown with who founded it, its thresholds and origins, and no comparison words', async () => {
  const shown = await ben().authority.organisation()
  expect(shown).toMatchObject({ org: branch.org, founded: { by: ['@ana'] }, admins: ['@ana'], thresholds: { routine: { m: 1 } } })
  expect(JSON.stringify(shown)).not.toMatch(/words/)
})

test('ending all sessions leaves the one that asks, and is for one’s own', async () => {
  const open = async (id: string) => {
    const at = { createdAt: new Date(t.now.seconds * 1000), rotatedAt: new Date(t.now.seconds * 1000) }
    const expiresAt = new Date((t.now.seconds + 3600) * 1000)
    const row = { id, org: branch.org, atsign: '@ben', signedBy: 'k', hash: id, login: id, client: 'Test/1', ...at, expiresAt }
    await t.control.db.prisma.browserSession.create({ data: row })
  }
  const own = encodeBase64url(seedOf('session of @ben'))
  for (const id of [own, 'other-1', 'other-2']) await open(id)
  await expect(ben().people.endOtherSessions({ atsign: '@ana' })).rejects.toThrow('only administrators')
  expect(await ben().people.endOtherSessions({ atsign: '@ben' })).toEqual({ ended: 2 })
  const left = await t.control.db.prisma.browserSession.findMany({ where: { atsign: '@ben', endedAt: null }, select: { id: true } })
  expect(left).toEqual([{ id: own }])
})
