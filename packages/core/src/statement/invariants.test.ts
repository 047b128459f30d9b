// The invariants of the authority log as properties over random logs: no forgery, deterministic, minimal sets of signatures, canonical.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Branch, Signing, Step } from '../../../../test/fixtures/organisation.ts'
import { append, draft, found, grow, solo } from '../../../../test/fixtures/organisation.ts'
import type { TestKey } from '../../../../test/fixtures/people.ts'
import { machineKey, recoveryKey, requestOf, seedOf, signKey } from '../../../../test/fixtures/people.ts'
import { statementCases } from '../../../../test/fixtures/statement-cases.ts'
import { encodeBase64url } from '../bytes/base64url.ts'
import { encodeCanonical, parseSigned } from '../bytes/canonical.ts'
import { VerifyError } from '../errors.ts'
import { parseAtSign } from '../key/atsign.ts'
import { NAMESPACES } from '../key/sshsig.ts'
import { portableSignatures as suite } from '../key/suite.ts'
import { admitEntries } from './admit.ts'
import { applyStatement, neededFor, replay } from './replay.ts'
import type { State } from './state.ts'
import { adminsOf } from './state.ts'
import { stateHash } from './state-hash.ts'

const DAY = 86_400
const PEOPLE = ['@ana', '@ben', '@cy'] as const
const refusedOr = <T>(run: () => T): T | undefined => {
  try {
    return run()
  } catch (error) {
    if (error instanceof VerifyError) return undefined
    throw error
  }
}

/** One attempt at the next statement: some operation, signed by some people, rightly or not. */
type Attempt = { readonly op: keyof typeof OPERATIONS; readonly by: readonly string[]; readonly n: number }
const who = (n: number) => PEOPLE[n % 3]!
const OPERATIONS = {
  add: (b: Branch, n: number, s: Signing) => draft(b, 'admin.add', requestOf(b.org, 'person', who(n)), s),
  remove: (b: Branch, n: number, s: Signing) => draft(b, 'admin.remove', { atsign: parseAtSign(who(n)) }, s),
  threshold: (b: Branch, n: number, s: Signing) =>
    draft(b, 'threshold.set', { thresholds: { ...solo, root: { m: (n % 3) + 1 }, routine: { m: ((n >> 2) % 3) + 1 } } }, s),
  policy: (b: Branch, n: number, s: Signing) => draft(b, 'policy.set', { sha256: encodeBase64url(seedOf(`policy ${n}`)), name: 'main' }, s),
  agent: (b: Branch, n: number, s: Signing) =>
    draft(b, 'agent.enroll', { ...requestOf(b.org, 'agent', `@bot-${n % 4}`, { generation: n }), exp: b.state.at + DAY, tags: [] }, s),
  rotate: (b: Branch, n: number, { by = [] }: Signing) =>
    draft(b, 'identity.rotate', requestOf(b.org, 'agent', `@bot-${n % 4}`, { generation: n + 100 }), {
      by: [...by, ...Array.from({ length: 4 }, (_, g) => machineKey(`@bot-${n % 4}`, 'call', 4 * g + (n % 4)))],
    }),
  recover: (b: Branch, n: number, { by = [] }: Signing) =>
    draft(
      b,
      'recovery.use',
      { admins: [{ atsign: parseAtSign(who(n)), keys: [signKey(who(n)).publicKey] }], thresholds: solo, recovery: recoveryKey().publicKey },
      { by: n % 2 === 0 ? [...by, recoveryKey()] : by },
    ),
}
const attempt: fc.Arbitrary<Attempt> = fc.record({
  op: fc.constantFrom(...(Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[])),
  by: fc.uniqueArray(fc.constantFrom(...PEOPLE, '@eve')),
  n: fc.nat({ max: 15 }),
})
const attempts = fc.array(attempt, { minLength: 1, maxLength: 10 })
const signedBy = (names: readonly string[]): readonly TestKey[] => names.map((name) => signKey(name))
const draftOf = (branch: Branch, { op, by, n }: Attempt) => OPERATIONS[op](branch, n, { by: signedBy(by) })
/** Tries each attempt at the head; what is refused leaves no trace. */
const base = found()
const play = (all: readonly Attempt[], start = base): Branch =>
  all.reduce((branch, one) => refusedOr(() => append(branch, draftOf(branch, one))) ?? branch, start)

/** What a threshold of `before` means, counted anew from the signatures, without the code under test. */
function signersOf(before: State, by: readonly string[]): readonly string[] {
  return by.filter((name) => adminsOf(before).some(({ atsign }) => atsign === name))
}

test('1 no forgery: whatever was applied met the threshold of the state before, and root operations that of the state after', () => {
  const classes = { add: 'root', remove: 'root', threshold: 'root', policy: 'sensitive', agent: 'routine' } as const
  fc.assert(
    fc.property(attempts, attempt, (history, last) => {
      const branch = play(history)
      const after = refusedOr(() => append(branch, draftOf(branch, last)))?.state
      if (!after) return
      expect(after.seq).toBe(branch.state.seq + 1)
      if (last.op === 'recover') return void expect(last.n % 2).toBe(0)
      if (last.op === 'rotate') return void expect(branch.state.identities.get(parseAtSign(`@bot-${last.n % 4}`))).toBeDefined()
      const of = classes[last.op]
      expect(signersOf(branch.state, last.by).length).toBeGreaterThanOrEqual(branch.state.thresholds[of].m)
      if (of === 'root') expect(signersOf(after, last.by).length).toBeGreaterThanOrEqual(after.thresholds.root.m)
    }),
    { numRuns: 60 },
  )
})

