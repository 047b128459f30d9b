// What a gateway does when authority changes, is kept back, contradicts itself or goes stale. Control plane, relay and time in memory.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeBase64url, encodeSigned, revocationHash, verifyAck } from '@postern/core'
import { native } from '@postern/daemon'
import { applyRevocationFile } from '@postern/gateway'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GatewayWorld, openPolicy, until } from '../fixtures/gateway/gateway-world.ts'
import type { HeldGrant, TestAgent } from '../fixtures/gateway/test-agent.ts'
import { append, draft, revocation, signStatement } from '../fixtures/organisation.ts'
import { seedOf, signKey } from '../fixtures/people.ts'

let world: GatewayWorld
let bot: TestAgent
let grant: HeldGrant
beforeEach(async () => {
  world = await GatewayWorld.open()
  bot = await world.connect('@bot')
  await bot.begin('s', 'tools')
  grant = (
    await bot.ask([
      { server: 'tools', tool: 'echo' },
      { server: 'tools', tool: 'write' },
    ])
  ).grant!
})
afterEach(() => world.close())

const code = async (tool = 'echo') => {
  const reply = await bot.call('s', grant, 'tools', tool, {})
  return reply.type === 'RESULT' ? 'OK' : reply.header.code
}
const digest = (name: string) => encodeBase64url(seedOf(name))
const state = (...path: string[]) => join(world.home, 'state', 'gateway', '@gw', ...path)

describe('a revocation', () => {
  test('of the grant refuses its next call, and nothing else', async () => {
    expect(await code()).toBe('OK')
    world.revoke({ kind: 'grant', id: grant.hash })
    await until(() => world.gateway.health().revocations === 1)
    expect(await code()).toBe('REVOKED')
    grant = (await bot.ask([{ server: 'tools', tool: 'echo' }])).grant!
    expect(await code()).toBe('OK')
  })
  test('of the agent ends its channel and its servers, and lets it in no more', async () => {
    expect(world.gateway.health()).toMatchObject({ channels: 1, sessions: 1 })
    world.revoke({ kind: 'enrolment', id: world.enrolmentOf('@bot') })
    expect(await bot.ended).toBe(5) // NOT_ADMITTED
    await until(() => world.gateway.health().sessions === 0)
    await expect(world.connect('@bot')).rejects.toThrow('ended: 5')
  })
  test('of the owner stops the agent too', async () => {
    world.revoke({ kind: 'enrolment', id: world.enrolmentOf('@ben') })
    expect(await bot.ended).toBe(5)
  })
  test('by somebody who may not is ignored', async () => {
    world.revoke({ kind: 'enrolment', id: world.enrolmentOf('@bot') }, { by: [signKey('@mallory')] })
    await world.fresh()
    expect(await code()).toBe('OK')
  })
  test('is on disk before it counts, and counts after a restart without the control plane', async () => {
    world.revoke({ kind: 'grant', id: grant.hash })
    await until(() => world.gateway.health().revocations === 1)
    expect(readFileSync(state('revocations.jsonl'), 'utf8').trim().split('\n')).toHaveLength(1)
    world.control.revocations = []
    await world.restart()
    expect(world.gateway.health().revocations).toBe(1)
  })
  test('from a file counts when the control plane keeps it back', async () => {
    const signed = revocation(world.branch, { kind: 'grant', id: grant.hash })
    const file = new Uint8Array(Buffer.from(JSON.stringify(encodeSigned(signed))))
    expect(await applyRevocationFile('@gw', file, { stateRoot: join(world.home, 'state') })).toBe('applied')
    expect(await code()).toBe('REVOKED')
  })
  test('from a file by somebody who may not is refused', async () => {
    const signed = revocation(world.branch, { kind: 'grant', id: grant.hash }, { by: [signKey('@mallory')] })
    const file = new Uint8Array(Buffer.from(JSON.stringify(encodeSigned(signed))))
    expect(await applyRevocationFile('@gw', file, { stateRoot: join(world.home, 'state') })).toBe('refused')
    expect(await code()).toBe('OK')
  })
  test('that a statement names and nobody delivers stops everything', async () => {
    const hidden = revocation(world.branch, { kind: 'grant', id: digest('some grant') })
    world.setPolicy(openPolicy)
    world.grow('policy.set', { sha256: world.branch.state.policy!.sha256, name: 'test' }, { rev: [revocationHash(hidden.bytes)] })
    await world.sync()
    expect((await bot.ask([{ server: 'tools', tool: 'echo' }])).error?.code).toBe('LOG_BEHIND')
    world.control.push('revocation', encodeSigned(hidden))
    await until(() => world.gateway.health().revocations === 1)
    await world.fresh()
    expect((await bot.ask([{ server: 'tools', tool: 'echo' }])).grant).toBeDefined()
  })
  test('is acknowledged under the receipt key', async () => {
    const before = world.control.acks.length
    world.revoke({ kind: 'grant', id: grant.hash })
    await until(() => world.control.acks.length > before)
    const resolve = (_: string, kid: string) => world.branch.state.keys.get(kid as never)?.key
    const ack = verifyAck(world.control.acks.at(-1)!, resolve as never, { org: world.branch.org, now: world.clock.seconds, suite: native })
    expect(ack).toMatchObject({ iss: '@gw', seq: world.branch.state.seq, head: world.branch.state.head, revocations: { count: 1 } })
  })
})

