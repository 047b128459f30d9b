// What `npm test` runs: build, lint, types, then all tests, those in a browser last; arguments go to Vitest, and then the browser stays
// away. Every gate runs, whatever the others say.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

type Command = readonly [string, ...string[]]

const root = join(import.meta.dirname, '..')
const bin = (name: string) => join(root, 'node_modules', '.bin', name)
const scratch = mkdtempSync(join(tmpdir(), 'postern-test-'))
const report = join(scratch, 'vitest.json')
const browserReport = join(scratch, 'playwright.json')
const skips = join(scratch, 'skipped.txt')
const isColored = process.stdout.isTTY || process.env.FORCE_COLOR !== undefined
const env = { ...process.env, POSTERN_SKIPPED_FILE: skips, POSTERN_E2E_REPORT: browserReport, ...(isColored ? {} : { NO_COLOR: '1' }) }

/** Runs the commands one after the other until one fails. Their output is kept until it is wanted, or shown as it comes. */
async function run(commands: readonly Command[], isShown: boolean): Promise<{ isPassed: boolean; output: string }> {
  let output = ''
  for (const [command, ...args] of commands) {
    const code = await new Promise<number>((resolve, reject) => {
      const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', isShown ? 'inherit' : 'pipe', isShown ? 'inherit' : 'pipe'] })
      for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk))
      child.on('error', reject)
      child.on('close', (status) => resolve(status ?? 1))
    })
    if (code !== 0) return { isPassed: false, output }
  }
  return { isPassed: true, output }
}

let failedGates = 0
async function gate(name: string, commands: readonly Command[], isShown = false): Promise<boolean> {
  const started = performance.now()
  const { isPassed, output } = await run(commands, isShown)
  if (!isPassed) failedGates++
  if (!isPassed && output) console.log(output.trimEnd())
  console.log(`${name.padEnd(6)} ${((performance.now() - started) / 1000).toFixed(1).padStart(5)} s  ${isPassed ? 'passed' : 'FAILED'}`)
  return isPassed
}

type Report = {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: readonly { status: string; assertionResults: readonly { status: string }[] }[]
}

type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number }

/** Vitest's own numbers, plus one failure for each file that failed without a failed test (it did not even load). */
function count(): Counts {
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 }
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report
  const broken = testResults.filter((file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'))
  return { passed: numPassedTests, failed: numFailedTests + broken.length, skipped: numPendingTests + numTodoTests }
}

/** Playwright's own numbers; none when there is no Chromium, and one failure when there is, and no report. */
function countStories(isRun: boolean, isPassed: boolean): Counts {
  if (!isRun || !existsSync(browserReport)) return { passed: 0, failed: isPassed ? 0 : 1, skipped: 0 }
  const { stats, errors } = JSON.parse(readFileSync(browserReport, 'utf8')) as {
    stats: { expected: number; unexpected: number; flaky: number; skipped: number }
    errors: readonly unknown[]
  }
  const failed = stats.unexpected + stats.flaky + errors.length
  return { passed: stats.expected, failed: failed === 0 && !isPassed ? 1 : failed, skipped: stats.skipped }
}

const colors = isColored ? 'force' : 'off'
const vitest = [bin('vitest'), 'run', '--config', 'test/vitest.config.ts', '--reporter=default', '--reporter=json'] as const
try {
  await gate('build', [[process.execPath, 'packages/cli/bootstrap.mjs', 'build']])
  await Promise.all([
    gate('lint', [[bin('biome'), 'ci', `--colors=${colors}`, '.']]),
    gate('types', [
      [bin('next'), 'typegen'],
      [bin('tsc'), '--noEmit'],
      [bin('tsc'), '-p', 'packages/core'],
    ]),
  ])
  const gatesBeforeTests = failedGates
  await gate('tests', [[...vitest, `--outputFile.json=${report}`, ...process.argv.slice(2)]], true)
  const isWhole = process.argv.length === 2
  const isPassed = isWhole ? await gate('e2e', [[process.execPath, 'test/e2e/main.ts']], true) : true
  const tests = count()
  const stories = countStories(isWhole, isPassed)
  if (existsSync(skips)) for (const line of new Set(readFileSync(skips, 'utf8').trim().split('\n'))) console.log(line)
  if (gatesBeforeTests > 0) console.log(`${gatesBeforeTests} of build, lint and types failed: see above`)
  const total = (name: keyof Counts) => tests[name] + stories[name]
  console.log(`${total('passed')} passed, ${total('failed') + gatesBeforeTests} failed, ${total('skipped')} skipped`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
process.exitCode = failedGates > 0 ? 1 : 0
