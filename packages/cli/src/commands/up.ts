import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Environment } from '../config.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import type { Report } from '../output/report.ts'
import type { Options } from '../run.ts'
import { act, finish } from '../run.ts'
import type { Child } from '../up/child.ts'
import { startChild } from '../up/child.ts'
import { endedError, readOverview, untilHealthy } from '../up/health.ts'
import { portOf, requireFreePorts } from '../up/ports.ts'

// The composition root: the one place that knows which processes make up Postern on one machine, and the embedded default.

const root = join(import.meta.dirname, '../../../..')
const NEXT = 'node_modules/next/dist/bin/next'
const RELAY = 'packages/relay/src/main.ts'

export function register(program: Command): void {
  program
    .command('up')
    .description('Run Postern on this machine until Ctrl-C: control plane (with its API) and relay.')
    .option('--port <port>', 'control plane', '3000')
    .option('--signer-port <port>', 'reserved for the signer', '3001')
    .option('--relay-port <port>', 'relay', '3002')
    .option('--host <address>', 'address to listen on; other than loopback, put TLS in front', '127.0.0.1')
    .option(
      '--data <directory>',
      'where the embedded database is; default: .data of this clone. DATABASE_URL takes a PostgreSQL server instead',
    )
    .action(act(up))
}

interface Plan {
  readonly host: string
  readonly port: number
  readonly signerPort: number
  readonly relayPort: number
  readonly control: string
  readonly relay: string
  readonly database: string
  /** Made here, kept in memory, printed once. The control plane gets its SHA-256. */
  readonly secret: string
}

async function up(context: Context, _args: readonly string[], options: Options): Promise<undefined> {
  const { environment } = context.settings
  const plan = planOf(options, environment)
  if (!existsSync(join(root, '.next/BUILD_ID'))) {
    throw new CliError('NOT_READY', 'the control plane is not built', { fix: 'npm start builds what is missing', exit: 'failed' })
  }
  await requireFreePorts(
    [
      { port: plan.port, whose: 'control plane', flag: '--port' },
      { port: plan.relayPort, whose: 'relay', flag: '--relay-port' },
    ],
    plan.host,
  )
  const children = [startControl(context, plan), startRelay(context, plan)] as const
  const stopping = onSignal(children)
  try {
    await Promise.race([
      stopping,
      Promise.all([
        untilHealthy(context, children[0], `http://${plan.host}:${plan.port}/api/health`),
        untilHealthy(context, children[1], `http://${plan.host}:${plan.relayPort}/health`),
      ]),
    ])
    finish(await reportOf(plan, children), context)
    await Promise.race([stopping, ...children.map(async (child) => Promise.reject(endedError(child, await child.ended)))])
  } catch (error) {
    await stopAll(children)
    throw error
  }
  return undefined
}

function planOf(options: Options, environment: Environment): Plan {
  const [port, signerPort, relayPort] = [options.port, options.signerPort, options.relayPort].map(portOf) as [number, number, number]
  const data = resolve(options.data ?? join(root, '.data'))
  return {
    ...{ host: options.host, port, signerPort, relayPort },
    control: `http://localhost:${port}`,
    relay: `ws://localhost:${relayPort}/relay`,
    database: environment.DATABASE_URL || `pglite:${join(data, 'pg')}`,
    secret: randomBytes(16).toString('base64url'),
  }
}

/** Variables of ours that are meant for another process are not passed on. */
const without = (environment: Environment, pattern: RegExp): Environment =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !pattern.test(name)))

function startControl(context: Context, { host, port, control, relay, database, secret }: Plan): Child {
  const { environment } = context.settings
  const env = {
    NEXT_TELEMETRY_DISABLED: '1',
    POSTERN_PUBLIC_URL: `${control},http://127.0.0.1:${port}`,
    POSTERN_RELAY_URLS: relay,
    ...without(environment, /^POSTERN_(RELAY_(?!URLS)|GENESIS_)/),
    DATABASE_URL: database,
    POSTERN_GENESIS_SECRET_HASH: createHash('sha256').update(secret).digest('hex'),
  }
  return startChild(context, 'control plane', [NEXT, 'start', '-H', host, '-p', String(port)], { cwd: root, env })
}

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

async function reportOf(plan: Plan, children: readonly Child[]): Promise<Report> {
  const { control, relay, database } = plan
  const overview = await readOverview(control)
  const health = `${control}/api/health`
  const genesis = overview && !overview.organisation ? genesisOf(plan) : undefined
  const seconds = performance.now() / 1000 // since this process began
  const where = database.startsWith('pglite:') ? database : 'PostgreSQL (DATABASE_URL)'
  const pids = Object.fromEntries(children.map(({ name, pid }) => [name === 'relay' ? 'relay' : 'control', pid]))
  return {
    schema: 'up',
    data: {
      control,
      health,
      relay,
      database: where,
      organisation: overview?.organisation ?? null,
      genesis: genesis ?? null,
      pids,
      ready_seconds: Number(seconds.toFixed(2)),
    },
    facts: [
      ['control plane', control],
      ['health', health],
      ['relay', relay],
      ['database', where],
      ...(overview?.organisation ? [['organisation', `${overview.organisation.name} ${overview.organisation.org}`] as const] : []),
    ],
    lines: [
      ...(genesis ? ['', 'Nobody owns it yet. Within 15 minutes, once, in another terminal:', `  ${genesis.command}`, ''] : []),
      `ready in ${seconds.toFixed(1)} s · Ctrl-C stops everything`,
    ],
  }
}

/** The secret stands behind '#': it reaches no proxy and no log. Origins are said where they are not the embedded ones. */
function genesisOf({ control, port, signerPort, secret }: Plan): { link: string; command: string } {
  const link = `${control}#${secret}`
  const origins = [
    ...(port === 3000 ? [] : [`--console-origin ${control}`]),
    ...(signerPort === 3001 ? [] : [`--signer-origin http://localhost:${signerPort}`]),
  ]
  return { link, command: ['npx postern genesis', `'${link}'`, '--name <organisation> --as @you', ...origins].join(' ') }
}
