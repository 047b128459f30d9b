// What an MCP client sees of a call that waits for a person: official SDK, connector, real gateway, real MCP server process.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConnectorWorld } from '../fixtures/connector/connector-world.ts'
import type { Mode } from '../fixtures/connector/sdk-clients.ts'
import { httpTransport, newClient, StreamTransport } from '../fixtures/connector/sdk-clients.ts'
import { decideAs, enrolApprovers, nextHold, stagesOf } from '../fixtures/gateway/approver.ts'
import type { PostedHold } from '../fixtures/gateway/fake-control.ts'
import { until } from '../fixtures/gateway/gateway-world.ts'

const rules = [
  { id: 'asks', who: ['*'], servers: ['tools'], tools: ['count'], effect: 'ask', approvers: ['@cy', '@dan'] },
  { id: 'rest', who: ['*'], servers: ['tools'], tools: ['echo'], effect: 'allow' },
]
let world: ConnectorWorld
beforeAll(async () => {
  world = await ConnectorWorld.open({ policy: { v: 1, name: 'main', rules } })
  enrolApprovers(world.gateway, '@cy', '@dan')
  await world.gateway.sync()
})
afterAll(() => world.close())

const marks = () => (existsSync(join(world.gateway.home, 'count')) ? readFileSync(join(world.gateway.home, 'count'), 'utf8') : '')
const textOf = (result: unknown) => (result as { content: { text: string }[] }).content[0]!.text
const refusalOf = (result: unknown) => (result as { _meta: Record<string, { code: string; ref?: string }> })._meta['dev.postern/refusal']

/** A client, and a call that waits. */
async function waiting(
  mark: string,
  mode: Mode,
  options: { approvalWaitSeconds?: number; onprogress?: () => void; timeout?: number } = {},
) {
  const { approvalWaitSeconds = 50, onprogress, timeout = 60_000 } = options
  const connector = await world.connector({ approvalWaitSeconds })
  const client = newClient(mode)
  await client.connect(new StreamTransport(connector))
  await client.listTools()
  const before = world.gateway.control.holds.length
  const call = () =>
    client.callTool(
      { name: 'count', arguments: { mark } },
      { timeout, ...(onprogress ? { onprogress, resetTimeoutOnProgress: true } : {}) },
    )
  const first = call()
  first.catch(() => {})
  const hold = await nextHold(world.gateway, before)
  return { client, call, first, hold, connector }
}
const ended = (hold: PostedHold, status: string) => until(() => stagesOf(world.gateway, hold).includes(status))

