// The official suite in both versions: other people's packages, outside the workspaces, with a lockfile of their own.
import { existsSync, statSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nestedEnvironment, npmScript } from '../../packages/cli/ensure-node.mjs'
import { startNode } from '../fixtures/processes.ts'

const directory = join(import.meta.dirname, 'suite')
const installed = join(directory, 'node_modules/.package-lock.json')
const programs = { alpha: '@modelcontextprotocol/conformance', old: 'conformance-0.1' } as const

/** Worst check of each scenario that ran. `warning` is what the suite wishes for, `skipped` a scenario that checked nothing: its summary hides both. */
export type Outcome = 'passed' | 'warning' | 'failed' | 'skipped'
export type Outcomes = ReadonlyMap<string, Outcome>

/** @throws when the registry cannot be reached and it is not here yet */
export async function installSuite(say: (line: string) => void): Promise<void> {
  const isFresh = existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(directory, 'package-lock.json')).mtimeMs
  if (isFresh) return
  say('installing the conformance suite (npm ci --ignore-scripts in test/conformance/suite) …')
  const script = npmScript()
  if (!script) throw new Error('npm was not found beside this Node.js or on PATH: the suite cannot be installed')
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const npm = startNode('npm', script, args, { cwd: directory, env: nestedEnvironment() })
  const code = await npm.exit
  if (code !== 0) throw new Error(`the suite could not be installed (exit code ${code}):\n${npm.output()}`)
}

/** Scenarios that a revision requires of servers, as the suite has frozen them. */
export async function requiredOf(revision: string): Promise<readonly string[]> {
  const text = await readFile(join(directory, 'node_modules', programs.alpha, 'requirements', `${revision}.yaml`), 'utf8')
  const [, server = ''] = /^server:\n((?:[ \t]+.*\n|[ \t]*#.*\n|\n)*)/m.exec(text) ?? []
  const names = [...server.matchAll(/^[ \t]*-[ \t]+([\w./-]+)/gm)].map(([, name]) => name!)
  if (names.length === 0) throw new Error(`no server scenarios in requirements/${revision}.yaml`)
  return names
}

/** Runs a set of server scenarios; the folder `output` is written by the suite, one folder per scenario. */
export async function runServer(program: keyof typeof programs, url: string, set: readonly string[], output: string): Promise<Outcomes> {
  const script = join(directory, 'node_modules', programs[program], 'dist/index.js')
  const suite = startNode('conformance', script, ['server', '--url', url, ...set, '-o', output])
  const code = await suite.exit
  const outcomes = await readOutcomes(output)
  if (outcomes.size === 0) throw new Error(`the suite ran nothing (exit code ${code}):\n${suite.output().slice(-4000)}`)
  return outcomes
}

async function readOutcomes(output: string): Promise<Outcomes> {
  const outcomes = new Map<string, Outcome>()
  for (const folder of existsSync(output) ? await readdir(output) : []) {
    const [, scenario] = /^server-(.+)-\d{4}-\d{2}-\d{2}T[\d-]+Z$/.exec(folder) ?? []
    if (scenario === undefined) continue
    const checks = JSON.parse(await readFile(join(output, folder, 'checks.json'), 'utf8')) as readonly { readonly status: string }[]
    const has = (status: string) => checks.some((check) => check.status === status)
    outcomes.set(scenario, has('FAILURE') ? 'failed' : has('WARNING') ? 'warning' : has('SUCCESS') ? 'passed' : 'skipped')
  }
  return outcomes
}