describe('a change of authority', () => {
  test('of the policy voids the grants under the old one', async () => {
    world.setPolicy({ ...openPolicy, name: 'next' })
    await world.sync()
    expect(await code()).toBe('GRANT_POLICY')
  })
  test('whose policy document is kept back allows nothing', async () => {
    world.grow('policy.set', { sha256: digest('unknown document'), name: 'hidden' })
    await world.sync()
    expect(await code()).toBe('NO_POLICY')
  })
  test('whose policy document was edited allows nothing', async () => {
    const sha256 = digest('the signed one')
    world.control.policies.set(sha256, new Uint8Array(Buffer.from(JSON.stringify(openPolicy))))
    world.grow('policy.set', { sha256, name: 'edited' })
    await world.sync()
    expect(await code()).toBe('NO_POLICY')
  })
  test('of a pin voids the grants for the tool', async () => {
    world.pinReported({ echo: 'read' }, () => digest('another definition'))
    await world.sync()
    expect(await code()).toBe('TOOL_CHANGED')
    expect(await code('write')).toBe('OK')
  })
  test('that this version does not know halts the log: what needs newer state is refused once it is stale', async () => {
    const bytes = draft(world.branch, 'release', { target: { kind: 'grant', id: digest('g') } }).bytes
    const unknown = new Uint8Array(Buffer.from(Buffer.from(bytes).toString().replace('"op":"release"', '"op":"teleport"')))
    world.control.entries = [...world.branch.entries, signStatement(unknown, [signKey('@ana')])]
    world.control.push('log', {})
    await until(() => world.logged('HALTED').length > 0)
    expect(await code()).toBe('OK')
    await later(400)
    expect(await askCode('write')).toBe('LOG_HALTED')
  })
  test('that nobody signed is not applied', async () => {
    const forged = draft(world.branch, 'policy.set', { sha256: digest('mine'), name: 'mine' }, { by: [signKey('@mallory')] })
    world.control.entries = [...world.branch.entries, forged]
    world.control.push('log', {})
    await until(() => world.logged('REFUSED').length > 0)
    expect(await code()).toBe('OK')
  })
})

/** Time passes, and agents come back. */
async function later(seconds: number): Promise<void> {
  world.clock.advance(seconds)
  bot = await world.connect('@bot')
  await bot.open('s', 'tools')
}
const askCode = async (tool: string) => {
  const answer = await bot.ask([{ server: 'tools', tool }])
  return answer.error?.code ?? 'OK'
}

describe('a gateway that is cut off', () => {
  beforeEach(() => {
    world.control.isReachable = false
  })
  test('serves for five minutes, then only reads, then nothing', async () => {
    await later(299)
    expect([await askCode('echo'), await askCode('write')]).toEqual(['OK', 'OK'])
    await later(2)
    expect([await askCode('echo'), await askCode('write')]).toEqual(['OK', 'STALE'])
    await later(3_300)
    expect(await askCode('echo')).toBe('STALE')
  })
  test('serves again when it is back', async () => {
    await later(4_000)
    expect(await askCode('echo')).toBe('STALE')
    world.control.isReachable = true
    world.timers.tick()
    await until(() => (world.gateway.health().synced_seconds_ago as number) < 10)
    expect(await askCode('echo')).toBe('OK')
  })
  test('serves nothing after a restart before it has heard anything', async () => {
    await world.gateway.close()
    const starting = world.start()
    await until(() => world.logged('relay link is up').length > 1 || world.logged('could not be synchronised').length > 0)
    expect(world.gateway.health()).toMatchObject({ status: 'degraded', code: 'STALE' })
    world.control.isReachable = true
    world.clock.advance(10)
    world.timers.tick()
    await starting
  })
})

