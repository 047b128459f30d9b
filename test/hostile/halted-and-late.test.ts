// Statements of a later version, and statements that come at another time than they were signed for.
import { encodeBase64url, keyIdOf, parseAtSign, signAck } from '@postern/core'
import { native } from '@postern/daemon'
import { describe, expect, test } from 'vitest'
import { draft, signStatement } from '../fixtures/organisation.ts'
import { machineKey, signKey } from '../fixtures/people.ts'
import { changed, House, lease } from './house.ts'

describe('an operation that this version does not know', () => {
  const later = (house: House, by = [signKey('@ana')]) => {
    const bytes = changed(draft(house.branch, 'agent.enroll', lease(house.branch, 'agent', '@x')), { op: 'format.upgrade', body: { v: 2 } })
    return signStatement(bytes, by)
  }

  test('signed by an administrator halts the log: the state stays, nothing newer is applied, and what goes stale says why', async () => {
    await using house = await House.open()
    const { seq } = house.gateway.health()
    house.liar.entries = [...house.branch.entries, later(house), draft(house.branch, 'agent.enroll', lease(house.branch, 'agent', '@y'))]
    await house.liar.round()
    await house.alarm('HALTED', { seq: (seq as number) + 1 })
    expect(house.gateway.health()).toMatchObject({ status: 'ok', seq })
    expect(await house.ask('@bot')).toBe('GRANTED')
    expect(await house.ask('@y')).toBe('REVOKED')
    house.clock.advance(301)
    expect(await house.ask('@bot')).toBe('LOG_HALTED')
    await house.restart()
    await house.liar.round()
    expect(await house.ask('@bot')).toBe('LOG_HALTED')
  })

  test.each([
    ['nobody', []],
    ['a stranger', [signKey('@mallory')]],
    ['a person who is no administrator', [signKey('@ben')]],
  ])('signed by %s is refused and halts nothing', async (_, by) => {
    await using house = await House.open()
    house.liar.entries = [...house.branch.entries, later(house, by)]
    await house.liar.round()
    await house.alarm('REFUSED')
    expect(house.alarms.map(({ kind }) => kind)).not.toContain('HALTED')
    house.grow('agent.enroll', lease(house.branch, 'agent', '@y'))
    house.liar.push('log', {})
    await house.served()
    expect(await house.ask('@y')).toBe('GRANTED')
  })
})

describe('a statement that was kept back', () => {
  const DAY = 86_400
  const kept = (house: House) => house.grow('agent.enroll', lease(house.branch, 'agent', '@late'), { at: house.clock.seconds - 60 })

  test('past its time is not applied, and the gateway waits for the next that is in time', async () => {
    await using house = await House.open()
    const { seq } = house.gateway.health()
    kept(house)
    const served = house.liar.entries
    house.liar.entries = served.slice(0, -1)
    house.clock.advance(DAY + 300)
    house.liar.entries = served
    await house.liar.round()
    await house.alarm('WAITING', { why: 'PAST_NOT_AFTER' })
    expect(house.gateway.health().seq).toBe(seq)
    expect(await house.ask('@late')).toBe('REVOKED')
    house.grow('agent.enroll', lease(house.branch, 'agent', '@next'), { at: house.clock.seconds })
    house.liar.push('log', {})
    await house.served()
    expect(await house.ask('@late')).toBe('GRANTED')
  })

  describe('past its time, and acknowledged', () => {
    const late = async (house: House, acks: (seq: number, head: string, nva: number) => readonly string[]) => {
      kept(house)
      const { seq, head, at } = house.branch.state
      const served = house.liar.entries
      house.liar.entries = served.slice(0, -1)
      house.clock.advance(DAY + 300)
      house.liar.entries = served
      house.liar.lies.acks = () => acks(seq, head, at + DAY)
      await house.liar.round()
      return house.gateway.health().seq === seq
    }
    const ack = (house: House, by: string, use: 'receipt' | 'auth', said: { seq: number; head: string; at: number }) => {
      const { publicKey, seed } = machineKey(by, use)
      const claims = { v: 1, org: house.branch.org, iss: parseAtSign(by), kid: keyIdOf(publicKey) } as const
      const revocations = { count: 0, digest: encodeBase64url(new Uint8Array(32)) }
      return signAck({ ...claims, ...said, revocations, epoch: encodeBase64url(new Uint8Array(16)) }, seed, native)
    }

    test('in time by another enrolled gateway, it is applied', async () => {
      await using house = await House.open()
      expect(await late(house, (seq, head, at) => [ack(house, '@gw2', 'receipt', { seq, head, at })])).toBe(true)
    })

    test('by nobody whose word counts for time, it waits', async () => {
      await using house = await House.open()
      const taken = await late(house, (seq, head, at) => [
        ack(house, '@gw2', 'receipt', { seq, head, at: at + 1 }),
        ack(house, '@gw2', 'receipt', { seq, head: house.branch.org, at }),
        ack(house, '@gw2', 'auth', { seq, head, at }),
        ack(house, '@gw', 'receipt', { seq, head, at }),
        ack(house, '@mallory', 'receipt', { seq, head, at }),
        'no ack',
      ])
      expect(taken).toBe(false)
      await house.alarm('WAITING', { why: 'PAST_NOT_AFTER' })
    })
  })

  test('in time is applied', async () => {
    await using house = await House.open()
    kept(house)
    house.clock.advance(DAY - 300)
    house.liar.push('log', {})
    await house.served()
    expect(await house.ask('@late')).toBe('GRANTED')
  })

  test('from the future waits until its time has come', async () => {
    await using house = await House.open()
    const { seq } = house.gateway.health()
    house.grow('agent.enroll', lease(house.branch, 'agent', '@early'), { at: house.clock.seconds + 200 })
    await house.liar.round()
    await house.alarm('WAITING', { why: 'AHEAD_OF_CLOCK' })
    expect(house.gateway.health().seq).toBe(seq)
    house.clock.advance(200)
    house.liar.push('log', {})
    await house.served()
  })
})
