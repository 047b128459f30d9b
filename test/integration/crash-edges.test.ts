// Gateway, connector and relay, each killed with `kill -9` in the middle of calls that leave marks: no call runs twice, none that was
// answered is forgotten, no grant is honoured by the next run, and calls flow again.
import { encodeBase64url } from '@postern/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestAgent } from '../fixtures/gateway/test-agent.ts'
import { until } from '../fixtures/processes.ts'
import { skipped } from '../skipped.ts'
import { killAtSomeMoment, openChance } from './crash/chance.ts'
import type { Outcome } from './crash/edges.ts'
import { Client, Edges } from './crash/edges.ts'

const rounds = 20
const callers = 6
const chance = openChance('gateway, connector and relay are killed')

let edges: Edges
let client: Client
/** Every call that a client made, by its mark. */
const outcomes = new Map<string, Outcome>()
beforeAll(async () => {
  edges = await Edges.open()
  client = new Client(edges.spawnConnector())
})
afterAll(async () => {
  await client?.child.stop()
  await edges?.[Symbol.asyncDispose]()
})

let isWorking = true
let marked = 0
async function keepCalling(): Promise<void> {
  while (isWorking) {
    marked += 1
    const mark = `call-${marked}`
    const { child } = client
    const outcome = await client.call(mark)
    outcomes.set(mark, outcome)
    if (outcome === 'LOST') await until('the next connector', 20_000, () => client.child !== child || !isWorking || undefined)
  }
}

const ran = () => [...outcomes.values()].filter((outcome) => outcome === 'RAN').length
/** Until calls that were made after now have run. */
async function servesAgain(): Promise<number> {
  const began = performance.now()
  const enough = ran() + 2 * callers
  await until(`calls to run again, ${JSON.stringify(countOf(outcomes.values()))}`, 30_000, () => ran() > enough || undefined)
  return performance.now() - began
}

const countOf = (words: Iterable<string>) =>
  Object.fromEntries([...Map.groupBy(words, (word) => word)].map(([word, all]) => [word, all.length]))
const median = (times: readonly number[]) => Math.round(times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!)

/** Each in turn. Now and then the gateway goes together with the relay, and now and then again while it starts. */
const kills = {
  async relay() {
    await killAtSomeMoment(edges.relay, chance, 200)
    await edges.startRelay()
  },
  async connector() {
    await killAtSomeMoment(client.child, chance, 200)
    client = new Client(edges.spawnConnector())
  },
  async gateway(round: number) {
    const before = await spendGrant(`raw-${round}`)
    const isRelayToo = round % 4 === 2
    await Promise.all([edges.gateway, ...(isRelayToo ? [edges.relay] : [])].map((child) => killAtSomeMoment(child, chance, 200)))
    if (round % 4 === 0) await killAtSomeMoment(edges.spawnGateway(), chance, 500)
    await Promise.all([edges.startGateway(), ...(isRelayToo ? [edges.startRelay()] : [])])
    await expectVoid(before)
  },
}

test('gateway, connector and relay killed again and again: no call runs twice, none that was answered is lost', {
  timeout: 420_000,
}, async () => {
  const working = Promise.all(Array.from({ length: callers }, keepCalling))
  await servesAgain()
  const times: Record<string, number[]> = { relay: [], connector: [], gateway: [] }
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, kill] of Object.entries(kills)) {
      await kill(round)
      times[name]!.push(await servesAgain())
    }
  }
  isWorking = false
  await working
  const back = Object.entries(times).map(([name, all]) => `${name} ${median(all)} ms (at most ${Math.round(Math.max(...all))})`)
  console.log(`${rounds} kills each; calls run again after: ${back.join(', ')}; calls: ${JSON.stringify(countOf(outcomes.values()))}`)
  await expectOrder()
  await expectReceipts()
  await expectNobodyLeft()
})

async function expectOrder(): Promise<void> {
  const marks = await edges.marks()
  expect(
    marks.filter((mark, i) => marks.indexOf(mark) < i),
    'ran twice',
  ).toEqual([])
  const there = new Set(marks)
  const all = [...outcomes]
  expect(
    all.filter(([mark, outcome]) => outcome === 'RAN' && !there.has(mark)),
    'answered, but never ran',
  ).toEqual([])
  const mayHaveRun = ['RAN', 'LOST', 'OUTCOME_UNKNOWN']
  expect(
    all.filter(([mark, outcome]) => there.has(mark) && !mayHaveRun.includes(outcome)),
    'ran, and was said not to have',
  ).toEqual([])
  expect(marks.filter((mark) => mark.startsWith('raw-'))).toEqual(Array.from({ length: rounds }, (_, round) => `raw-${round}`))
}

const grantDetails = [{ server: 'tools', tool: 'count' }]

/** Gets a grant for one call, and makes it. */
async function spendGrant(mark: string) {
  const agent = await edges.connect()
  const { grant, error } = await agent.ask(grantDetails)
  expect(error).toBeUndefined()
  await agent.begin('raw', 'tools')
  const id = encodeBase64url(crypto.getRandomValues(new Uint8Array(16)))
  const { type } = await agent.call('raw', grant!, 'tools', 'count', { mark }, { claims: { id } })
  expect(type).toBe('RESULT')
  await agent.close()
  return { grant: grant!, id, mark }
}

/** The grant is void; and the call, asked for again under its id and a new grant, gives what it gave, without running. */
async function expectVoid({ grant, id, mark }: Awaited<ReturnType<typeof spendGrant>>): Promise<void> {
  const agent = await until('the gateway to answer', 15_000, () => edges.connect().catch(() => undefined))
  const fresh = await until('a grant', 15_000, async () => (await agent.ask(grantDetails)).grant)
  await agent.begin('raw', 'tools')
  const call = (...[held, args, change]: [typeof grant, { mark: string }, Parameters<TestAgent['call']>[5]?]) =>
    agent.call('raw', held, 'tools', 'count', args, change)
  expect((await call({ ...grant, n: 0 }, { mark: `${mark}-again` })).header).toMatchObject({ code: 'GRANT_EPOCH' })
  expect((await call(grant, { mark: `${mark}-more` })).header).toMatchObject({ code: 'GRANT_EPOCH' })
  expect((await call(fresh, { mark }, { claims: { id } })).type).toBe('RESULT')
  expect((await call(fresh, { mark: `${mark}-other` }, { claims: { id } })).header).toMatchObject({ code: 'REPLAYED' })
  await agent.close()
}

/** A gateway that was killed could not end its servers: they have to go by themselves. */
async function expectNobodyLeft(): Promise<void> {
  if (!edges.servers()) return skipped('servers of a killed gateway', 'no /proc')
  await edges.gateway.stop()
  await until(`the servers to be gone, ${edges.servers()}`, 10_000, () => edges.servers()?.length === 0 || undefined)
}

/** Every call that started has exactly one receipt that says how it ended, or that nobody knows; all of them reach the control plane. */
async function expectReceipts(): Promise<void> {
  const started = (await edges.marks()).filter((mark) => mark.startsWith('call-')).length
  const receipts = await until('the receipts to arrive', 20_000, async () => {
    const all = (await edges.receipts('@bot')).filter(({ status }) => status !== 'not_run')
    return all.length >= started ? all : undefined
  })
  expect(new Set(receipts.map(({ cth }) => cth)).size, 'two receipts for one call').toBe(receipts.length)
  expect(receipts.filter(({ status }) => status === 'ok').length).toBeGreaterThanOrEqual(ran())
  console.log(`${started} calls ran; receipts: ${JSON.stringify(countOf(receipts.map(({ status }) => status)))}`)
}