describe('a control plane that goes back', () => {
  test('is not followed: the shorter log is refused, with evidence', async () => {
    world.setPolicy({ ...openPolicy, name: 'later' })
    await world.sync()
    world.control.entries = world.branch.entries.slice(0, -2)
    world.control.push('log', {})
    await until(() => world.logged('ROLLED_BACK').length > 0)
    expect(world.gateway.health().seq).toBe(world.branch.state.seq)
    expect(readdirSync(state()).some((file) => file.startsWith('evidence-rolled-back'))).toBe(true)
  })
  test('is found out by a shortened file, and the gateway does not start', async () => {
    const log = readFileSync(state('log.jsonl'), 'utf8').trimEnd().split('\n')
    await world.gateway.close()
    writeFileSync(state('log.jsonl'), `${log.slice(0, -1).join('\n')}\n`)
    await expect(world.start()).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK' })
    writeFileSync(state('log.jsonl'), `${log.join('\n')}\n`)
    await world.start()
  })
})

describe('two statements for one place, both signed by an administrator', () => {
  const fork = () => {
    const { entries, state: head } = world.branch
    const before = entries.slice(0, -1)
    const parent = { ...world.branch, entries: before, state: stateBefore() }
    expect(head.seq).toBe(before.length)
    return append(parent, draft(parent, 'policy.set', { sha256: digest('other future'), name: 'other' }))
  }
  const stateBefore = () => world.history.at(-2)!.state

  test('stop the gateway when the control plane shows the other one, with both as evidence, also after a restart', async () => {
    world.control.entries = fork().entries
    world.control.push('log', {})
    await until(() => world.logged('FORKED').length > 0)
    expect(await code()).toBe('LOG_FORKED')
    const evidence = JSON.parse(readFileSync(state('evidence-fork.json'), 'utf8'))
    expect(evidence).toMatchObject({ proven: true, held: { bytes: expect.any(String) }, other: { bytes: expect.any(String) } })
    world.control.entries = world.branch.entries
    await world.restart()
    expect(world.gateway.health()).toMatchObject({ code: 'LOG_FORKED' })
  })
  test('stop the gateway when an agent brings the other one', async () => {
    await world.connect('@eve', { branch: fork() }).catch(() => undefined)
    await until(() => world.logged('FORKED').length > 0)
    expect(await code()).toBe('LOG_FORKED')
  })
  test('stop nothing when nobody signed the other one: only its channel ends', async () => {
    const forged = fork()
    const unsigned = { ...forged, entries: [...forged.entries.slice(0, -1), { bytes: forged.entries.at(-1)!.bytes, signatures: [] }] }
    const eve = await world.connect('@eve', { branch: unsigned })
    expect(await eve.ended).toBe(5)
    expect(await code()).toBe('OK')
  })
})

describe('an agent that is ahead', () => {
  test('makes the gateway fetch what it lacks before it serves', async () => {
    const entries = world.branch.entries
    world.grow('policy.set', { sha256: world.branch.state.policy!.sha256, name: 'again' })
    const ahead = await world.connect('@eve')
    await ahead.begin('e', 'tools')
    expect(world.gateway.health().seq).toBe(entries.length)
  })
  test('with a statement that the control plane keeps back stops the gateway until it comes', async () => {
    const withheld = world.branch.entries
    world.grow('policy.set', { sha256: world.branch.state.policy!.sha256, name: 'withheld' })
    const newest = world.control.entries
    world.control.entries = withheld
    await world.connect('@eve')
    await until(() => world.logged('keeps back').length > 0)
    expect(await code()).toBe('LOG_BEHIND')
    world.control.entries = newest
    await world.sync()
    expect(['OK', 'GRANT_POLICY']).toContain(await code())
  })
  test('by its word alone loses its channel, and stops nothing', async () => {
    const { state: known, entries } = world.branch
    const eve = await world.connect('@eve', {
      greeting: { log: { seq: known.seq + 5, head: digest('nothing') }, head: encodeSigned(entries.at(-1)!) },
    })
    expect(await eve.ended).toBe(5)
    expect(await code()).toBe('OK')
  })
})

describe('the clock', () => {
  test('that jumps ends the channels and voids the grants', async () => {
    world.clock.jump(30)
    world.timers.tick()
    expect(await bot.ended).toBe(7) // CLOCK_JUMPED
    const old = grant
    await world.fresh()
    bot = await world.connect('@bot')
    await bot.open('s', 'tools')
    grant = { ...old, n: 100 }
    expect(await code()).toBe('GRANT_EPOCH')
  })
  test('that falls two minutes below what it showed refuses everything, also after a restart', async () => {
    world.clock.advance(60)
    world.timers.tick()
    await until(() => existsSync(state('time.json')))
    world.clock.jump(-300)
    await world.gateway.close()
    const starting = world.start()
    await until(() => world.gateway.health().code === 'CLOCK_WRONG')
    world.clock.jump(300)
    world.timers.tick()
    await starting
  })
})

test('every start is a new epoch: no grant of an earlier run is honoured', async () => {
  expect(await code()).toBe('OK')
  await world.restart()
  bot = await world.connect('@bot')
  await bot.begin('s', 'tools')
  expect(await code()).toBe('GRANT_EPOCH')
})
