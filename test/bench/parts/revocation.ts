// (5) From the moment a revocation is signed until gateways refuse: at 1, 10 and 100 connected ones that verify, and through a real call
// path, until the first call that is refused.
import { encodeBase64url } from '@postern/core'
import { surroundings } from '../../fixtures/running-organisation.ts'
import { median, quantile } from '../measure.ts'
import type { PartReport, Row } from '../report.ts'
import type { Bench } from '../settings.ts'
import type { SimulatedEdges } from '../simulated-edges.ts'
import { openSimulatedEdges } from '../simulated-edges.ts'
import type { Stage } from '../stage.ts'
import { BENCH_TAG, openStage, TOOL } from '../stage.ts'
import { openAgentTarget } from '../targets.ts'

const COUNTS = [1, 10, 100]
const GOAL_MS = 1000
const GIVE_UP_MS = 15_000

export async function revocation({ isQuick, say }: Bench): Promise<PartReport> {
  await using stage = await openStage('bench-revocation')
  const rows: Row[] = []
  rows.push(await throughCalls(stage, isQuick ? 2 : 6))
  say('revocation: through calls')
  const { organisation } = stage
  const edges: Awaited<ReturnType<typeof organisation.enrolKeys<'gateway'>>>[] = []
  for (let i = 0; i < COUNTS.at(-1)!; i++) edges.push(await organisation.enrolKeys('gateway', `@edge-${i}`))
  for (const count of COUNTS) {
    await using simulated = await openSimulatedEdges(stage.control.url, edges.slice(0, count), () => organisation.state)
    rows.push(await observed(stage, simulated, count, isQuick ? 5 : 20))
    say(`revocation: ${count} gateways`)
  }
  const p95 = Number(rows.at(-1)!.values.p95_ms)
  return {
    title: '5. From signing a revocation to refusing',
    rows,
    ratios: Object.fromEntries(rows.map(({ name, values }) => [`revocation: p95, ${name} / 1 s`, Number(values.p95_ms) / GOAL_MS])),
    goals: rows.map(({ name, values }) => ({ name: `p95, ${name}`, value: Number(values.p95_ms), goal: GOAL_MS, unit: ' ms' })),
    notes: [
      `the control plane commits it durably, then pushes it to all; the simulated gateways share one process, so ${p95 > 200 ? 'much of' : 'part of'} the last row is theirs`,
    ],
  }
}

/** Revokes a grant and waits until every edge refuses it. */
async function observed({ organisation }: Stage, edges: SimulatedEdges, count: number, times: number): Promise<Row> {
  const millis: number[] = []
  for (let i = 0; i <= times; i++) {
    const grant = encodeBase64url(surroundings.random(32))
    const seen: number[] = []
    const all = new Promise<void>((resolve) => {
      edges.onRefused = (refused) => {
        if (refused === grant && seen.push(performance.now()) === count) resolve()
      }
    })
    const { signedMs } = await organisation.revoke({ kind: 'grant', id: grant })
    await all
    if (i > 0) millis.push(...seen.map((at) => at - signedMs)) // the first one warms
  }
  return {
    name: `${count} gateway${count === 1 ? '' : 's'}, simulated`,
    values: { p50_ms: median(millis), p95_ms: quantile(millis, 0.95), revocations: times },
  }
}

/** An agent that calls without pause is revoked; the clock stops at the first call that is refused. */
async function throughCalls(stage: Stage, times: number): Promise<Row> {
  const millis: number[] = []
  for (let i = 0; i <= times; i++) {
    const agent = await stage.organisation.enrolAgent(`@doomed-${i}`, { tags: [BENCH_TAG] })
    await using target = await openAgentTarget(stage, agent.atsign)
    const call = () => target.client.callTool({ name: TOOL, arguments: { text: 'still here' } })
    if ((await call()).isError) throw new Error('refused before it was revoked')
    const revoked = stage.organisation.revoke({ kind: 'enrolment', id: agent.enrolment })
    const refusedMs = await firstRefusal(call)
    const { signedMs } = await revoked
    if (i > 0) millis.push(refusedMs - signedMs)
  }
  return { name: 'calls through the real path', values: { p50_ms: median(millis), p95_ms: quantile(millis, 0.95), revocations: times } }
}

async function firstRefusal(call: () => Promise<{ readonly isError?: boolean | undefined }>): Promise<number> {
  for (const until = performance.now() + GIVE_UP_MS; performance.now() < until; ) {
    const isRefused = await call().then(
      ({ isError }) => isError === true,
      () => true,
    )
    if (isRefused) return performance.now()
  }
  throw new Error(`a revoked agent still called after ${GIVE_UP_MS / 1000} s`)
}
