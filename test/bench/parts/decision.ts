// (1) The gateway's whole decision about one tool call, against two native signature checks and against other tokens with a proof.
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { native } from '@postern/daemon'
import { Candidate, steps } from '@postern/gateway'
import type { Contestant, Plan } from '../measure.ts'
import { measure, median } from '../measure.ts'
import { importPeer, peerVersions } from '../peers.ts'
import type { PartReport } from '../report.ts'
import { figure, rowOf } from '../report.ts'
import type { Bench } from '../settings.ts'
import type { Prepared } from './decision-world.ts'
import { createDecisions } from './decision-world.ts'

type Verify = (i: number) => unknown
type Prepare = (count: number) => Promise<Verify> | Verify

const BLOCK_MS = 500
const CALLS = 400

/** Calls prepared outside the clock, in sets of `CALLS`, until the block is long enough. Each call is timed by itself. */
function contestant(name: string, prepare: Prepare): Contestant {
  return {
    name,
    async block() {
      const micros: number[] = []
      for (let spent = 0; spent < BLOCK_MS; ) {
        const check = await prepare(CALLS)
        const begin = performance.now()
        for (let i = 0; i < CALLS; i++) {
          const started = performance.now()
          const outcome = check(i)
          if (outcome instanceof Promise) await outcome
          micros.push((performance.now() - started) * 1000)
        }
        spent += performance.now() - begin
      }
      return { p50_us: median(micros) }
    },
  }
}

/** Node's own check alone, over messages as long as a grant and a call. */
function nativeVerifies(lengths: readonly number[]): Prepare {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  return (count) => {
    const signed = Array.from({ length: count }, (_, i) =>
      lengths.map((length) => {
        const message = Buffer.alloc(length, `${i} `)
        return { message, signature: sign(null, message, privateKey) }
      }),
    )
    return (i) => {
      for (const { message, signature } of signed[i]!) if (!verify(null, message, publicKey, signature)) throw new Error('not signed')
    }
  }
}

export async function decision({ isQuick, say }: Bench): Promise<PartReport> {
  const decisions = createDecisions(native)
  const { grantChars, callChars } = decisions
  const peers: readonly (readonly [name: string, file: string, prepare: string])[] = [
    ['jose DPoP', 'tokens/jose-dpop.mjs', 'prepare'],
    ['Biscuit, bearer', 'tokens/biscuit.mjs', 'prepareBearer'],
    ['Biscuit + proof', 'tokens/biscuit.mjs', 'prepare'],
    ['UCAN', 'tokens/ucan.mjs', 'prepare'],
    ['macaroon, shared secret', 'tokens/macaroon.mjs', 'prepare'],
  ]
  const loaded = await Promise.all(
    peers.map(async ([name, file, prepare]) => contestant(name, (await importPeer<Record<string, Prepare>>(file))[prepare]!)),
  )
  const contestants = [
    contestant('one native verify', nativeVerifies([callChars])),
    contestant('two native verifies', nativeVerifies([grantChars, callChars])),
    contestant('Postern, cold', decisions.cold),
    contestant('Postern, warm', decisions.warm),
    ...loaded,
  ]
  for (const { block } of contestants) await block() // compiled and warm
  const plan: Plan = { rounds: isQuick ? 3 : 9, extraRounds: isQuick ? 1 : 6, progress: (line) => say(`decision: ${line}`) }
  const results = await measure(contestants, plan)
  const of = (name: string) => results.get(name)!.values.p50_us!
  const [one, two, cold, warm] = [of('one native verify'), of('two native verifies'), of('Postern, cold'), of('Postern, warm')]
  const ratios: Record<string, number> = { 'decision: cold / two verifies': cold / two, 'decision: warm / one verify': warm / one }
  for (const [name] of peers) ratios[`decision: ${name} / cold`] = of(name) / cold
  return {
    title: '1. The decision about one call: token, proof, arguments',
    rows: [...results.values()].map(rowOf),
    ratios,
    goals: [
      { name: 'cold, in native verifies of both tokens', value: cold / two, goal: 1.25, unit: ' ×' },
      { name: 'warm, in native verifies of the call', value: warm / one, goal: 1.25, unit: ' ×' },
    ],
    notes: [stepsLine(decisions.warmInputs(2000), 'warm'), stepsLine(decisions.coldInputs(500), 'cold'), peerNote()],
  }
}

const peerNote = () => {
  const versions = peerVersions()
  const of = (...names: string[]) => names.map((name) => `${name} ${versions[name]}`).join(', ')
  return `peers: ${of('jose', '@biscuit-auth/biscuit-wasm', 'iso-ucan', 'macaroon')}; macaroon with three caveats (it crashes with four)`
}

/** Median time of each step over many calls: where the decision's time goes. */
function stepsLine({ world, inputs, now }: Prepared, what: string): string {
  const micros = new Map<string, number[]>(steps.map(({ name }) => [name, []]))
  for (const input of inputs) {
    const candidate = new Candidate(input, now)
    for (const { name, check } of steps) {
      const started = performance.now()
      if (check(candidate, world) !== undefined) throw new Error(`the bench's own call was refused at ${name}`)
      micros.get(name)!.push((performance.now() - started) * 1000)
    }
  }
  const medians = [...micros].map(([name, all]) => [name, median(all)] as const).filter(([, micro]) => micro >= 0.3)
  return `${what}, µs by step: ${medians.map(([name, micro]) => `${name} ${figure(micro)}`).join(' · ')}`
}
