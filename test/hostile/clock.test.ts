// Time and silence: a control plane that says nothing, and clocks that are not what they were.
import { describe, expect, test } from 'vitest'
import { until } from '../fixtures/processes.ts'
import { House } from './house.ts'

describe('a control plane that is silent', () => {
  test('is waited for as long as the policy says, less for what has effects than for what reads', async () => {
    await using house = await House.open()
    const agent = await house.connect()
    const ask = async (tool: string) => (await agent.ask([{ server: 'tools', tool }])).error?.code ?? 'GRANTED'
    house.liar.silence()
    house.clock.advance(290)
    expect([await ask('write'), await ask('read')]).toEqual(['GRANTED', 'GRANTED'])
    house.clock.advance(20)
    expect([await ask('write'), await ask('read')]).toEqual(['STALE', 'GRANTED'])
    house.clock.advance(3300)
    expect([await ask('write'), await ask('read')]).toEqual(['STALE', 'STALE'])
  })

  test('stops calls under a grant that was given before', async () => {
    await using house = await House.open()
    const agent = await house.connect()
    house.liar.silence()
    house.clock.advance(280)
    const { grant } = await agent.ask([{ server: 'tools', tool: 'write' }])
    await agent.begin('s1', 'tools')
    expect((await agent.call('s1', grant!, 'tools', 'write', {})).type).toBe('RESULT')
    house.clock.advance(30)
    expect((await agent.call('s1', grant!, 'tools', 'write', {})).header).toMatchObject({ code: 'STALE' })
    expect(house.ran).toEqual(['write'])
  })

  test('makes a gateway that has just started serve nothing', async () => {
    await using house = await House.open()
    house.liar.silence()
    await house.restart()
    expect(house.gateway.health()).toMatchObject({ status: 'degraded', code: 'STALE', synced_seconds_ago: undefined })
  })

  test('is heard again when it speaks', async () => {
    await using house = await House.open()
    house.liar.silence()
    house.clock.advance(600)
    expect(house.gateway.health().code).toBe('STALE')
    house.liar.isSilent = false
    await until('the gateway to be in order', 10_000, () => {
      house.timers.tick(1000)
      house.clock.advance(1)
      return house.gateway.health().status === 'ok' || undefined
    })
  })

  test('in part is no complete round: with the log but without the revocations the gateway goes stale', async () => {
    await using house = await House.open()
    house.liar.lies.revocations = () => ({ revocations: 'none' })
    await house.liar.round()
    house.clock.advance(310)
    await house.liar.round()
    expect(house.gateway.health().code).toBe('STALE')
  })
})

describe('a clock', () => {
  test('that is set back by more than two minutes stops everything', async () => {
    await using house = await House.open()
    const agent = await house.connect()
    house.clock.jump(-150)
    expect(house.gateway.health().code).toBe('CLOCK_WRONG')
    await agent.ended
    expect(await house.ask()).toBe('CLOCK_WRONG')
    house.clock.jump(150)
    house.liar.push('log', {})
    await house.served()
  })

  test('that is set back while the gateway is off is noticed by the mark on disk', async () => {
    await using house = await House.open()
    house.clock.advance(3600)
    house.timers.tick(1000)
    await until('the mark', 5000, async () => (await house.mark()) === house.clock.seconds || undefined)
    await house.gateway.close()
    house.clock.jump(-3600)
    await house.start()
    await house.liar.round()
    expect(house.gateway.health().code).toBe('CLOCK_WRONG')
    expect(await house.ask()).toBe('CLOCK_WRONG')
  })

  test.each([10, -10])('that jumps by %i s ends every channel, and every grant that was given', async (seconds) => {
    await using house = await House.open()
    const agent = await house.connect()
    const { grant } = await agent.ask([{ server: 'tools', tool: 'write' }])
    house.clock.jump(seconds)
    house.timers.tick(1000)
    await agent.ended
    await house.served()
    const again = await house.connect()
    await again.begin('s1', 'tools')
    expect((await again.call('s1', grant!, 'tools', 'write', {})).header).toMatchObject({ code: 'GRANT_EPOCH' })
    expect(house.ran).toEqual([])
  })
})
