import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Environment } from '../config.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { integerOf } from '../inputs.ts'
import type { Report } from '../output/report.ts'
import type { Options } from '../run.ts'
import { act, finish } from '../run.ts'
import { isSignerBuilt } from '../signer/dist.ts'
import type { Child, Entry } from '../up/child.ts'
import { startChild } from '../up/child.ts'
import { linksFor, ownerLines, recordPath, renewSecret, writeRunning } from '../up/genesis-link.ts'
import { endedError, readOverview, untilHealthy } from '../up/health.ts'
import { portOf, requireFreePorts } from '../up/ports.ts'

// The composition root: the one place that knows which processes make up Postern on one machine, and the embedded default.

const root = join(import.meta.dirname, '../../../..')
const NEXT = 'node_modules/next/dist/bin/next'
const RELAY = 'packages/relay/src/main.ts'
const CLI = 'packages/cli/src/main.ts'
const DEMO = 'packages/cli/src/demo/main.ts'

export function register(program: Command): void {
  program
    .command('up')
    .description('Run Postern on this machine until Ctrl-C: control plane (with its API), signer and relay.')
    .option('--port <port>', 'control plane', '3000')
    .option('--signer-port <port>', 'signer', '3001')
    .option('--relay-port <port>', 'relay', '3002')
    .option('--host <address>', 'address to listen on; other than loopback, put TLS in front', '127.0.0.1')
    .option(
      '--data <directory>',
      'where the embedded database is; default: .data of this clone. DATABASE_URL takes a PostgreSQL server instead',
    )
    .option('--seed-demo', 'a lively organisation to look at, with simulated people and machines, in .data/demo')
    .option('--demo-agents <count>', 'how many agents it has', '60')
    .action(act(up))
}

interface Plan {
  readonly host: string
  readonly port: number
  readonly signerPort: number
  readonly relayPort: number
  readonly control: string
  readonly signer: string
  readonly relay: string
  /** Directory of what is kept beside the database. */
  readonly data: string
  readonly database: string
  /** How many agents the demo has; undefined: this is no demo. */
  readonly demoAgents: number | undefined
}

async function up(context: Context, _args: readonly string[], options: Options): Promise<undefined> {
  const { environment } = context.settings
  const plan = planOf(options, environment)
  if (!existsSync(join(root, '.next/BUILD_ID'))) {
    throw new CliError('NOT_READY', 'the control plane is not built', { fix: 'npm start builds what is missing', exit: 'failed' })
  }
  if (!isSignerBuilt()) {
    throw new CliError('NOT_READY', 'the signer is not built', { fix: 'npm start builds what is missing', exit: 'failed' })
  }
  await requireFreePorts(
    [
      { port: plan.port, whose: 'control plane', flag: '--port' },
      { port: plan.signerPort, whose: 'signer', flag: '--signer-port' },
      { port: plan.relayPort, whose: 'relay', flag: '--relay-port' },
    ],
    plan.host,
  )
  const children = [startControl(context, plan), startRelay(context, plan), startSigner(context, plan)]
  const stopping = onSignal(children)
  try {
    await Promise.race([stopping, Promise.all(healthOf(plan).map((url, i) => untilHealthy(context, children[i]!, url)))])
    await writeRunning(plan.data, { pid: process.pid, control: plan.control, signer: plan.signer })
    if (plan.demoAgents !== undefined) children.push(startDemo(context, plan))
    else finish(await reportOf(plan, children, await renewSecret(plan.data)), context) // it has the database: the directory is its own
    await Promise.race([stopping, ...children.map(async (child) => Promise.reject(endedError(child, await child.ended)))])
  } catch (error) {
    await stopAll(children)
    throw error
  }
  return undefined
}

/** In the order of the children. */
const healthOf = ({ host, port, relayPort, signerPort }: Plan) => [
  `http://${host}:${port}/api/health`,
  `http://${host}:${relayPort}/health`,
  `http://${host}:${signerPort}/`,
]

function planOf(options: Options, environment: Environment): Plan {
  const [port, signerPort, relayPort] = [options.port, options.signerPort, options.relayPort].map(portOf) as [number, number, number]
  const isDemo = options.seedDemo === true
  const data = resolve(options.data ?? join(root, isDemo ? '.data/demo' : '.data'))
  return {
    ...{ host: options.host, port, signerPort, relayPort },
    control: `http://localhost:${port}`,
    signer: `http://localhost:${signerPort}`,
    relay: `ws://localhost:${relayPort}/relay`,
    data,
    database: (isDemo ? undefined : environment.DATABASE_URL) || `pglite:${join(data, 'pg')}`, // a demo never goes into somebody's database
    demoAgents: isDemo ? integerOf(options.demoAgents, '--demo-agents', 13, 1_000) : undefined,
  }
}

/** Variables of ours that are meant for another process are not passed on. */
const without = (environment: Environment, pattern: RegExp): Environment =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !pattern.test(name)))

