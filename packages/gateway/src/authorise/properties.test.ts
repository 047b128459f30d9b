// Invariants 7 and 8 of the protocol, at the one place that decides. Across processes: test/integration/gateway-crash.test.ts.
import { encodeBase64url, parseAtSign } from '@postern/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decisionWorld, now } from '../../../../test/fixtures/gateway/decision.ts'
import { seedOf } from '../../../../test/fixtures/people.ts'
import { createAuthoriser } from './authorise.ts'
import { createRates } from './rates.ts'
import { createGrantUses } from './uses.ts'

type Action =
  | { kind: 'call'; grant: number; n: number; again: boolean }
  | { kind: 'restart' }
  | { kind: 'revoke grant'; grant: number }
  | { kind: 'revoke agent' }

const grants = 3
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('call' as const),
      grant: fc.nat(grants - 1),
      n: fc.integer({ min: 1, max: 80 }),
      again: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('revoke grant' as const), grant: fc.nat(grants - 1) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'revoke agent' as const }) },
)

function play(actions: readonly Action[], max: number) {
  const w = decisionWorld()
  const held = Array.from({ length: grants }, () => w.grant({ max }))
  const inputs = new Map<string, ReturnType<typeof w.input>>()
  const runs: { grant: number; n: number; afterRevocation: boolean; ofEpoch: number }[] = []
  const revoked = new Set<number>()
  let authoriser = w.authoriser
  let isAgentRevoked = false
  let epoch = 0
  for (const one of actions) {
    if (one.kind === 'restart') {
      epoch += 1
      w.known.epoch = encodeBase64url(seedOf(`epoch ${epoch}`).subarray(0, 16))
      authoriser = createAuthoriser({ ...w.world, uses: createGrantUses(), rates: createRates() }) // memory is gone
    } else if (one.kind === 'revoke grant') {
      revoked.add(one.grant)
      w.known.revokedGrants.add(held[one.grant]!.hash)
    } else if (one.kind === 'revoke agent') {
      isAgentRevoked = true
      w.known.agents.delete(parseAtSign('@bot'))
    } else {
      const key = `${one.grant} ${one.n}`
      const input = (one.again && inputs.get(key)) || w.input(held[one.grant]!, one.n)
      inputs.set(key, input)
      if (authoriser.decide(input, now).effect !== 'run') continue
      runs.push({ ...one, afterRevocation: isAgentRevoked || revoked.has(one.grant), ofEpoch: epoch })
    }
  }
  return runs
}

const scenario = fc.array(action, { maxLength: 60 })

test('each (grant, n) runs at most once, and totals stay within max, across interleavings, retries and restarts', () => {
  fc.assert(
    fc.property(scenario, fc.integer({ min: 1, max: 20 }), (actions, max) => {
      const runs = play(actions, max)
      expect(new Set(runs.map(({ grant, n }) => `${grant} ${n}`)).size).toBe(runs.length)
      for (let grant = 0; grant < grants; grant++) expect(runs.filter((run) => run.grant === grant).length).toBeLessThanOrEqual(max)
      expect(runs.every(({ ofEpoch }) => ofEpoch === 0)).toBe(true) // a grant of an earlier run is void
    }),
    { numRuns: 60 },
  )
})

test('after a revocation was applied, nothing under it runs', () => {
  fc.assert(
    fc.property(scenario, (actions) => {
      expect(play(actions, 100).filter(({ afterRevocation }) => afterRevocation)).toEqual([])
    }),
    { numRuns: 60 },
  )
})
