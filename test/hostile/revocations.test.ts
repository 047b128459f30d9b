// Revocations: what the control plane keeps back, forges or edits.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeSigned, revocationHash, utf8 } from '@postern/core'
import { applyRevocationFile } from '@postern/gateway'
import { describe, expect, test } from 'vitest'
import { revocation } from '../fixtures/organisation.ts'
import { signKey } from '../fixtures/people.ts'
import { until } from '../fixtures/processes.ts'
import { House, lease } from './house.ts'

const ofEve = (house: House) => house.revocation({ kind: 'enrolment', id: house.enrolmentOf('@eve') })
const file = (house: House) => utf8(JSON.stringify(encodeSigned(ofEve(house))))

test('a revocation that is passed on counts at once, for new grants and for those that were given', async () => {
  await using house = await House.open()
  const agent = await house.connect('@eve')
  const { grant } = await agent.ask([{ server: 'tools', tool: 'write' }])
  await agent.begin('s1', 'tools')
  house.liar.push('revocation', encodeSigned(ofEve(house)))
  await agent.ended
  expect(await house.ask('@eve')).toBe('REVOKED')
  await expect(house.connect('@eve')).rejects.toThrow('ended')
  expect([grant?.token.length, house.ran]).toEqual([expect.any(Number), []])
})

describe('a revocation that is kept back', () => {
  test('and that a later statement names, stops everything until it is here', async () => {
    await using house = await House.open()
    const withheld = ofEve(house)
    house.grow('agent.enroll', lease(house.branch, 'agent', '@y'), { rev: [revocationHash(withheld.bytes)] })
    await house.liar.round()
    expect(house.gateway.health()).toMatchObject({ status: 'degraded', code: 'LOG_BEHIND' })
    expect([await house.ask('@bot'), await house.ask('@eve')]).toEqual(['LOG_BEHIND', 'REVOKED'].map(() => 'LOG_BEHIND'))
    await house.restart()
    await house.liar.round()
    expect(await house.ask('@bot')).toBe('LOG_BEHIND')
    house.liar.revocations = [withheld]
    house.liar.push('log', {})
    await house.served()
    expect([await house.ask('@bot'), await house.ask('@eve')]).toEqual(['GRANTED', 'REVOKED'])
  })

  test('has a second way in: a file on the gateway’s machine', async () => {
    await using house = await House.open()
    const stateRoot = join(house.directory, 'state')
    expect(await applyRevocationFile('@gw', file(house), { stateRoot })).toBe('applied')
    expect(await house.ask('@eve')).toBe('REVOKED')
    await house.restart()
    await house.served()
    expect(await house.ask('@eve')).toBe('REVOKED')
  })

  test('counts from its first appearance: to leave it out later changes nothing', async () => {
    await using house = await House.open()
    house.liar.revocations = [ofEve(house)]
    house.liar.push('log', {})
    await until('the revocation', 5000, async () => (await house.ask('@eve')) === 'REVOKED' || undefined)
    house.liar.revocations = []
    await house.restart()
    await house.served()
    expect(await house.ask('@eve')).toBe('REVOKED')
  })
})

test('pages of revocations without an end end the round, which is then no complete one', async () => {
  await using house = await House.open()
  const forged = revocation(house.branch, { kind: 'enrolment', id: house.enrolmentOf('@eve') }, { by: [signKey('@mallory')] })
  let pages = 0
  house.liar.lies.revocations = () => {
    pages += 1
    return { revocations: Array.from({ length: 256 }, () => encodeSigned(forged)), next: pages }
  }
  await house.liar.round()
  expect(pages).toBeGreaterThan(4)
  house.clock.advance(310)
  await house.liar.round()
  expect(await house.ask()).toBe('STALE')
  house.liar.lies = {}
  house.liar.push('log', {})
  await house.served()
})

describe('a revocation that nobody entitled signed counts for nothing', () => {
  const of = (house: House, by: string) =>
    revocation(house.branch, { kind: 'enrolment', id: house.enrolmentOf('@eve') }, { at: house.clock.seconds, by: [signKey(by)] })
  const forged: [string, (house: House) => ReturnType<typeof of>][] = [
    ['a stranger', (house) => of(house, '@mallory')],
    ['a person, for an agent of somebody else', (house) => of(house, '@ben')],
    ['nobody', (house) => ({ ...of(house, '@ana'), signatures: [] })],
    ['an administrator, of something else', (house) => ({ ...of(house, '@ana'), signatures: house.branch.entries.at(-1)!.signatures })],
  ]
  test.each(forged)('%s', async (_, make) => {
    await using house = await House.open()
    house.liar.revocations = [make(house)]
    house.liar.push('revocation', encodeSigned(make(house)))
    await house.liar.round()
    await house.alarm('REVOCATION_REFUSED', { code: 'NOT_ENTITLED' })
    expect(await house.ask('@eve')).toBe('GRANTED')
  })

  test('nor in the inbox of the gateway', async () => {
    await using house = await House.open()
    const bytes = utf8(JSON.stringify(encodeSigned(of(house, '@mallory'))))
    expect(await applyRevocationFile('@gw', bytes, { stateRoot: join(house.directory, 'state') })).toBe('refused')
    expect(await house.ask('@eve')).toBe('GRANTED')
  })
})

test.each([
  ['no JSON', '{'],
  ['no object', '7'],
  ['bytes that are no base64url', '{"bytes":"!","signatures":[]}'],
  ['nesting without end', '['.repeat(100_000)],
])('an event that is no revocation (%s) does no harm', async (_, text) => {
  await using house = await House.open()
  house.liar.push('revocation', text)
  await house.liar.round()
  expect(house.gateway.health().status).toBe('ok')
  house.liar.push('revocation', encodeSigned(ofEve(house)))
  await until('the stream to be heard again', 10_000, async () => {
    if ((await house.ask('@eve')) === 'REVOKED') return true
    house.liar.push('revocation', encodeSigned(ofEve(house)))
    return undefined
  })
})

test('a file that cannot be read does not keep the next one from counting', async () => {
  await using house = await House.open()
  await writeFile(join(house.stateDirectory, 'inbox', 'a.json'), '{')
  expect(await applyRevocationFile('@gw', file(house), { stateRoot: join(house.directory, 'state') })).toBe('applied')
  expect(await house.ask('@eve')).toBe('REVOKED')
})
