// The control plane, as it runs in earnest, killed with `kill -9` in the middle of its work: what it acknowledged is there afterwards.
import { randomBytes } from 'node:crypto'
import type { SignedJson, State } from '@postern/core'
import {
  applyStatement,
  decodeSigned,
  draftStatement,
  encodeBase64url,
  encodeRevocation,
  encodeSigned,
  linkHash,
  replay,
  revocationHash,
  signAck,
  signDetached,
  signReceipt,
  signRequest,
  tokenHash,
} from '@postern/core'
import { native } from '@postern/daemon'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ControlChild, Home } from '../fixtures/processes.ts'
import { freePorts, openHome, startControl, until } from '../fixtures/processes.ts'
import type { Edge, RunningOrganisation } from '../fixtures/running-organisation.ts'
import { foundOrganisation } from '../fixtures/running-organisation.ts'
import { killAtSomeMoment, openChance } from './crash/chance.ts'

const rounds = 20
const chance = openChance('the control plane is killed')
const seconds = () => Math.floor(Date.now() / 1000)
const random = (n: number) => encodeBase64url(new Uint8Array(randomBytes(n)))

let home: Home
let port: number
let control: ControlChild
let organisation: RunningOrganisation
let gateway: Edge<'gateway'>
let state: State
beforeAll(async () => {
  home = await openHome('crash')
  ;[port] = (await freePorts(1)) as [number]
  control = await startControl(home, { port })
  organisation = await foundOrganisation(control, home)
  gateway = await organisation.enrolKeys('gateway', '@gw')
  state = organisation.state
})
afterAll(async () => {
  await control?.stop('SIGKILL')
  await home?.[Symbol.asyncDispose]()
})

/** What was answered with 200 before a kill. */
const acknowledged = { statements: new Map<number, string>(), receipts: new Set<string>(), revocations: new Set<string>(), acks: 0 }
const epoch = random(16)
let rseq = 0
const claims = () => ({ v: 1, org: organisation.org, iss: gateway.atsign, kid: gateway.keys.receipt.kid }) as const
const sign = (namespace: 'postern-statement-v1' | 'postern-revocation-v1', bytes: Uint8Array) =>
  signDetached(organisation.admin.key.secret.expose(), namespace, bytes, native)

const work = {
  async statement() {
    const bytes = draftStatement(state, 'release', { target: { kind: 'grant', id: random(32) } }, { at: seconds() })
    const signed = { bytes, signatures: [sign('postern-statement-v1', bytes)] }
    await organisation.admin.client.call('/api/v1/log', { json: { entry: encodeSigned(signed) } })
    state = applyStatement(state, signed, native)
    acknowledged.statements.set(state.seq, state.head)
  },
  async receipts() {
    const receipts = Array.from({ length: Math.floor(chance.between(1, 20)) }, receipt)
    const { refused } = await organisation.clientOf(gateway).call<{ refused: unknown[] }>('/api/v1/receipts', { json: { receipts } })
    expect(refused).toEqual([])
    for (const one of receipts) acknowledged.receipts.add(tokenHash(one))
  },
  async revocation() {
    const target = { kind: 'grant', id: random(32) } as const
    const bytes = encodeRevocation({ org: organisation.org, target, reason: 'test', at: seconds() })
    const json = encodeSigned({ bytes, signatures: [sign('postern-revocation-v1', bytes)] })
    await organisation.admin.client.call('/api/v1/revocations', { json })
    acknowledged.revocations.add(revocationHash(bytes))
  },
  async ack() {
    const said = { seq: state.seq, head: state.head, revocations: { count: 0, digest: random(32) }, at: seconds(), epoch: random(16) }
    const token = signAck({ ...claims(), ...said }, gateway.keys.receipt.secret.expose(), native)
    await organisation.clientOf(gateway).call('/api/v1/acks', { json: { acks: [token] } })
    acknowledged.acks += 1
  },
}

function receipt(): string {
  rseq += 1
  const [gth, cth, pol, at] = [random(32), random(32), random(32), seconds()]
  const call = { agent: gateway.atsign, server: 'tools', tool: 'count', decision: 'allow', code: 'OK', status: 'ok' } as const
  const content = { ...call, gth, cth, pol, result: random(32), t0: at, t1: at, epoch, rseq }
  return signReceipt({ ...claims(), ...content }, gateway.keys.receipt.secret.expose(), native)
}