function startControl(context: Context, { host, port, control, signer, relay, data, database, demoAgents }: Plan): Child {
  const { environment } = context.settings
  const env = {
    NEXT_TELEMETRY_DISABLED: '1',
    POSTERN_PUBLIC_URL: `${control},http://127.0.0.1:${port}`,
    POSTERN_RELAY_URLS: relay,
    POSTERN_SIGNER_ORIGINS: signer,
    ...without(environment, /^POSTERN_(RELAY_(?!URLS)|GENESIS_)/),
    DATABASE_URL: database,
    POSTERN_GENESIS_RECORD: recordPath(data),
    POSTERN_DEMO: String(demoAgents !== undefined),
  }
  const onEntry = (entry: Entry) => void sayFounded(context, entry)
  return startChild(context, 'control plane', [NEXT, 'start', '-H', host, '-p', String(port)], { cwd: root, env, onEntry })
}

/** The control plane's own line about statement 0. Words are computed here. */
async function sayFounded({ say }: Context, { msg, org, by }: Entry): Promise<void> {
  if (msg !== 'genesis signed' || typeof org !== 'string' || !Array.isArray(by)) return
  const { organisationWords } = await import('@postern/core')
  say(`✓ Genesis signed by ${by.join(', ')} · log size 1 · ${organisationWords(org).join(' ')}`)
}

/** Static files for one console: it gets no variable of anybody else. */
function startSigner(context: Context, { host, signerPort, control }: Plan): Child {
  const env = without(context.settings.environment, /^POSTERN_|^DATABASE_/)
  const args = [CLI, 'signer', '--host', host, '--port', String(signerPort), '--console', control]
  return startChild(context, 'signer', args, { cwd: root, env })
}

/** Simulated people and machines, which speak to the control plane as real ones do. */
function startDemo(context: Context, { control, signer, data, demoAgents }: Plan): Child {
  const env = {
    ...without(context.settings.environment, /^POSTERN_|^DATABASE_/),
    ...{ POSTERN_DEMO_CONTROL: control, POSTERN_DEMO_SIGNER: signer, POSTERN_DEMO_DATA: data, POSTERN_DEMO_AGENTS: String(demoAgents) },
  }
  return startChild(context, 'demo', [DEMO], {
    cwd: root,
    env,
    onEntry: ({ msg, link }) => msg === 'demo invitation' && sayDemo(context, control, String(link)),
  })
}

const sayDemo = ({ say }: Context, control: string, link: string): void =>
  [
    `✓ Demo: a simulated organisation at ${control}. Its keys lie in one directory, its calls are invented; what is signed is real.`,
    '  To look around, make a passkey of your own: open this, choose a name, and sign in afterwards (approved by itself; 60 min, one use)',
    `    ${link}`,
    '  Ctrl-C stops everything',
  ].forEach((line) => say(line))

function startRelay(context: Context, { host, relayPort, control }: Plan): Child {
  const { environment } = context.settings
  const env = {
    ...without(environment, /^POSTERN_(?!RELAY_)|^POSTERN_RELAY_URLS$|^DATABASE_/),
    POSTERN_RELAY_HOST: host,
    POSTERN_RELAY_PORT: String(relayPort),
    POSTERN_RELAY_CONTROL_URL: control,
  }
  return startChild(context, 'relay', [RELAY], { cwd: root, env })
}

const SIGNALS = { SIGINT: EXIT.interrupted, SIGTERM: 143 } as const

/** Never resolves: the process ends in it. A second signal ends it at once; the children then follow by themselves. */
function onSignal(children: readonly Child[]): Promise<never> {
  return new Promise(() => {
    let isStopping = false
    for (const [signal, code] of Object.entries(SIGNALS)) {
      process.on(signal, () => {
        if (isStopping) process.exit(code)
        isStopping = true
        void stopAll(children).then(() => process.exit(code))
      })
    }
  })
}

const stopAll = (children: readonly Child[]) => Promise.all(children.map((child) => child.stop()))

async function reportOf(plan: Plan, children: readonly Child[], secret: string): Promise<Report> {
  const { control, signer, relay, database } = plan
  const overview = await readOverview(control)
  const health = `${control}/api/health`
  const genesis = overview && !overview.organisation ? linksFor({ control, signer }, secret) : undefined
  const seconds = performance.now() / 1000 // since this process began
  const where = database.startsWith('pglite:') ? database : 'PostgreSQL (DATABASE_URL)'
  const pids = Object.fromEntries(children.map(({ name, pid }) => [name === 'control plane' ? 'control' : name, pid]))
  return {
    schema: 'up',
    data: {
      control,
      signer,
      health,
      relay,
      database: where,
      organisation: overview?.organisation ?? null,
      genesis: genesis ?? null,
      pids,
      ready_seconds: Number(seconds.toFixed(2)),
    },
    lines: [
      `✓ Postern is up    console  ${control}      signer  ${signer}`,
      `  health ${health} · relay ${relay} · database ${where}`,
      ...(overview?.organisation ? [`  organisation ${JSON.stringify(overview.organisation.name)} ${overview.organisation.org}`] : []),
      ...(genesis ? ownerLines(genesis).map((line) => `  ${line}`) : []),
      `ready in ${seconds.toFixed(1)} s · Ctrl-C stops everything`,
    ],
  }
}
