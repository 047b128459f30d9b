// npm run bench: Postern beside what it is compared with, in one run on one machine. Nothing is asserted; goals are printed as reached or
// not, and for those that are not, where the time goes. test/bench/baseline.json keeps the ratios.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machineFacts, versionFacts } from './machine.ts'
import { calls } from './parts/calls.ts'
import { cli } from './parts/cli.ts'
import { decision } from './parts/decision.ts'
import { grants } from './parts/grants.ts'
import { relay } from './parts/relay.ts'
import { revocation } from './parts/revocation.ts'
import { installPeers } from './peers.ts'
import type { Baseline, PartReport } from './report.ts'
import { isReached, printChanges, printPart } from './report.ts'
import type { Bench } from './settings.ts'
import { readSettings, usage } from './settings.ts'

const parts: Readonly<Record<string, (bench: Bench) => Promise<PartReport>>> = { decision, calls, grants, relay, revocation, cli }
const baselineFile = join(import.meta.dirname, 'baseline.json')

async function main(args: readonly string[]): Promise<number> {
  const settings = readSettings(args, Object.keys(parts))
  if (settings.isHelp) return print(usage)
  const started = performance.now()
  const seconds = () => Math.round((performance.now() - started) / 1000)
  const say = (line: string) => void process.stderr.write(`[${String(seconds()).padStart(3)} s] ${line}\n`)
  await installPeers(say)

  const reports: Record<string, PartReport> = {}
  const failed: Record<string, string> = {}
  for (const [name, part] of Object.entries(parts)) {
    if (settings.only.length > 0 && !settings.only.includes(name)) continue
    say(`${name} …`)
    try {
      reports[name] = await part({ isQuick: settings.isQuick, say })
      if (!settings.isJson) print(printPart(reports[name]))
    } catch (error) {
      failed[name] = error instanceof Error ? (error.stack ?? error.message) : String(error)
      say(`${name} failed: ${failed[name]}`)
    }
  }
  const ratios = Object.assign({}, ...Object.values(reports).map((report) => report.ratios)) as Record<string, number>
  if (settings.isJson) print(JSON.stringify(documentOf(reports, ratios, failed, seconds()), null, 1))
  else print(summaryOf(seconds()))
  if (settings.isCompare) settings.isJson ? say(compare(ratios)) : print(compare(ratios))
  if (settings.isWriteBaseline) writeBaseline(ratios, say)
  return Object.keys(failed).length > 0 ? 1 : 0
}

function documentOf(
  reports: Readonly<Record<string, PartReport>>,
  ratios: Readonly<Record<string, number>>,
  failed: Readonly<Record<string, string>>,
  tookSeconds: number,
) {
  const withVerdict = Object.entries(reports).map(([name, report]) => {
    const goals = report.goals.map((goal) => ({ ...goal, reached: isReached(goal) }))
    return [name, { ...report, goals }] as const
  })
  return {
    machine: machineFacts(),
    versions: versionFacts(),
    took_seconds: tookSeconds,
    parts: Object.fromEntries(withVerdict),
    ratios,
    failed,
  }
}

function summaryOf(tookSeconds: number): string {
  const line = (facts: Record<string, string | number>) => Object.entries(facts).map(([name, value]) => `${name} ${value}`)
  return `machine: ${line(machineFacts()).join(' · ')}\nversions: ${line(versionFacts()).join(' · ')}\ntook ${tookSeconds} s`
}

const readBaseline = (): Baseline | undefined => {
  try {
    return JSON.parse(readFileSync(baselineFile, 'utf8')) as Baseline
  } catch {
    return undefined
  }
}

function compare(ratios: Readonly<Record<string, number>>): string {
  const baseline = readBaseline()
  return baseline ? printChanges(baseline, ratios) : 'there is no test/bench/baseline.json yet: --write-baseline makes it'
}

/** Parts that were not measured keep what stands there. */
function writeBaseline(ratios: Readonly<Record<string, number>>, say: (line: string) => void): void {
  const rounded = Object.fromEntries(Object.entries(ratios).map(([name, value]) => [name, Number(value.toPrecision(3))]))
  const about = 'Ratios of one run of `npm run bench`; absolute values are the machine’s. `npm run bench -- --compare` prints the change.'
  const baseline: Baseline = { about, machine: machineFacts(), ratios: { ...readBaseline()?.ratios, ...rounded } }
  writeFileSync(baselineFile, `${JSON.stringify(baseline, null, 2)}\n`)
  say('wrote test/bench/baseline.json')
}

function print(text: string): 0 {
  process.stdout.write(`${text}\n`)
  return 0
}

console.log = console.error // some peers greet on stdout, which is ours
// Leaving in order ends the children and removes the directories (fixtures/processes.ts).
process.on('SIGINT', () => process.exit(130)).on('SIGTERM', () => process.exit(143))
process.exitCode = await main(process.argv.slice(2))