/** Does each kind of work again and again, until the line breaks. */
async function workUntilKilled(): Promise<void> {
  const again = async (one: () => Promise<void>) => {
    try {
      for (;;) await one()
    } catch (error) {
      const { code } = error as { code?: string }
      if (code !== 'UNREACHABLE') throw error
    }
  }
  await Promise.all([...Object.values(work), work.receipts, work.revocation].map(again))
}
const counts = () => [acknowledged.statements.size, acknowledged.receipts.size, acknowledged.revocations.size, acknowledged.acks]

async function pages<T>(
  path: (next: number) => string,
  read: (page: { next: number | null }) => readonly T[],
  first: number,
): Promise<T[]> {
  const all: T[] = []
  for (let next: number | null = first; next !== null; ) {
    const page: { next: number | null } = await organisation.admin.client.call(path(next))
    all.push(...read(page))
    next = page.next
  }
  return all
}

const logFrom = async (from: number) => {
  const read = (page: object) => (page as { entries: SignedJson[] }).entries
  const entries = await pages((next) => `/api/v1/log?from=${next}&limit=256`, read, from)
  return entries.map(({ bytes, signatures }) => decodeSigned({ bytes, signatures }))
}

/** The one statement on its way at the kill may be there or not: whoever signs next looks, as a person's CLI does. */
async function catchUp(): Promise<void> {
  for (const signed of await logFrom(state.seq + 1)) state = applyStatement(state, signed, native)
}

async function expectEverything(): Promise<void> {
  const entries = await logFrom(0)
  expect(replay(organisation.org, entries, native)).toMatchObject({ seq: state.seq, head: state.head })
  for (const [seq, head] of acknowledged.statements) expect(linkHash(entries[seq]!.bytes), `statement ${seq}`).toBe(head)
  const tokens = (page: object) => (page as { receipts: { jws: string }[] }).receipts
  const receipts = await pages((next) => `/api/v1/receipts?limit=500${next ? `&cursor=${next}` : ''}`, tokens, 0)
  const held = new Set(receipts.map(({ jws }) => tokenHash(jws)))
  expect(held.size, 'a receipt stands there twice').toBe(receipts.length)
  expect([...acknowledged.receipts].filter((hash) => !held.has(hash))).toEqual([])
  const hashes = (page: object) => (page as { revocations: { hash: string }[] }).revocations
  const revocations = new Set((await pages((next) => `/api/v1/revocations?limit=500&after=${next}`, hashes, 0)).map(({ hash }) => hash))
  expect([...acknowledged.revocations].filter((hash) => !revocations.has(hash))).toEqual([])
}

test(`killed ${rounds} times under load, it starts again with everything that it acknowledged`, { timeout: 420_000 }, async () => {
  const times: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const working = workUntilKilled()
    const before = counts()
    const isUnderWay = () => counts().every((count, i) => count > before[i]!)
    if (round % 4 > 0) await until('work of every kind to be under way', 20_000, () => isUnderWay() || undefined)
    await killAtSomeMoment(control, chance, 400)
    await working
    const began = performance.now()
    control = await startControl(home, { port })
    times.push(performance.now() - began)
    await catchUp()
    for (const [seq, head] of [...acknowledged.statements].slice(-3)) {
      const [entry] = await logFrom(seq)
      expect(linkHash(entry!.bytes), `statement ${seq} after kill ${round + 1}`).toBe(head)
    }
  }
  await expectEverything()
  const [statements, receipts, revocations, acks] = counts()
  const said = `${statements} statements, ${receipts} receipts, ${revocations} revocations, ${acks} acks`
  console.log(`${rounds} kills: ${said} acknowledged, none lost; back in ${Math.round(times.sort((a, b) => a - b)[rounds / 2]!)} ms`)
  for (const count of counts()) expect(count).toBeGreaterThanOrEqual((rounds * 3) / 4)
})

test('a request that was served before the kill is not served again after it', { timeout: 60_000 }, async () => {
  const { auth } = gateway.keys
  const url = `${control.url}/api/v1/revocations`
  const signer = { kid: auth.kid, seed: auth.secret.expose(), created: seconds(), nonce: new Uint8Array(randomBytes(16)) }
  const headers = { ...signRequest({ method: 'GET', url, body: undefined }, signer, native) }
  expect((await fetch(url, { headers })).status).toBe(200)
  control.process.kill('SIGKILL')
  await control.exit
  control = await startControl(home, { port })
  const again = await fetch(url, { headers })
  expect([again.status, await again.json()]).toMatchObject([401, { error: { code: 'REPLAYED' } }])
})
