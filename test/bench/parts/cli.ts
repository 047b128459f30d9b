// (6) What a person waits for: `postern --help`, and the second `npm start` until it is ready.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts, scripts, startNode } from '../../fixtures/processes.ts'
import { MAX_OTHER_CORES, watchOthers } from '../load.ts'
import { median } from '../measure.ts'
import type { PartReport, Row } from '../report.ts'
import type { Bench } from '../settings.ts'

const HELP_TIMES = 15
const HELP_GOAL_MS = 100
const START_GOAL_S = 5

export async function cli({ say }: Bench): Promise<PartReport> {
  const help = await timed('postern --help', HELP_TIMES, () => run(scripts.cli, ['--help']))
  const bare = await timed('node, doing nothing', HELP_TIMES, () => run('test/fixtures/empty.ts', []))
  say('cli: --help')
  const directory = await mkdtemp(join(tmpdir(), 'postern-bench-start-'))
  const starts: number[] = []
  try {
    for (let i = 0; i < 4; i++) starts.push(await secondsToReady(directory))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  const [first, ...later] = starts
  const start: Row = { name: 'npm start', values: { first_s: first!, later_s: median(later) } }
  const helpMs = Number(help.values.median_ms)
  return {
    title: '6. What a person waits for',
    rows: [help, bare, start],
    ratios: { 'cli: --help / node doing nothing': helpMs / Number(bare.values.median_ms) },
    goals: [
      { name: 'postern --help', value: helpMs, goal: HELP_GOAL_MS, unit: ' ms' },
      { name: 'second npm start until ready', value: median(later), goal: START_GOAL_S, unit: ' s' },
    ],
    notes: [`--help: median of ${HELP_TIMES}, process start included; first start: with a database to make, setup done before`],
  }
}

/** Again, a few times, while others use the machine. */
async function timed(name: string, times: number, once: () => Promise<void>): Promise<Row> {
  for (let attempt = 1; ; attempt++) {
    const others = watchOthers()
    const millis: number[] = []
    for (let i = 0; i < times; i++) {
      const started = performance.now()
      await once()
      millis.push(performance.now() - started)
    }
    const isDisturbed = (others() ?? 0) > MAX_OTHER_CORES
    if (!isDisturbed || attempt === 3) return { name, values: { median_ms: median(millis) }, blocks: 1, disturbed: isDisturbed ? 1 : 0 }
  }
}

async function run(script: string, args: readonly string[]): Promise<void> {
  const child = startNode(script, script, args)
  const code = await child.exit
  if (code !== 0) throw new Error(`${script} ${args.join(' ')} ended with ${code}:\n${child.output()}`)
}

/** From the first instruction of `npm start` to its own "ready". */
async function secondsToReady(directory: string): Promise<number> {
  const [port, relayPort] = await freePorts(2)
  const args = ['start', '--port', String(port), '--relay-port', String(relayPort), '--data', directory]
  const started = performance.now()
  await using child = startNode('npm start', 'packages/cli/bootstrap.mjs', args)
  await child.said(/ready in [\d.]+ s/, 300_000)
  return (performance.now() - started) / 1000
}
