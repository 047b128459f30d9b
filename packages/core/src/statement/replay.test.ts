import { expect, test } from 'vitest'
import { draft, found, genesisOf, grow, signStatement } from '../../../../test/fixtures/organisation.ts'
import { machineKey, passkey, recoveryKey, requestOf, signKey } from '../../../../test/fixtures/people.ts'
import { forkTree } from '../../../../test/fixtures/replay-cases.ts'
import { logs, moreLogs } from '../../../../test/fixtures/statement-cases.ts'
import { outcome, readVectors } from '../../../../test/read-vectors.ts'
import { readLogVectors } from '../../../../test/statement-vectors.ts'
import { parseAtSign } from '../key/atsign.ts'
import { keyIdOf } from '../key/public-key.ts'
import type { SignedJson } from '../key/signature.ts'
import { decodeSigned } from '../key/signature.ts'
import { portableSignatures as suite } from '../key/suite.ts'
import { admitEntries } from './admit.ts'
import { applyStatement, neededFor, replay, startState } from './replay.ts'
import type { State } from './state.ts'
import { liveKey } from './state.ts'
import { stateHash } from './state-hash.ts'

type WholeLog = { org: string; entries: readonly SignedJson[]; seq?: number; head?: string; state_hash?: string }
test.each(readVectors<WholeLog>('replay/log.json'))(
  'a whole log: $name → $expect',
  ({ org, entries, expect: code, seq, head, state_hash }) => {
    let state: State | undefined
    const got = outcome(() => {
      state = replay(
        org,
        entries.map((entry) => decodeSigned(entry)),
        suite,
      )
    })
    expect(got).toBe(code)
    if (state) expect({ seq: state.seq, head: state.head, state_hash: stateHash(state) }).toEqual({ seq, head, state_hash })
  },
)

type Arrival = {
  log: string
  entries: readonly SignedJson[]
  now: number
  acked: readonly number[]
  applied: number
  waiting?: string
  refused?: string
  halted?: boolean
}
const { vectors, stateOf } = readLogVectors<Arrival>('replay/admit.json')
test.each(vectors)('entries that arrive: $name', ({ log, entries, now, acked, applied, waiting, refused, halted }) => {
  const before = stateOf(log)
  const ackedInTime = (seq: number) => acked.some((known) => seq <= known)
  const got = admitEntries(
    before,
    entries.map((entry) => decodeSigned(entry)),
    { now, suite, ackedInTime },
  )
  expect({ applied: got.applied, waiting: got.waiting, refused: got.refused?.code, halted: got.state.halted && true }).toEqual({
    applied,
    waiting,
    refused,
    halted,
  })
  expect(got.state.seq).toBe(before.seq + applied)
})

test('two sides of a fork agree up to the fork and on nothing after it', () => {
  expect(replay(forkTree.A.org, forkTree.C.entries.slice(0, 2), suite)).toEqual(
    replay(forkTree.A.org, forkTree.Y.entries.slice(0, 2), suite),
  )
  expect(forkTree.B.state.head).not.toBe(forkTree.X.state.head)
  expect(stateHash(forkTree.B.state)).not.toBe(stateHash(forkTree.X.state))
})

test('entries in one run or one by one give the same state', () => {
  const { one, fleet } = logs
  const arrived = fleet.entries.slice(1)
  const clock = { now: fleet.state.at, suite }
  const stepwise = arrived.reduce((state, entry) => admitEntries(state, [entry], clock).state, one.state)
  expect(stepwise).toEqual(admitEntries(one.state, arrived, clock).state)
})

test('a suite that breaks is no refusal: the fault goes on', () => {
  const broken = { ...suite, verifyEd25519: () => { throw new RangeError('out of memory') } } // biome-ignore format: one line
  expect(() => startState(genesisOf(), found().org, broken)).toThrow(RangeError)
  const next = draft(found(), 'policy.set', { sha256: found().org, name: 'main' })
  expect(() => admitEntries(found().state, [next], { now: next.bytes.length, suite: broken })).toThrow(RangeError)
})

test('neededFor says who must sign a genesis, and who has', () => {
  const genesis = genesisOf({ admins: ['@ana', '@ben'] })
  expect(neededFor({ ...genesis, signatures: [] }, undefined, suite)).toMatchObject({
    class: 'genesis',
    complete: false,
    parts: [{ why: 'possession', met: false }, { why: 'possession' }, { why: 'recovery' }],
  })
  expect(neededFor(genesis, undefined, suite).complete).toBe(true)
})

test('neededFor says class, threshold before and after, kinds and who has signed', () => {
  const { mixed, two } = logs
  const byBen = draft(two, 'admin.remove', { atsign: parseAtSign('@ana') }, { by: [signKey('@ben')] })
  expect(outcome(() => neededFor(byBen, two.state, suite))).toBe('THRESHOLD_UNREACHABLE')
  const change = draft(two, 'threshold.set', { thresholds: two.state.thresholds }, { by: [signKey('@ben'), signKey('@eve')] })
  const part = { by: 'admins', class: 'root', m: 2, missingKinds: [], candidates: ['@ana', '@ben'], signed: ['@ben'], met: false }
  expect(neededFor(change, two.state, suite)).toEqual({
    class: 'root',
    complete: false,
    parts: [
      { ...part, when: 'before' },
      { ...part, when: 'after' },
    ],
  })
  const policy = draft(mixed, 'policy.set', { sha256: mixed.org, name: 'main' }, { by: [signKey('@ana')] })
  expect(neededFor(policy, mixed.state, suite).parts).toMatchObject([{ m: 1, signed: ['@ana'], missingKinds: ['passkey'], met: false }])
  const complete = signStatement(policy.bytes, [passkey('@cy phone')])
  expect(neededFor(complete, mixed.state, suite).complete).toBe(true)
})

test('neededFor names particular keys by what they are needed for', () => {
  const { one } = logs
  const set = draft(one, 'recovery.set', { key: recoveryKey(2).publicKey }, { by: [signKey('@ana'), recoveryKey()] })
  expect(neededFor(set, one.state, suite).parts).toMatchObject([
    { by: 'admins', met: true },
    { by: 'key', why: 'recovery', met: true },
    { by: 'key', why: 'new-recovery', met: false },
  ])
})

test('more signatures than a carrier may have are refused before one is verified', () => {
  const next = draft(found(), 'policy.set', { sha256: found().org, name: 'main' })
  const many = { ...next, signatures: Array.from({ length: 65 }, () => next.signatures[0]!) }
  expect(outcome(() => applyStatement(found().state, many, suite))).toBe('TOO_LARGE')
})

test('liveKey gives a key to its name and use only, and only while it is live', () => {
  const { fleet } = logs
  const [bot, kid] = [parseAtSign('@bot'), keyIdOf(machineKey('@bot', 'call').publicKey)]
  expect(liveKey(fleet.state, bot, kid, 'call')).toEqual(machineKey('@bot', 'call').publicKey)
  expect(liveKey(fleet.state, bot, kid, 'auth')).toBeUndefined()
  expect(liveKey(fleet.state, parseAtSign('@gw'), kid, 'call')).toBeUndefined()
  expect(liveKey(moreLogs.rotated.state, bot, kid, 'call')).toBeUndefined()
})

test('states share nothing that changes: applying a statement leaves the state before as it was', () => {
  const { one } = logs
  const hash = stateHash(one.state)
  grow(one, 'admin.add', requestOf(one.org, 'person', '@zoe'))
  expect(stateHash(one.state)).toBe(hash)
})
