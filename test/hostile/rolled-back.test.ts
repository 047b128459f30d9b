// An older log than the one that was applied, from the control plane or on the gateway's own disk.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeBase64url, encodeSigned, linkHash } from '@postern/core'
import { describe, expect, test } from 'vitest'
import { draft, found } from '../fixtures/organisation.ts'
import { House, lease } from './house.ts'

describe('a log that is rolled back', () => {
  const cut = (house: House, count: number) => {
    house.liar.entries = house.branch.entries.slice(0, -count)
  }

  test('changes nothing, and both sides are kept as evidence', async () => {
    await using house = await House.open()
    const { seq, head } = house.gateway.health()
    cut(house, 2)
    await house.liar.round()
    await house.alarm('ROLLED_BACK', { seq, found: (seq as number) - 2 })
    expect(house.gateway.health()).toMatchObject({ seq, head })
    const { [`rolled-back-${seq}`]: evidence } = await house.evidence()
    expect(evidence).toEqual({
      held: encodeSigned(house.branch.entries.at(-1)!),
      said: { seq: (seq as number) - 2, hash: linkHash(house.branch.entries.at(-3)!.bytes) },
    })
  })

  test('changes nothing across a restart of the gateway either', async () => {
    await using house = await House.open()
    const { seq, head } = house.gateway.health()
    cut(house, 3)
    await house.restart()
    await house.alarm('ROLLED_BACK')
    expect(house.gateway.health()).toMatchObject({ seq, head, code: 'STALE' })
    expect(await house.ask()).toBe('STALE')
  })

  test('does not bring back an agent that was removed', async () => {
    await using house = await House.open()
    const before = house.branch.entries
    const revoked = house.revocation({ kind: 'enrolment', id: house.enrolmentOf('@eve') })
    house.liar.revocations = [revoked]
    house.liar.push('revocation', encodeSigned(revoked))
    await house.liar.round()
    expect(await house.ask('@eve')).toBe('REVOKED')
    house.liar.entries = before
    house.liar.revocations = []
    await house.restart()
    await house.served()
    expect(await house.ask('@eve')).toBe('REVOKED')
    expect(await house.ask('@bot')).toBe('GRANTED')
  })

  test('on the disk of the gateway, too, is noticed at its start: LOG_ROLLED_BACK', async () => {
    await using house = await House.open()
    const file = join(house.stateDirectory, 'log.jsonl')
    const lines = (await readFile(file, 'utf8')).split('\n')
    await house.gateway.close()
    await writeFile(file, `${lines.slice(0, 4).join('\n')}\n`)
    await expect(house.start()).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK' })
    await writeFile(file, lines.join('\n'))
    await house.start()
    await house.served()
  })

  test('and edited on that disk does not verify: STATE_CORRUPT', async () => {
    await using house = await House.open()
    const file = join(house.stateDirectory, 'log.jsonl')
    const text = await readFile(file, 'utf8')
    await house.gateway.close()
    const lines = text.trimEnd().split('\n')
    const forged = { bytes: encodeBase64url(draft(found(), 'agent.enroll', lease(found(), 'agent', '@mallory')).bytes), signatures: [] }
    await writeFile(file, `${[...lines.slice(0, -1), JSON.stringify(forged)].join('\n')}\n`)
    await expect(house.start()).rejects.toMatchObject({ code: 'STATE_CORRUPT' })
    await writeFile(file, text)
    await house.start()
    await house.served()
  })
})

test('a database that was emptied takes nothing from a gateway that has the log', async () => {
  await using house = await House.open()
  house.liar.entries = []
  house.liar.policies.clear()
  await house.restart()
  await house.alarm('ROLLED_BACK', { found: -1 })
  expect(house.gateway.health()).toMatchObject({ seq: house.branch.state.seq, code: 'STALE' })
  house.liar.entries = house.branch.entries
  house.liar.push('log', {})
  await house.served()
})
