// Whatever the control plane serves as the log: the gateway's state is what administrators signed, in their order.
import type { Signed } from '@postern/core'
import { decodeBase64url, encodeBase64url, utf8 } from '@postern/core'
import { describe, expect, test } from 'vitest'
import { draft, found, genesisOf, grow, signStatement } from '../fixtures/organisation.ts'
import { requestOf, signKey } from '../fixtures/people.ts'
import { changed, House, lease } from './house.ts'
import type { Liar } from './liar.ts'

test('an honest control plane is served: grants are given, calls run, what was applied is acknowledged', async () => {
  await using house = await House.open()
  expect(await house.ask()).toBe('GRANTED')
  const agent = await house.connect()
  const { grant } = await agent.ask([{ server: 'tools', tool: 'write' }])
  await agent.begin('s1', 'tools')
  expect((await agent.call('s1', grant!, 'tools', 'write', { text: 'hi' })).type).toBe('RESULT')
  expect(house.ran).toEqual(['write'])
  expect(house.alarms).toEqual([])
  const [ack] = house.liar.acks.slice(-1)
  const { seq, head } = JSON.parse(Buffer.from(ack!.split('.')[1]!, 'base64url').toString())
  expect({ seq, head }).toEqual({ seq: house.branch.state.seq, head: house.branch.state.head })
})

describe('a statement that nobody entitled signed is refused, and nothing after it counts', () => {
  const mallory = { ...lease(found(), 'agent', '@mallory') }
  const forged: [name: string, code: string, make: (house: House) => Signed][] = [
    ['an enrolment signed by a key it brings itself', 'THRESHOLD_NOT_MET', (house) => enrolling(house, [signKey('@mallory')])],
    ['an enrolment without a signature', 'THRESHOLD_NOT_MET', (house) => enrolling(house, [])],
    ['an enrolment signed by a person who may not', 'THRESHOLD_NOT_MET', (house) => enrolling(house, [signKey('@ben')])],
    [
      'an administrator',
      'THRESHOLD_NOT_MET',
      (house) => draft(house.branch, 'admin.add', requestOf(house.branch.org, 'person', '@mallory'), { by: [signKey('@mallory')] }),
    ],
    [
      "an administrator's signature of something else",
      'THRESHOLD_NOT_MET',
      (house) => ({ bytes: enrolling(house, []).bytes, signatures: house.branch.entries.at(-1)!.signatures }),
    ],
    [
      "a real administrator's signature under a changed body",
      'THRESHOLD_NOT_MET',
      (house) => {
        const honest = draft(house.branch, 'release', { target: { kind: 'key', id: encodeBase64url(new Uint8Array(32)) } })
        return { bytes: enrolling(house, []).bytes, signatures: honest.signatures }
      },
    ],
    ['another organisation', 'WRONG_ORG', (house) => draft(ofAnotherOrganisation(house), 'agent.enroll', mallory)],
    ['a later place in the log', 'BAD_SEQ', (house) => signed(changed(enrolling(house), { seq: house.branch.state.seq + 2 }))],
    ['an earlier place in the log', 'BAD_SEQ', (house) => signed(changed(enrolling(house), { seq: house.branch.state.seq }))],
    ['another predecessor', 'BAD_PREV', (house) => signed(changed(enrolling(house), { prev: encodeBase64url(new Uint8Array(32)) }))],
    ['a time before its predecessor', 'BAD_TIME', (house) => signed(changed(enrolling(house), { at: house.branch.state.at - 1 }))],
    ['bytes that are not canonical', 'NOT_CANONICAL', (house) => signed(utf8(` ${Buffer.from(enrolling(house).bytes).toString('utf8')}`))],
  ]
  const signed = (bytes: Uint8Array) => signStatement(bytes, [signKey('@ana')])
  const enrolling = ({ branch }: House, by = [signKey('@ana')]) => draft(branch, 'agent.enroll', lease(branch, 'agent', '@mallory'), { by })
  /** Same people, same keys, another genesis: what a control plane that serves two customers could mix up. */
  const ofAnotherOrganisation = ({ branch }: House) => ({
    ...branch,
    state: { ...branch.state, org: found({ name: 'Other' }).org },
  })

  test.each(forged)('%s: %s', async (_, code, make) => {
    await using house = await House.open()
    const { seq, head } = house.gateway.health()
    const lie = make(house)
    house.liar.entries = [...house.branch.entries, lie]
    await house.liar.round()
    await house.alarm('REFUSED', { code, seq: (seq as number) + 1 })
    expect(house.gateway.health()).toMatchObject({ status: 'ok', seq, head })
    expect(await house.ask('@mallory')).toBe('REVOKED')
    expect(await house.ask('@bot')).toBe('GRANTED')
  })

  test('the honest statement in its place is taken', async () => {
    await using house = await House.open()
    house.liar.entries = [...house.branch.entries, enrolling(house, [])]
    await house.liar.round()
    house.grow('agent.enroll', lease(house.branch, 'agent', '@mallory'))
    house.liar.push('log', {})
    await house.served()
    expect(await house.ask('@mallory')).toBe('GRANTED')
  })

  test('what a forged administrator signs counts for nothing either', async () => {
    await using house = await House.open()
    const crowned = draft(house.branch, 'admin.add', requestOf(house.branch.org, 'person', '@mallory'))
    const after = grow({ ...house.branch }, 'admin.add', requestOf(house.branch.org, 'person', '@mallory'))
    const reign = draft(after, 'agent.enroll', lease(after, 'agent', '@minion'), { by: [signKey('@mallory')] })
    house.liar.entries = [...house.branch.entries, { bytes: crowned.bytes, signatures: [] }, reign]
    await house.liar.round()
    await house.alarm('REFUSED', { code: 'THRESHOLD_NOT_MET' })
    expect(await house.ask('@minion')).toBe('REVOKED')
  })
})

