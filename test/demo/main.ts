// `npm run demo`: the tour that attacks itself. Everything runs as it does in earnest, in processes of its own; see tour.ts.
import { once } from 'node:events'
import { constants } from 'node:os'
import { parseArgs } from 'node:util'
import { killAll, openHome } from '../fixtures/processes.ts'
import { Report } from './report.ts'
import { SetUpFailed } from './stage/set-up.ts'
import type { Stage } from './stage/stage.ts'
import { tour } from './tour.ts'

const usage = `npm run demo -- [options]      starts everything, uses it, attacks it; ends with 0 only if all held

  --json    one document on stdout: {steps:[{name, ok, ms, code?, skipped?}], allowed, refused, failed}
  --keep    leaves everything running afterwards, until Ctrl-C
  --help`

/** The whole tour takes about a minute; nothing in it may take for ever. */
const LIMIT_MS = 10 * 60_000

async function main(): Promise<number> {
  const options = readOptions()
  if (typeof options === 'number') return options
  const stream = options.json ? process.stderr : process.stdout
  const isTerminal = stream.isTTY === true
  const stopping = stopSignal()
  const color = isTerminal && !process.env.NO_COLOR
  const report = new Report({ write: (text) => stream.write(text), color, live: isTerminal, stop: stopping.signal })
  const limit = setTimeout(() => stopping.abort(new Error(`the tour took longer than ${LIMIT_MS / 60_000} minutes`)), LIMIT_MS)
  try {
    return await run(options, report, stopping.signal)
  } finally {
    clearTimeout(limit)
    if (options.json) await new Promise((resolve) => process.stdout.write(`${JSON.stringify(report.summary)}\n`, resolve))
  }
}

interface Options {
  readonly json: boolean
  readonly keep: boolean
}

function readOptions(): Options | number {
  try {
    const { values } = parseArgs({
      options: { json: { type: 'boolean' }, keep: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    })
    if (!values.help) return { json: values.json ?? false, keep: values.keep ?? false }
    console.log(usage)
    return 0
  } catch (error) {
    console.error(`demo: ${(error as Error).message}\n\n${usage}`)
    return 2
  }
}

class Stopped extends Error {
  override name = 'Stopped'
  readonly exitCode: number
  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`stopped by ${signal}`)
    this.exitCode = 128 + constants.signals[signal]
  }
}

function stopSignal(): AbortController {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort(new Stopped(signal)))
  return stopping
}

/** Whatever happens, what was started is ended. */
async function run({ keep }: Options, report: Report, stopping: AbortSignal): Promise<number> {
  const began = performance.now()
  await using disposers = new AsyncDisposableStack()
  const stopped = once(stopping, 'abort').then(() => Promise.reject(stopping.reason))
  stopped.catch(() => {})
  try {
    const home = disposers.use(await openHome('demo'))
    disposers.defer(killAll) // whatever a step had just started when it was interrupted
    const stage = await Promise.race([tour(home, report, disposers), stopped])
    summarise(report, performance.now() - began)
    if (keep) await keepRunning(stage, report, stopped)
    return report.summary.failed === 0 ? 0 : 1
  } catch (error) {
    if (error instanceof Stopped) {
      report.say(`\nStopping …`)
      return error.exitCode
    }
    if (!(error instanceof SetUpFailed)) report.say(`\n${error instanceof Error ? error.stack : error}`)
    summarise(report, performance.now() - began)
    return 1
  }
}

function summarise(report: Report, ms: number): void {
  const { steps, allowed, refused, failed } = report.summary
  const skipped = steps.filter((step) => step.skipped !== undefined)
  report.say(`\n${allowed} legitimate calls ran, ${refused} attacks were refused, ${failed} steps failed, in ${Math.round(ms / 1000)} s`)
  for (const { name, skipped: why } of skipped) report.say(`skipped: ${name}, ${why}`)
}

/** Until Ctrl-C. Nobody who looks around counts as a failure. */
async function keepRunning({ front, relay, home, machines, gateways }: Stage, report: Report, stopped: Promise<never>): Promise<void> {
  const { ana, dev } = machines
  const exports = (env: Readonly<Record<string, string>>) =>
    ['XDG_STATE_HOME', 'XDG_CONFIG_HOME', 'XDG_RUNTIME_DIR'].map((name) => `${name}=${env[name]}`).join(' ')
  report.say(`
Still running, in ${home.path}
  control plane  ${front.url}   health ${front.url}/api/health
  relay          ${relay.url}   health ${relay.health}
  gateways       ${Object.values(gateways)
    .map(({ atsign, child }) => `${atsign} (process ${child.pid})`)
    .join(', ')}
  as @ana        ${exports(ana.env)} npx postern status
  as @claude     ${exports(dev.env)} npx postern call fs.list_directory '{"path":"${home.path}/files/notes"}' --agent @claude
Ctrl-C ends all of it and removes the directory.`)
  await stopped.catch(() => {})
}

process.exit(await main())
