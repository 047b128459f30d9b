// (2) One echo call of 64 bytes, sequential and 32 at once, by one SDK client in this process. Method: interleaved blocks of 100
// sequential calls and 200 at 32 in flight, all targets alive at once.
import { cpuMicros } from '../load.ts'
import type { Contestant, Result } from '../measure.ts'
import { measure, median, quantile } from '../measure.ts'
import { peerVersions } from '../peers.ts'
import type { Goal, PartReport } from '../report.ts'
import { figure, rowOf } from '../report.ts'
import type { Bench } from '../settings.ts'
import { openStage, TOOL } from '../stage.ts'
import type { Era, Target } from '../targets.ts'
import { eras, openTargets } from '../targets.ts'

const SEQUENTIAL = 100
const CONCURRENT = 200
const IN_FLIGHT = 32
const WARM_UP = 100
/** Fast targets repeat the set until their block is long enough to see who else used the machine. */
const BLOCK_MS = 400
const text = 'sixty-four bytes of text, echoed by the server and checked here.'

export async function calls({ isQuick, say }: Bench): Promise<PartReport> {
  await using stack = new AsyncDisposableStack()
  const stage = stack.use(await openStage('bench-calls'))
  say('calls: control plane, relay and gateway are up')
  const targets = await openTargets(stage, stack)
  say(`calls: ${targets.length} targets are connected`)
  for (const { client } of targets) for (let i = 0; i < WARM_UP; i++) await echo(client)
  for (const { client } of targets) await inFlight(client, 5 * CONCURRENT)
  const shares = new Map<string, CpuShare[]>()
  const contestants = targets.map((target) => contestantOf(target, shares))
  const plan = { rounds: isQuick ? 3 : 10, extraRounds: isQuick ? 1 : 5, progress: (line: string) => say(`calls: ${line}`) }
  const results = await measure(contestants, plan)
  return report(results, targets, shares)
}

async function echo(client: Target['client']): Promise<void> {
  const { content } = await client.callTool({ name: TOOL, arguments: { text } })
  const [first] = content as readonly { readonly text?: string }[]
  if (first?.text !== text) throw new Error(`the echo came back as ${JSON.stringify(content)}`)
}

async function inFlight(client: Target['client'], count: number): Promise<number[]> {
  const millis: number[] = []
  let left = count
  const some = async () => {
    while (left-- > 0) {
      const started = performance.now()
      await echo(client)
      millis.push(performance.now() - started)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, some))
  return millis
}

type CpuShare = Readonly<Record<string, number>>

function contestantOf(target: Target, shares: Map<string, CpuShare[]>): Contestant {
  const pids = { ...target.pids, 'this client': process.pid }
  const cpu = () => Object.values(pids).map((pid) => cpuMicros(pid) ?? 0)
  shares.set(target.name, [])
  return {
    name: target.name,
    async block() {
      const [single, many]: [number[], number[]] = [[], []]
      let [inFlightMs, calls] = [0, 0]
      const before = cpu()
      for (let spent = 0; spent < BLOCK_MS; ) {
        const begin = performance.now()
        for (let i = 0; i < SEQUENTIAL; i++) {
          const started = performance.now()
          await echo(target.client)
          single.push(performance.now() - started)
        }
        const between = performance.now()
        many.push(...(await inFlight(target.client, CONCURRENT)))
        const end = performance.now()
        inFlightMs += end - between
        spent += end - begin
        calls += SEQUENTIAL + CONCURRENT
      }
      const after = cpu()
      shares.get(target.name)!.push(Object.fromEntries(Object.keys(pids).map((name, i) => [name, (after[i]! - before[i]!) / calls])))
      return {
        p50_ms: median(single),
        p95_ms: quantile(single, 0.95),
        calls_per_s: (single.length * 1000) / single.reduce((sum, ms) => sum + ms, 0),
        '32: p50_ms': median(many),
        '32: p95_ms': quantile(many, 0.95),
        '32: calls_per_s': (many.length * 1000) / inFlightMs,
      }
    },
  }
}

function report(results: ReadonlyMap<string, Result>, targets: readonly Target[], shares: ReadonlyMap<string, CpuShare[]>): PartReport {
  const of = (name: string, value: string) => results.get(name)?.values[value] ?? Number.NaN
  const ratios: Record<string, number> = {}
  const goals: Goal[] = []
  for (const era of eras) {
    const direct = `SDK HTTP, direct, ${era}`
    for (const { name } of targets.filter((target) => target.name.endsWith(era) && target.name !== direct)) {
      ratios[`call: p50, ${name} / ${direct}`] = of(name, 'p50_ms') / of(direct, 'p50_ms')
      ratios[`call: calls/s at 32, ${name} / ${direct}`] = of(name, '32: calls_per_s') / of(direct, '32: calls_per_s')
    }
    goals.push(...goalsOf(era, ratios, direct))
  }
  const versions = peerVersions()
  const peers = ['mcp-proxy', 'supergateway', 'mcp-remote'].map((name) => `${name} ${versions[name]}`)
  return {
    title: '2. One echo call, 64 bytes, policy and journal on',
    rows: targets.map(({ name }) => rowOf(results.get(name)!)),
    ratios,
    goals,
    notes: [...[...shares].map(shareLine), journey, `peers: ${peers.join(', ')}; SDK ${versions['@modelcontextprotocol/client']}`],
  }
}

function goalsOf(era: Era, ratios: Readonly<Record<string, number>>, direct: string): Goal[] {
  const ours = `Postern, stdio, ${era}`
  return [
    { name: `p50 beside direct HTTP, ${era}`, value: ratios[`call: p50, ${ours} / ${direct}`]!, goal: 1, unit: ' ×' },
    {
      name: `calls/s at 32 beside direct HTTP, ${era}`,
      value: ratios[`call: calls/s at 32, ${ours} / ${direct}`]!,
      goal: 1,
      atLeast: true,
      unit: ' ×',
    },
  ]
}

const journey =
  'one call through Postern changes process eight times (direct HTTP: twice), is signed and verified, and so is its receipt, which the control plane verifies again; the server is the gateway’s child, its CPU is not in the lines above'

/** CPU per call in each process: on a machine whose cores are all busy, this is where the time goes. */
function shareLine([name, blocks]: [string, CpuShare[]]): string {
  const processes = Object.keys(blocks[0] ?? {})
  const mean = (process: string) => median(blocks.map((share) => share[process]!))
  return `CPU µs per call, ${name}: ${processes.map((process) => `${process} ${figure(mean(process))}`).join(' · ')}`
}
