// Two logs of one organisation, both signed: what a control plane can show to two edges when administrators signed two statements for one seq.
import { encodeSigned, linkHash } from '@postern/core'
import { describe, expect, test } from 'vitest'
import { draft, grow, signStatement } from '../fixtures/organisation.ts'
import { signKey } from '../fixtures/people.ts'
import { House, lease } from './house.ts'

describe('a log that is forked', () => {
  const fork = async (house: House) => {
    const { branch } = house
    const shown = house.grow('agent.enroll', lease(branch, 'agent', '@shown'))
    house.liar.push('log', {})
    await house.served()
    const hidden = draft(branch, 'agent.enroll', lease(branch, 'agent', '@hidden'))
    house.liar.entries = [...branch.entries, hidden]
    await house.liar.round()
    return { shown, hidden, seq: house.branch.state.seq }
  }

  test('with both statements signed by an administrator stops everything, and both are kept as evidence', async () => {
    await using house = await House.open()
    const { shown, hidden, seq } = await fork(house)
    await house.alarm('FORKED', { seq, proven: true })
    expect((await house.evidence()).fork).toMatchObject({ held: encodeSigned(shown), other: encodeSigned(hidden) })
    expect(house.gateway.health()).toMatchObject({ code: 'LOG_FORKED', head: linkHash(shown.bytes) })
    expect(await house.ask()).toBe('LOG_FORKED')
  })

  test('stays stopped after a restart, whatever is served then, until a person removes the evidence', async () => {
    await using house = await House.open()
    await fork(house)
    house.liar.entries = house.branch.entries
    await house.restart()
    await house.liar.round()
    expect(await house.ask()).toBe('LOG_FORKED')
  })

  test('by a statement that no administrator signed is only refused: nobody can stop a gateway that way', async () => {
    await using house = await House.open()
    const { branch } = house
    house.grow('agent.enroll', lease(branch, 'agent', '@shown'))
    house.liar.push('log', {})
    await house.served()
    house.liar.entries = [
      ...branch.entries,
      draft(branch, 'agent.enroll', lease(branch, 'agent', '@hidden'), { by: [signKey('@mallory')] }),
    ]
    await house.liar.round()
    await house.alarm('FORKED', { proven: false })
    expect(await house.ask()).toBe('GRANTED')
    expect(await house.ask('@hidden')).toBe('REVOKED')
  })

  test('is found through an agent who was shown the other one', async () => {
    await using house = await House.open()
    const { branch } = house
    const other = grow(branch, 'agent.enroll', lease(branch, 'agent', '@other'))
    house.grow('agent.enroll', lease(branch, 'agent', '@shown'))
    house.liar.push('log', {})
    await house.served()
    const agent = await house.connect('@bot', other)
    await agent.ended
    await house.alarm('FORKED', { proven: true })
    expect(await house.ask()).toBe('LOG_FORKED')
  })

  test('only in the words of an agent, without an administrator’s signature, ends that channel and no more', async () => {
    await using house = await House.open()
    const invented = signStatement(draft(house.branch, 'agent.enroll', lease(house.branch, 'agent', '@x')).bytes, [signKey('@mallory')])
    const before = { ...house.branch, entries: house.branch.entries.slice(0, -1) }
    const claim = {
      ...house.branch,
      state: { ...house.branch.state, seq: before.entries.length, head: linkHash(invented.bytes) },
      entries: [invented],
    }
    const liar = await house.connect('@eve', claim)
    await liar.ended
    expect(house.gateway.health().status).toBe('ok')
    expect(await house.ask()).toBe('GRANTED')
  })
})