describe('another genesis', () => {
  test('under the name of ours is refused: the gateway serves nothing', async () => {
    const other = genesisOf({ name: 'Substitute', admins: ['@mallory'] })
    const before = (liar: Liar) => {
      liar.entries = [other]
    }
    await using house = await House.open({ isHonest: false, before })
    await house.alarm('REFUSED', { code: 'WRONG_ORG' })
    expect(house.gateway.health()).toMatchObject({ status: 'degraded', code: 'NOT_ENROLLED', seq: undefined })
    expect(await house.ask()).toBe('REVOKED')
  })

  test('under its own name is refused: the gateway serves nothing', async () => {
    const other = found({ name: 'Substitute' })
    const before = (liar: Liar) => {
      liar.entries = other.entries
      liar.lies.log = (honest) => ({ ...honest, org: other.org })
    }
    await using house = await House.open({ isHonest: false, before })
    await house.alarm('WRONG_ORGANISATION')
    expect(house.gateway.health().seq).toBeUndefined()
  })
})

describe('answers that are no log', () => {
  const nonsense: [string, unknown][] = [
    ['null', null],
    ['a list', []],
    ['no entries', { org: 'x' }],
    ['entries that are none', { entries: [1, null, {}], head: null, next: null }],
    ['bytes that are no base64url', { entries: [{ seq: 0, bytes: '!!', signatures: [] }], head: null, next: null }],
    ['a next page without end', { entries: [], head: null, next: 7 }],
    ['an answer that is too large', { entries: [], head: null, next: null, more: 'x'.repeat(17 << 20) }],
  ]
  test.each(nonsense)('%s: nothing is applied, and an honest answer later is', async (_, answer) => {
    await using house = await House.open()
    const { seq, head } = house.gateway.health()
    house.liar.lies.log = () => (answer === null || Array.isArray(answer) ? answer : { org: house.branch.org, ...(answer as object) })
    await house.liar.round()
    expect(house.gateway.health()).toMatchObject({ seq, head })
    house.liar.lies = {}
    house.grow('agent.enroll', lease(house.branch, 'agent', '@y'))
    house.liar.push('log', {})
    await house.served()
  })

  test('an edited signature list changes nothing: order and repetition do not matter, and what is missing is refused', async () => {
    await using house = await House.open()
    const statement = house.grow('agent.enroll', lease(house.branch, 'agent', '@y'))
    const [signature] = statement.signatures
    const mauled = { ...signature!, sig: encodeBase64url(decodeBase64url(signature!.sig).map((byte, i) => (i === 3 ? byte ^ 1 : byte))) }
    house.liar.entries = [...house.branch.entries.slice(0, -1), { bytes: statement.bytes, signatures: [mauled] }]
    await house.liar.round()
    await house.alarm('REFUSED', { code: 'THRESHOLD_NOT_MET' })
    house.liar.entries = [
      ...house.branch.entries.slice(0, -1),
      { bytes: statement.bytes, signatures: [mauled, signature!, mauled, signature!] },
    ]
    house.liar.push('log', {})
    await house.served()
    expect(await house.ask('@y')).toBe('GRANTED')
  })
})
