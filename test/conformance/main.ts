// npm run conformance: the official suite against connector → relay → gateway → our fixture server, with policy, grants and receipts in the
// path. --json prints one line of results; --keep=<directory> keeps what the suite wrote. Fails on whatever is not in expected-failures.json,
// and on what is in it and passes.
import { globSync, readFileSync } from 'node:fs'
import { mkdir, mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { openFullWorld } from '../fixtures/connector/full-world.ts'
import { killAll, scripts, startNode } from '../fixtures/processes.ts'
import type { Outcome, Outcomes } from './suite.ts'
import { installSuite, requiredOf, runServer } from './suite.ts'

const fixture = join(import.meta.dirname, '../fixtures/mcp/stdio.mjs')
const policy = {
  v: 1,
  name: 'conformance',
  rules: [{ id: 'all', who: ['@bot'], servers: ['tools'], tools: ['*'], effect: 'allow', limits: { ttl_seconds: 600 } }],
  beyond_tools: [
    {
      who: ['@bot'],
      servers: ['tools'],
      resources: ['*'],
      prompts: ['*'],
      methods: ['tasks/get', 'tasks/update', 'tasks/cancel'],
    },
  ],
}
const revisions = ['2025-11-25', '2026-07-28'] as const

/** Set → scenarios, each as `required` or not. */
type Report = Readonly<Record<string, { readonly required: readonly string[]; readonly outcomes: Outcomes }>>

async function measure(output: string): Promise<Report> {
  await using world = await openFullWorld([process.execPath, fixture], policy)
  const { env, path } = world.home
  const connector = startNode('connector', scripts.connector, ['--agent', '@bot', '--server', 'tools', '--http', '0'], { env })
  try {
    const [, base] = await connector.said(/serves tools on (http:\/\/\S+?)["\s]/)
    const [file] = globSync('**/http-token', { cwd: path })
    const url = `${base}/${readFileSync(join(path, file!), 'utf8').trim()}` // the suite can send no header
    const report: Record<string, Report[string]> = {}
    for (const revision of revisions) {
      const outcomes = await runServer('alpha', url, ['--requirements', revision], join(output, revision))
      report[revision] = { required: await requiredOf(revision), outcomes }
    }
    const outcomes = await runServer('old', url, ['--suite', 'active'], join(output, '0.1.16'))
    return { ...report, '0.1.16': { required: [...outcomes.keys()], outcomes } }
  } finally {
    await connector.stop()
  }
}

const passes = (outcome: Outcome | undefined) => outcome === 'passed' || outcome === 'warning'
const share = (names: readonly string[], outcomes: Outcomes) =>
  `${names.filter((name) => passes(outcomes.get(name))).length}/${names.length}`
const extrasOf = ({ required, outcomes }: Report[string]) => [...outcomes.keys()].filter((name) => !required.includes(name)).sort()

function asJson(report: Report): string {
  const sets = Object.entries(report)
  const shares = Object.fromEntries(sets.map(([set, { required, outcomes }]) => [set, share(required, outcomes)]))
  const extras = sets.flatMap(([set, part]) => extrasOf(part).map((name) => [`${set}/${name}`, part.outcomes.get(name)] as const))
  return JSON.stringify({ ...shares, extras: Object.fromEntries(extras) })
}

function table(report: Report): string {
  const lines = Object.entries(report).flatMap(([set, part]) => {
    const row = (name: string, kind: string) => `  ${name.padEnd(50)} ${kind.padEnd(9)} ${part.outcomes.get(name) ?? 'did not run'}`
    const rows = [...part.required.map((name) => row(name, 'required')), ...extrasOf(part).map((name) => row(name, 'extra'))]
    return [`${set}: ${share(part.required, part.outcomes)} required`, ...rows]
  })
  return lines.join('\n')
}

/** `<set>/<scenario>` → why it is expected not to pass. Both directions are drift. */
function driftOf(report: Report): readonly string[] {
  const expected = JSON.parse(readFileSync(join(import.meta.dirname, 'expected-failures.json'), 'utf8')) as Record<string, string>
  const found = Object.entries(report).flatMap(([set, { required, outcomes }]) =>
    [...new Set([...required, ...outcomes.keys()])].map((name) => [`${set}/${name}`, outcomes.get(name)] as const),
  )
  const known = new Map<string, Outcome | undefined>(found)
  return [
    ...found
      .filter(([name, outcome]) => !passes(outcome) && !Object.hasOwn(expected, name))
      .map(([name, outcome]) => `${name}: ${outcome ?? 'did not run'}`),
    ...Object.keys(expected)
      .filter((name) => !known.has(name) || passes(known.get(name)))
      .map((name) => `${name} is expected not to pass, and ${known.has(name) ? 'passes' : 'is not there'}`),
  ]
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, keep: { type: 'string' } } })
  await installSuite((line) => console.error(line))
  const output = values.keep === undefined ? undefined : resolve(values.keep)
  if (output) await mkdir(output, { recursive: true })
  await using scratch = await mkdtempDisposable(join(tmpdir(), 'postern-conformance-'))
  const report = await measure(output ?? scratch.path)
  console.log(values.json ? asJson(report) : table(report))
  const drift = driftOf(report)
  for (const line of drift) console.error(`drift: ${line}`)
  return drift.length === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} finally {
  await killAll()
}
