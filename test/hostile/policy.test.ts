// The policy: the control plane carries its bytes and decides nothing about them.
import { policyDigest, utf8 } from '@postern/core'
import { expect, test } from 'vitest'
import { House, openPolicy } from './house.ts'
import type { Liar } from './liar.ts'

const text = (policy: object) => utf8(JSON.stringify(policy))
const closed = text({ v: 1, name: 'closed', rules: [] })
const wide = text({ v: 1, name: 'open', rules: [{ id: 'all', who: ['*'], servers: ['*'], tools: ['*'], effect: 'allow' }] })

/** The administrator signs that nothing is allowed any more. */
const close = (house: House) => {
  house.liar.policies.set(policyDigest(closed), closed)
  house.grow('policy.set', { sha256: policyDigest(closed), name: 'closed' })
}

test('the policy that was signed counts', async () => {
  await using house = await House.open()
  close(house)
  house.liar.push('log', {})
  await house.served()
  expect(await house.ask()).toBe('POLICY_DENIED')
})

test.each([
  ['another policy under the digest of the signed one', () => wide],
  ['the signed policy with one byte changed', (honest: Uint8Array | undefined) => honest!.map((byte, i) => (i === 20 ? byte ^ 1 : byte))],
  ['the signed policy with a byte more', (honest: Uint8Array | undefined) => utf8(`${Buffer.from(honest!).toString('utf8')}\n`)],
  ['an empty policy', () => new Uint8Array(0)],
  ['no policy', () => undefined],
])('%s is not taken: nothing is allowed until the signed one is here', async (_, lie) => {
  await using house = await House.open()
  const agent = await house.connect()
  const { grant } = await agent.ask([{ server: 'tools', tool: 'write' }])
  await agent.begin('s1', 'tools')
  house.liar.lies.policy = (honest) => lie(honest)
  close(house)
  await house.liar.round()
  expect(await house.ask()).not.toBe('GRANTED')
  expect(house.gateway.health()).toMatchObject({ status: 'degraded', code: 'NO_POLICY' })
  const { header } = await agent.call('s1', grant!, 'tools', 'write', {})
  expect(header).toMatchObject({ code: expect.stringMatching(/^(NO_POLICY|GRANT_POLICY)$/) })
  expect(house.ran).toEqual([])
  house.liar.lies = {}
  house.liar.push('log', {})
  await house.served()
  expect(await house.ask()).toBe('POLICY_DENIED')
})

test('a policy of more bytes than any has is not read: its statement counts as kept back, and the gateway goes stale', async () => {
  await using house = await House.open()
  const { seq } = house.gateway.health()
  house.liar.lies.policy = () => new Uint8Array(300_000).fill(0x20)
  close(house)
  await house.liar.round()
  expect(house.gateway.health().seq).toBe(seq)
  house.clock.advance(310)
  await house.liar.round()
  expect(await house.ask()).toBe('STALE')
})

test('a policy edited in the database, with a digest to match, is one that nobody signed: it is never asked for', async () => {
  await using house = await House.open()
  close(house)
  house.liar.push('log', {})
  await house.served()
  house.liar.policies.clear()
  house.liar.policies.set(policyDigest(wide), wide)
  await house.restart()
  await house.served()
  expect(await house.ask()).toBe('POLICY_DENIED')
})

test('a gateway that starts for the first time with an edited policy serves nothing', async () => {
  const before = (liar: Liar) => {
    liar.policies.set(policyDigest(openPolicy), wide)
  }
  await using house = await House.open({ isHonest: false, before })
  await house.liar.round()
  expect(await house.ask()).toBe('STALE')
  expect(house.gateway.health().policy).toBeUndefined()
})