test('1 no forgery: a state is always reachable, and nobody is locked out of any threshold', () => {
  fc.assert(
    fc.property(attempts, (history) => {
      const { state } = play(history)
      for (const { m } of Object.values(state.thresholds)) expect(adminsOf(state).length).toBeGreaterThanOrEqual(m)
    }),
    { numRuns: 25 },
  )
})

test('2 deterministic: the same log gives the same state hash, replayed whole, in pieces, at any honest time, on any clock', () => {
  fc.assert(
    fc.property(attempts, fc.nat({ max: 10 }), fc.integer({ min: 0, max: 3_600 }), (history, cut, late) => {
      const start = base
      const branch = play(history, start)
      const rest = branch.entries.slice(1)
      const clock = { now: branch.state.at + late, suite }
      const first = admitEntries(start.state, rest.slice(0, cut), clock)
      const second = admitEntries(first.state, rest.slice(cut), clock)
      expect(stateHash(second.state)).toBe(stateHash(branch.state))
      expect(stateHash(replay(branch.org, branch.entries, suite))).toBe(stateHash(branch.state))
    }),
    { numRuns: 20 },
  )
})

test('2 monotone: seq and at never fall, and the head at a seq is the hash of that statement', () => {
  fc.assert(
    fc.property(attempts, (history) => {
      let branch = base
      for (const one of history) {
        const next = play([one], branch)
        expect(next.state.seq - branch.state.seq).toBe(next.entries.length - branch.entries.length)
        expect(next.state.at).toBeGreaterThanOrEqual(branch.state.at)
        if (next.state.seq === branch.state.seq) expect(next.state).toBe(branch.state)
        branch = next
      }
    }),
    { numRuns: 20 },
  )
})

const accepted = statementCases.filter(({ expect: code }) => code === 'ok')
const anyAccepted = fc.constantFrom(...accepted)

test('3 a minimal set of signatures: dropping any one that is needed refuses', () => {
  for (const { branch, next, name } of accepted) {
    next.signatures.forEach((_, i) => {
      const signatures = next.signatures.filter((_, k) => k !== i)
      const stillComplete = neededFor({ ...next, signatures }, branch.state, suite).complete
      const applied = refusedOr(() => applyStatement(branch.state, { ...next, signatures }, suite)) !== undefined
      expect(applied, name).toBe(stillComplete)
    })
    expect(
      refusedOr(() => applyStatement(branch.state, { ...next, signatures: [] }, suite)),
      name,
    ).toBeUndefined()
  }
})

test('3 repeating, reordering or mauling signatures, and adding anybody’s, changes nothing', () => {
  fc.assert(
    fc.property(anyAccepted, fc.infiniteStream(fc.nat()), fc.nat({ max: 3 }), ({ branch, next }, noise, extra) => {
      const random = () => noise.next().value as number
      const foreign = ['@eve', '@ana', '@dan', '@ben'].slice(0, extra).map((name) => signKey(name).sign('postern-statement-v1', next.bytes))
      const mauled = next.signatures.map((signature) => ({ ...signature, sig: foreignSig(signature.sig, random()) }))
      const signatures = [...next.signatures, ...next.signatures, ...mauled, ...foreign]
      const shuffled = signatures.map((one) => ({ one, key: random() })).sort((a, b) => a.key - b.key)
      const plain = applyStatement(branch.state, next, suite)
      expect(stateHash(applyStatement(branch.state, { ...next, signatures: shuffled.map(({ one }) => one) }, suite))).toBe(stateHash(plain))
    }),
    { numRuns: 60 },
  )
})

/** The same signature with one character changed. */
function foreignSig(sig: string, random: number): string {
  const at = random % (sig.length - 1)
  return `${sig.slice(0, at)}${sig[at] === 'A' ? 'B' : 'A'}${sig.slice(at + 1)}`
}

test('4 canonical: what is accepted re-encodes to itself, and no changed byte of a signed statement is accepted', () => {
  fc.assert(
    fc.property(anyAccepted, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ branch, next }, position, change) => {
      expect(encodeCanonical(parseSigned(next.bytes))).toEqual(next.bytes)
      const at = position % next.bytes.length
      const bytes = next.bytes.with(at, next.bytes[at]! ^ change)
      expect(refusedOr(() => applyStatement(branch.state, { ...next, bytes }, suite))).toBeUndefined()
    }),
    { numRuns: 300 },
  )
})

test('5 domain separation: a signature for anything else than a statement counts for none', () => {
  for (const namespace of NAMESPACES.filter((other) => other !== 'postern-statement-v1')) {
    const branch = found()
    const next = draft(branch, 'policy.set', { sha256: branch.org, name: 'main' })
    const signatures = [signKey('@ana').sign(namespace, next.bytes)]
    expect(refusedOr(() => applyStatement(branch.state, { ...next, signatures }, suite))).toBeUndefined()
  }
})

test('10 liveness: honest people in order have every valid statement applied', () => {
  const steps: readonly Step[] = [
    (b) => grow(b, 'admin.add', requestOf(b.org, 'person', '@ben')),
    (b) => grow(b, 'threshold.set', { thresholds: { ...solo, root: { m: 2 } } }, { by: signedBy(['@ana', '@ben']) }),
    (b) => grow(b, 'admin.add', requestOf(b.org, 'person', '@cy'), { by: signedBy(['@ana', '@ben']) }),
    (b) => grow(b, 'admin.remove', { atsign: parseAtSign('@ana') }, { by: signedBy(['@ben', '@cy']) }),
    (b) => grow(b, 'policy.set', { sha256: b.org, name: 'main' }, { by: signedBy(['@cy']) }),
  ]
  const branch = steps.reduce((before, step) => step(before), found())
  const clock = { now: branch.state.at, suite }
  expect(admitEntries(found().state, branch.entries.slice(1), clock)).toEqual({ state: branch.state, applied: steps.length })
})
