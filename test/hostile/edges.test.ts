// The agent's side of the same lies: the real connector, and what it and the gateway find out when they meet.
import { encodeBase64url, keyIdOf, linkHash, parseAtSign, revocationHash } from '@postern/core'
import { describe, expect, test } from 'vitest'
import type { Branch } from '../fixtures/organisation.ts'
import { draft, genesisOf, grow } from '../fixtures/organisation.ts'
import { machineKey, signKey } from '../fixtures/people.ts'
import { House, lease } from './house.ts'

const kid = (atsign: string) => keyIdOf(machineKey(atsign, 'auth').publicKey)
/** The agent is shown this log, the gateway the honest one. */
const show = (house: House, atsign: string, branch: Branch['entries']) => {
  house.liar.lies.log = (honest, from, who) => (who === kid(atsign) ? house.liar.answerFrom(branch, from) : honest)
}

test('an honest control plane is served: the client calls, the tool runs', async () => {
  await using house = await House.open()
  const connector = await house.connector()
  expect(await connector.call('write')).toBe('RAN')
  expect(house.ran).toEqual(['write'])
})

describe('a connector that is shown', () => {
  test('another genesis is connected to nobody', async () => {
    await using house = await House.open()
    show(house, '@bot', [genesisOf({ name: 'Substitute', admins: ['@mallory'] })])
    const connector = await house.connector()
    await connector.alarm('REFUSED')
    expect(await connector.call('write')).toBe('NOT_ENROLLED')
  })

  test('a forged gateway in front of its server still goes to the real one', async () => {
    await using house = await House.open()
    const evil = draft(
      house.branch,
      'server.pin',
      {
        gateway: parseAtSign('@gw2'),
        server: 'tools',
        set: [{ name: 'write', digest: encodeBase64url(new Uint8Array(32)), risk: 'read' }],
        unset: [],
      },
      { by: [signKey('@mallory')] },
    )
    show(house, '@bot', [...house.branch.entries, evil])
    const connector = await house.connector()
    expect(await connector.call('write')).toBe('RAN')
    await connector.alarm('REFUSED')
  })

  test('an older log after a restart keeps what it has', async () => {
    await using house = await House.open()
    const first = await house.connector()
    expect(await first.call('write')).toBe('RAN')
    await first.close()
    show(house, '@bot', house.branch.entries.slice(0, 3))
    const second = await house.connector()
    expect(await second.call('write')).toBe('RAN')
  })

  test('an older log than the gateway has never comes to a call', async () => {
    await using house = await House.open()
    const older = house.branch.entries
    house.grow('agent.enroll', lease(house.branch, 'agent', '@new'))
    house.liar.push('log', {})
    await house.served()
    show(house, '@bot', older)
    const connector = await house.connector()
    expect(await connector.call('write')).toBe('LOG_BEHIND')
    expect(house.ran).toEqual([])
  })

  test('another log than the gateway, both signed, stops both ends', async () => {
    await using house = await House.open()
    const other = grow(house.branch, 'agent.enroll', lease(house.branch, 'agent', '@other'))
    house.grow('agent.enroll', lease(house.branch, 'agent', '@new'))
    house.liar.push('log', {})
    await house.served()
    show(house, '@bot', other.entries)
    const connector = await house.connector()
    expect(await connector.call('write')).toBe('LOG_FORKED')
    await house.alarm('FORKED', { proven: true })
    await connector.alarm('FORKED')
    expect(await house.ask('@eve')).toBe('LOG_FORKED')
    expect(house.ran).toEqual([])
  })
})

describe('a gateway that is shown', () => {
  test('less than its agents says so and serves nobody', async () => {
    await using house = await House.open()
    const kept = draft(house.branch, 'agent.enroll', lease(house.branch, 'agent', '@new'))
    show(house, '@bot', [...house.branch.entries, kept])
    const connector = await house.connector('@bot', { waitSeconds: 5 })
    expect(await connector.call('write')).toBe('LOG_BEHIND')
    expect(house.lines.some(({ msg }) => msg.includes('keeps back'))).toBe(true)
    expect(await house.ask('@eve')).toBe('LOG_BEHIND')
    house.liar.entries = [...house.branch.entries, kept]
    house.liar.push('log', {})
    await house.liar.round()
    expect(await house.ask('@eve')).toBe('GRANTED')
    expect(house.gateway.health().head).toBe(linkHash(kept.bytes))
  })
})

test('a connector does not serve while a revocation that the log names is kept from it', async () => {
  await using house = await House.open()
  const withheld = house.revocation({ kind: 'enrolment', id: house.enrolmentOf('@eve') })
  house.liar.revocations = [withheld]
  house.grow('agent.enroll', lease(house.branch, 'agent', '@new'), { rev: [revocationHash(withheld.bytes)] })
  house.liar.push('log', {})
  await house.served()
  house.liar.revocations = []
  const connector = await house.connector()
  expect(await connector.call('write')).toBe('LOG_BEHIND')
})
