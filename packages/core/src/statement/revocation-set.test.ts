import fc from 'fast-check'
import { expect, test } from 'vitest'
import { grow, revocation } from '../../../../test/fixtures/organisation.ts'
import { requestOf } from '../../../../test/fixtures/people.ts'
import { revocationCases } from '../../../../test/fixtures/revocation-cases.ts'
import { logs } from '../../../../test/fixtures/statement-cases.ts'
import { outcome, readVectors } from '../../../../test/read-vectors.ts'
import { readLogVectors } from '../../../../test/statement-vectors.ts'
import { decodeBase64url } from '../bytes/base64url.ts'
import { parseAtSign } from '../key/atsign.ts'
import type { Signed, SignedJson } from '../key/signature.ts'
import { decodeSigned } from '../key/signature.ts'
import { portableSignatures as suite } from '../key/suite.ts'
import type { RevocationQuery } from './is-revoked.ts'
import { isRevoked } from './is-revoked.ts'
import { applyStatement } from './replay.ts'
import { encodeRevocation, parseRevocation, revocationHash } from './revocation.ts'
import type { RevocationSet } from './revocation-set.ts'
import { addRevocation, emptyRevocations, missingFrom, unnamedIn } from './revocation-set.ts'
import { standingOf } from './standing.ts'
import type { State } from './state.ts'

test.each(readVectors<{ bytes: string; hash?: string }>('revocation/parse.json'))(
  'parsing: $name → $expect',
  ({ bytes, expect: code, hash }) => {
    const signed = decodeBase64url(bytes)
    expect(outcome(() => parseRevocation(signed))).toBe(code)
    if (hash) expect(revocationHash(signed)).toBe(hash)
    if (hash) expect(encodeRevocation(parseRevocation(signed))).toEqual(signed)
  },
)

type Story = {
  log: string
  revocations: readonly (SignedJson & { expect: string })[]
  queries: readonly { query: RevocationQuery; now: number; revoked: boolean }[]
}
const { vectors, stateOf } = readLogVectors<Story>('revocation/set.json')
test.each(vectors)('$name', ({ log, revocations, queries }) => {
  const state = stateOf(log)
  let set = emptyRevocations()
  for (const { expect: code, bytes, signatures } of revocations) {
    const signed = decodeSigned({ bytes, signatures })
    expect(
      outcome(() => {
        set = addRevocation(set, signed, state, suite)
      }),
    ).toBe(code)
  }
  for (const { query, now, revoked } of queries) {
    expect(isRevoked(set, state, query, now) !== undefined, JSON.stringify(query)).toBe(revoked)
  }
})

const { fleet } = logs
const bot = { kind: 'enrolment', id: fleet.state.identities.get(parseAtSign('@bot'))!.enrolment } as const
const pool: readonly Signed[] = revocationCases
  .filter(({ branch, revocations }) => branch === fleet && revocations.every(({ expect: code }) => code === 'ok'))
  .flatMap(({ revocations }) => revocations.map(({ signed }) => signed))
const addAll = (set: RevocationSet, all: readonly Signed[], state: State = fleet.state) =>
  all.reduce((held, signed) => addRevocation(held, signed, state, suite), set)
const hashes = (set: RevocationSet) => [...set.held.keys()].sort()
const some = fc.array(fc.constantFrom(...pool), { maxLength: 12 })

test('the set is commutative and idempotent: any order, any repetition, the same set and the same answers', () => {
  const names = [...fleet.state.identities.keys()]
  fc.assert(
    fc.property(some, fc.infiniteStream(fc.nat()), (all, noise) => {
      const shuffled = [...all, ...all].map((signed) => ({ signed, key: noise.next().value as number })).sort((a, b) => a.key - b.key)
      const [one, other] = [
        addAll(emptyRevocations(), all),
        addAll(
          emptyRevocations(),
          shuffled.map(({ signed }) => signed),
        ),
      ]
      expect(hashes(other)).toEqual(hashes(one))
      for (const atsign of names) expect(!isRevoked(other, fleet.state, { atsign }, 0)).toBe(!isRevoked(one, fleet.state, { atsign }, 0))
    }),
    { numRuns: 40 },
  )
})

