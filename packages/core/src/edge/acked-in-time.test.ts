import { expect, test } from 'vitest'
import type { Branch } from '../../../../test/fixtures/organisation.ts'
import { draft, found, grow } from '../../../../test/fixtures/organisation.ts'
import { bytesOf, machineKey, requestOf, seedOf, T0 } from '../../../../test/fixtures/people.ts'
import { encodeBase64url } from '../bytes/base64url.ts'
import { revocationsDigest, signAck } from '../call/ack.ts'
import { parseAtSign } from '../key/atsign.ts'
import { portable } from '../key/portable.ts'
import { keyIdOf } from '../key/public-key.ts'
import type { Signed } from '../key/signature.ts'
import { linkHash } from '../statement/statement.ts'
import { readAckedInTime } from './acked-in-time.ts'
import type { AuthorityStore } from './authority-store.ts'
import { createAuthoritySync } from './authority-sync.ts'
import type { ControlClient } from './control-client.ts'
import { AuthorityMirror } from './mirror.ts'

const DAY = 86_400
const gateway = (branch: Branch, atsign: string) =>
  grow(branch, 'gateway.enroll', { ...requestOf(branch.org, 'gateway', atsign), exp: T0 + 90 * DAY, tags: [] })

/** @gw-a and @gw-b are enrolled; then a policy was signed, which @gw-a hears of ten days later. */
const before = gateway(gateway(found(), '@gw-a'), '@gw-b')
const late = draft(before, 'policy.set', { sha256: encodeBase64url(seedOf('policy')), name: 'main' })
const lateSeq = before.state.seq + 1
const nva = before.state.at + 60 + DAY
const now = T0 + 10 * DAY

const ackBy = (atsign: string, over: { at?: number; seq?: number; head?: string; seed?: Uint8Array } = {}): string => {
  const key = machineKey(atsign, 'receipt')
  const { at = nva - 10, seq = lateSeq, head = linkHash(late.bytes), seed = seedOf(`${atsign} receipt 1`) } = over
  const claims = { v: 1, org: before.org, iss: parseAtSign(atsign), kid: keyIdOf(key.publicKey) } as const
  const revocations = revocationsDigest([], portable)
  return signAck({ ...claims, seq, head, revocations, at, epoch: encodeBase64url(bytesOf('epoch', 16)) }, seed, portable)
}

const emptyStore = (): AuthorityStore => ({
  ...{ entries: [], revocations: [], head: undefined },
  readEntry: async () => undefined,
  appendEntries: async () => {},
  appendRevocation: async () => {},
  policy: async () => undefined,
  writePolicy: async () => {},
  writeEvidence: async (name) => name,
  hasEvidence: async () => false,
  close: async () => {},
})

/** A control plane that has these entries and these acks. */
function controlWith(entries: readonly Signed[], acks: { readonly [gateway: string]: readonly string[] }): ControlClient {
  const answers = (path: string): unknown => {
    const url = new URL(path, 'http://control.test')
    if (url.pathname.endsWith('/revocations')) return { revocations: [], next: null }
    if (url.pathname.endsWith('/acks'))
      return { acks: (acks[url.searchParams.get('gateway')!] ?? []).map((jws, id) => ({ id: id + 1, jws })) }
    const from = Number(url.searchParams.get('from'))
    const page = entries.map(({ bytes, signatures }, seq) => ({ seq, bytes: encodeBase64url(bytes), signatures })).slice(from)
    return { org: before.org, entries: page, head: { seq: entries.length - 1, hash: '' }, next: null }
  }
  return { base: '', call: async (path: string) => answers(path), url: String, sign: () => ({}) } as unknown as ControlClient
}

async function reached(acks: { readonly [gateway: string]: readonly string[] }, clock = { wall: () => now * 1000, monotonic: () => 0 }) {
  const mirror = await AuthorityMirror.open(before.org, emptyStore(), { clock, suite: portable })
  await mirror.addEntries(before.entries, () => true)
  const alarms: string[] = []
  const client = controlWith([...before.entries, late], acks)
  const sync = createAuthoritySync({
    ...{ mirror, client, suite: portable, wantsPolicy: false },
    lookAgain: (entries) => readAckedInTime({ mirror, client, self: parseAtSign('@gw-a'), clock, suite: portable }, entries),
    alarm: ({ kind }) => alarms.push(kind),
  })
  const isWhole = await sync.run()
  return { seq: mirror.snapshot.state!.seq, alarms, isWhole }
}

test('a statement past its nva waits, and alarms, while nobody has acknowledged it', async () => {
  expect(await reached({})).toEqual({ seq: lateSeq - 1, alarms: ['WAITING'], isWhole: false })
})

test('it is taken up when another enrolled gateway acknowledged it in time', async () => {
  expect(await reached({ '@gw-b': [ackBy('@gw-b')] })).toEqual({ seq: lateSeq, alarms: [], isWhole: true })
})

test.each([
  ['an ack after its nva', { '@gw-b': [ackBy('@gw-b', { at: nva + 1 })] }],
  ['an ack of the statement before', { '@gw-b': [ackBy('@gw-b', { seq: lateSeq - 1, head: before.state.head })] }],
  ['an ack of another statement at its place', { '@gw-b': [ackBy('@gw-b', { head: before.state.head })] }],
  ['an ack that another key signed', { '@gw-b': [ackBy('@gw-b', { seed: seedOf('nobody') })] }],
  ["this gateway's own ack", { '@gw-a': [ackBy('@gw-a')] }],
  ["another gateway's ack under this one's name", { '@gw-b': [ackBy('@gw-a')] }],
  ['an ack by a gateway that is not enrolled', { '@gw-c': [ackBy('@gw-c')] }],
  ['something that is no ack', { '@gw-b': ['e30.e30.e30'] }],
])('%s changes nothing: it waits', async (_, acks) => {
  expect((await reached(acks)).seq).toBe(lateSeq - 1)
})