describe.each(['legacy', { pin: '2026-07-28' }] as Mode[])('a client in mode %o', (mode) => {
  const name = (what: string) => `${what} ${JSON.stringify(mode)}`

  test('that waits gets the result once somebody approves', async () => {
    const { first, hold, client } = await waiting(name('waits'), mode)
    decideAs(world.gateway, hold, '@cy', 'approve')
    expect(textOf(await first)).toBe('counted')
    await client.close()
  })

  test('that waits is told in words its model can read when somebody refuses', async () => {
    const { first, hold, client } = await waiting(name('refused'), mode)
    decideAs(world.gateway, hold, '@dan', 'refuse', 'not on a Friday')
    const result = await first
    expect(result.isError).toBe(true)
    expect(refusalOf(result)).toMatchObject({ code: 'APPROVAL_REFUSED', ref: hold.id })
    expect(textOf(result)).toContain('refused by @dan: not on a Friday')
    await client.close()
  })

  test('that gives up early is told where to look, and the same call later gets the result, which ran once', async () => {
    const { first, call, hold, client } = await waiting(name('early'), mode, { approvalWaitSeconds: 0.2 })
    const pending = await first
    expect(pending.isError).toBe(true)
    expect(refusalOf(pending)).toMatchObject({ code: 'APPROVAL_PENDING', ref: hold.id })
    expect(textOf(pending)).toMatch(/@cy or @dan may approve it until .*UTC[\s\S]*same arguments/)
    expect(refusalOf(await call())).toMatchObject({ code: 'APPROVAL_PENDING', ref: hold.id }) // still the same request
    decideAs(world.gateway, hold, '@cy', 'approve')
    await ended(hold, 'executed')
    const before = world.gateway.control.holds.length
    expect(textOf(await call())).toBe('counted')
    expect(world.gateway.control.holds.length).toBe(before)
    expect(marks().split(`${name('early')}\n`)).toHaveLength(2)
    const again = call() // and once more is another call, about which somebody is asked anew
    const next = await nextHold(world.gateway, before)
    decideAs(world.gateway, next, '@cy', 'refuse')
    expect(refusalOf(await again)).toMatchObject({ code: 'APPROVAL_REFUSED' })
    await client.close()
  })

  test('that was told to ask again joins the call while it still waits', async () => {
    const { first, call, hold, client } = await waiting(name('joins'), mode, { approvalWaitSeconds: 1 })
    expect(refusalOf(await first)).toMatchObject({ code: 'APPROVAL_PENDING' })
    const second = call()
    decideAs(world.gateway, hold, '@cy', 'approve')
    expect(textOf(await second)).toBe('counted')
    await client.close()
  })

  test('that asked for progress waits on, and hears that something goes on', async () => {
    let heard = 0
    const onprogress = () => void heard++
    const { first, hold, client } = await waiting(name('progress'), mode, { approvalWaitSeconds: 0.2, onprogress })
    await until(() => heard > 0)
    decideAs(world.gateway, hold, '@cy', 'approve')
    expect(textOf(await first)).toBe('counted')
    await client.close()
  })

  test('whose own patience ends cancels the request to the approvers', async () => {
    const { first, hold, client } = await waiting(name('impatient'), mode, { timeout: 300 })
    await expect(first).rejects.toThrow()
    await ended(hold, 'ended')
    decideAs(world.gateway, hold, '@cy', 'approve')
    expect(textOf(await client.callTool({ name: 'echo', arguments: {} }))).toBe('{}')
    expect(marks()).not.toContain(name('impatient'))
    await client.close()
  })

  test('that goes ends it, too', async () => {
    const { hold, client, connector } = await waiting(name('goes'), mode)
    await client.close()
    await connector.running.ended
    await connector.running.close()
    await ended(hold, 'ended')
  })
})

test.each(['legacy', { pin: '2026-07-28' }] as Mode[])(
  'over HTTP in mode %o it is the same: told to ask again, then answered, and run once',
  async (mode) => {
    const { running } = await world.connector({ http: 0, approvalWaitSeconds: 0.2 })
    const token = readFileSync(join(world.directoryOf('@bot'), 'http-token'), 'utf8').trim()
    const client = newClient(mode)
    await client.connect(httpTransport(running.url!, token))
    await client.listTools()
    const mark = `http ${JSON.stringify(mode)}`
    const call = () => client.callTool({ name: 'count', arguments: { mark } })
    const before = world.gateway.control.holds.length
    expect(refusalOf(await call())).toMatchObject({ code: 'APPROVAL_PENDING' })
    const hold = await nextHold(world.gateway, before)
    decideAs(world.gateway, hold, '@cy', 'approve')
    await ended(hold, 'executed')
    expect(textOf(await call())).toBe('counted')
    expect(marks().split(`${mark}\n`)).toHaveLength(2)
    await client.close()
  },
)

test('a gateway that restarts ends the wait, in words', async () => {
  const { first, hold, client } = await waiting('restarts', 'legacy')
  await world.gateway.restart()
  expect(refusalOf(await first)).toMatchObject({ code: 'APPROVAL_ENDED' })
  decideAs(world.gateway, hold, '@cy', 'approve')
  await world.gateway.sync()
  expect(marks()).not.toContain('restarts')
  await client.close()
})