test('the set only grows, and a set is never changed by adding to it', () => {
  fc.assert(
    fc.property(some, some, (first, more) => {
      const before = addAll(emptyRevocations(), first)
      const held = hashes(before)
      expect(hashes(addAll(before, more))).toEqual(expect.arrayContaining(held))
      expect(hashes(before)).toEqual(held)
    }),
    { numRuns: 40 },
  )
})

test('chain state never depends on revocations: a revoked administrator still signs', () => {
  const ana = { kind: 'enrolment', id: fleet.state.identities.get(parseAtSign('@ana'))!.enrolment } as const
  expect(isRevoked(addAll(emptyRevocations(), [revocation(fleet, ana)]), fleet.state, { atsign: parseAtSign('@ana') }, 0)).toBeDefined()
  const next = grow(fleet, 'policy.set', { sha256: fleet.org, name: 'main' })
  expect(applyStatement(fleet.state, next.entries.at(-1)!, suite)).toEqual(next.state)
})

test('the statement after a revocation names it, and an edge without it knows that it lacks it', () => {
  const signed = revocation(fleet, bot)
  const set = addAll(emptyRevocations(), [signed])
  const hash = revocationHash(signed.bytes)
  expect(unnamedIn(set, fleet.state)).toEqual([hash])
  const { state } = grow(fleet, 'policy.set', { sha256: fleet.org, name: 'main' }, { rev: unnamedIn(set, fleet.state) })
  expect(missingFrom(emptyRevocations(), state)).toEqual([hash])
  expect(missingFrom(set, state)).toEqual([])
  expect(unnamedIn(set, state)).toEqual([])
})

test('more signatures than a carrier may have are refused', () => {
  const signed = revocation(fleet, bot)
  const many = { ...signed, signatures: Array.from({ length: 65 }, () => signed.signatures[0]!) }
  expect(outcome(() => addRevocation(emptyRevocations(), many, fleet.state, suite))).toBe('TOO_LARGE')
})

test('a suite that breaks is no refusal of a revocation: the fault goes on', () => {
  const broken = {
    ...suite,
    verifyEd25519: () => {
      throw new RangeError('out of memory')
    },
  }
  expect(() => addRevocation(emptyRevocations(), revocation(fleet, bot), fleet.state, broken)).toThrow(RangeError)
})

test('standing: enrolled, lease, revocation and owner, each with its reason', () => {
  const at = parseAtSign('@bot')
  const none = emptyRevocations()
  const end = fleet.state.identities.get(at)!.exp!
  expect(standingOf(fleet.state, none, at, end - 1)).toMatchObject({ ok: true, identity: { atsign: '@bot' } })
  expect(standingOf(fleet.state, none, at, end)).toEqual({ ok: false, reason: 'EXPIRED' })
  expect(standingOf(fleet.state, none, parseAtSign('@eve'), 0)).toEqual({ ok: false, reason: 'NOT_ENROLLED' })
  expect(standingOf(fleet.state, addAll(none, [revocation(fleet, bot)]), at, 0)).toMatchObject({
    ok: false,
    reason: 'REVOKED',
    revocation: { target: bot },
  })
  const adopted = grow(fleet, 'admin.add', requestOfBen())
  const owned = grow(adopted, 'agent.enroll', { ...requestOfAgent(), owner: parseAtSign('@ben') })
  expect(standingOf(owned.state, none, parseAtSign('@ben-bot'), 0).ok).toBe(true)
  const orphan = grow(owned, 'admin.remove', { atsign: parseAtSign('@ben') })
  expect(standingOf(orphan.state, none, parseAtSign('@ben-bot'), 0)).toEqual({ ok: false, reason: 'OWNER_GONE' })
})

const requestOfBen = () => requestOf(fleet.org, 'person', '@ben')
const requestOfAgent = () => ({ ...requestOf(fleet.org, 'agent', '@ben-bot'), exp: fleet.state.at + 86_400, tags: [] })
