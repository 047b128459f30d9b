// How everything comes to be, by the commands that people would type on their machines. What is not a command starts a process.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EdgeKeys, EdgeKind } from '@postern/core'
import { edgeKeysOf, parseAtSign, parseEdgeSecrets, utf8 } from '@postern/core'
import type { HealthReport } from '@postern/daemon'
import { readIfThere, Secret } from '@postern/daemon'
import type { Home, RelayChild } from '../../fixtures/processes.ts'
import { freePorts, scripts, startControl, startNode, startRelay, until } from '../../fixtures/processes.ts'
import type { Report, Result } from '../report.ts'
import type { ServerCommand } from './client.ts'
import { openConnector } from './connector.ts'
import { makeFiles } from './files.ts'
import type { Front } from './front.ts'
import { openFront } from './front.ts'
import type { Machine } from './machines.ts'
import { makeMachine, postern } from './machines.ts'
import { policyFor, risks } from './policy.ts'
import { secretsUnder } from './secrets.ts'
import { publicServers, withWitness } from './servers.ts'
import type { Gateway, Stage } from './stage.ts'
import { isServing, readKnown, untilHealth } from './stage.ts'
import type { Tap } from './tap.ts'
import { openTap } from './tap.ts'

/** A step of the set-up failed; the tour cannot go on. What it was stands in the report. */
export class SetUpFailed extends Error {
  override name = 'SetUpFailed'
}

type Steps = <T>(name: string, run: () => Promise<T>, note?: (made: T) => string | undefined) => Promise<T>

/** Each step in the report; the first that fails ends the set-up. */
const stepsOf =
  (report: Report): Steps =>
  async (name, run, note) => {
    let made: { value: Awaited<ReturnType<typeof run>> } | undefined
    const ok = await report.step('done', name, async (): Promise<Result> => {
      made = { value: await run() }
      const said = note?.(made.value)
      return said === undefined ? {} : { note: said }
    })
    if (!ok || !made) throw new SetUpFailed(name)
    return made.value
  }

/** Everything up to the first call. What was started is ended by `disposers`, also when this fails half-way. */
export async function setUp(home: Home, report: Report, disposers: AsyncDisposableStack): Promise<Stage> {
  const step = stepsOf(report)
  report.section('The processes of an operator, none of which holds a key')
  const operator = await startOperator(home, step, disposers)

  report.section('An organisation, its gateways, its people and their agents')
  const files = await makeFiles(home)
  const machines = { ana: await makeMachine(home, 'ana'), dev: await makeMachine(home, 'dev'), host: await makeMachine(home, 'host') }
  const { org } = await found(machines.ana, operator, step)
  const directory = { fs: publicServers.filesystem(files.root), memory: publicServers.memory(join(home.path, 'memory.jsonl')) }
  const fs = await addGateway({ ...machines, server: 'fs', command: directory.fs }, step, disposers)
  const memory = await addGateway({ ...machines, server: 'memory', command: directory.memory }, step, disposers)
  await addDeveloper(machines, step)
  const honest = await addAgent(machines.dev, '@claude', step)
  const other = await addAgent(machines.dev, '@other', step)

  report.section('What may be called, and with which arguments')
  await pinTools(machines.ana, fs, step)
  await pinTools(machines.ana, memory, step)
  const policy = await signPolicy(machines.ana, policyFor(files), step)

  const adminSeed = new Secret((await secretsOf(join(machines.ana.state, 'person', '@ana', 'sign.json'))).get('sign')!)
  const made = { home, files, org, ...operator, machines, gateways: { fs, memory }, agents: { honest, other }, adminSeed, policy }
  await step('both gateways have applied all of it', () => applied(made))
  const client = await step(
    'an MCP client, with the entry that is printed for Claude Code',
    () => openConnector(machines.dev, honest.atsign, 'fs'),
    noted('client', 'print', 'claude-code', 'fs'),
  )
  disposers.use(client)
  return { ...made, client, secrets: secretsUnder(home) }
}

interface Operator {
  readonly front: Stage['front']
  readonly control: Stage['control']
  readonly tap: Stage['tap']
  readonly relay: RelayChild
}

/** The control plane behind its operator's proxy, and the relay behind its operator's tap. */
async function startOperator(home: Home, step: Steps, disposers: AsyncDisposableStack): Promise<Operator> {
  const [controlPort, relayPort] = (await freePorts(2)) as [number, number]
  const [front, tap] = [disposers.use(await openFront()), disposers.use(await openTap())]
  front.target = controlPort
  tap.target = relayPort
  const control = await addControl({ home, port: controlPort, front, tap }, step)
  disposers.defer(async () => void (await control.child.stop()))
  const env = { POSTERN_RELAY_NAMES: tap.host }
  const relay = await step(
    'relay',
    () => startRelay(home, { port: relayPort, controlUrl: front.url, env }),
    ({ pid }) => `${tap.url}   process ${pid}`,
  )
  disposers.defer(async () => void (await relay.stop()))
  return { front, tap, control, relay }
}

async function addControl(
  { home, port, front, tap }: { home: Home; port: number; front: Front; tap: Tap },
  step: Steps,
): Promise<Stage['control']> {
  const directory = join(home.path, 'pg')
  const env = { POSTERN_PUBLIC_URL: `${front.url},http://localhost:${port}` }
  const startOne = () => startControl(home, { port, relayUrls: [tap.url], databaseUrl: `pglite:${directory}`, env })
  const child = await step('control plane: next start, with its database inside', startOne, ({ pid }) => `${front.url}   process ${pid}`)
  const control = {
    child,
    directory,
    async start() {
      control.child = await startOne()
    },
  }
  return control
}

async function found(ana: Machine, { front, control }: Operator, step: Steps): Promise<{ org: string }> {
  const link = `${front.url}#${control.child.secret}`
  const genesis = ['--name', 'Acme', '--as', '@ana', '--console-origin', front.url, '--yes']
  const founded = await step(
    '@ana founds the organisation with an ssh key of her own',
    () => postern<{ org: string; words: readonly string[] }>(ana, 'genesis', link, ...genesis),
    ({ words }) => `$ postern genesis '<link>' --name Acme --as @ana\n${words.join(' ')}`,
  )
  await step('@ana signs in', () => postern(ana, 'login'), noted('login'))
  return founded
}

interface Asked {
  readonly atsign: string
  readonly words: readonly string[]
}
interface Queue {
  readonly enrolments: readonly Asked[]
}

const noted =
  (...args: readonly string[]) =>
  () =>
    `$ postern ${args.join(' ')}`
const joinString = async (machine: Machine, kind: string) => (await postern<{ join: string }>(machine, 'code', 'new', kind)).join

/** Both screens show the same six words, or somebody between them has exchanged the keys. */
async function approve(machine: Machine, { atsign, words }: Asked, ...options: readonly string[]): Promise<readonly string[]> {
  const { enrolments } = await postern<Queue>(machine, 'pending')
  const shown = enrolments.find((one) => one.atsign === atsign)?.words.join(' ')
  if (shown !== words.join(' ')) throw new Error(`${atsign} shows "${words.join(' ')}", ${machine.name} sees "${shown}"`)
  await postern(machine, 'approve', atsign, '--words', shown, ...options)
  return words
}
const bothShow = (words: readonly string[]) => `both screens show: ${words.join(' ')}`

interface GatewayPlan {
  readonly ana: Machine
  readonly host: Machine
  readonly server: 'fs' | 'memory'
  readonly command: ServerCommand
}

async function addGateway({ ana, host, server, command }: GatewayPlan, step: Steps, disposers: AsyncDisposableStack): Promise<Gateway> {
  const atsign = parseAtSign(`@gw-${server}`)
  const joining = await joinString(ana, 'gateway')
  const witnessFile = join(host.path, `${server}.witness`)
  const asked = await step(
    `${atsign} makes its keys and asks to be enrolled`,
    () => postern<Asked>(host, 'gateway', 'enroll', joining, '--name', atsign, '--no-wait'),
    () => `$ postern gateway enroll '<join string>' --name ${atsign}`,
  )
  await step(`@ana compares the words and enrols ${atsign}`, () => approve(ana, asked), bothShow)
  await step(
    `${server}: the public ${server === 'fs' ? '@modelcontextprotocol/server-filesystem' : '@modelcontextprotocol/server-memory'}`,
    () => addServer(host, atsign, server, withWitness(command, witnessFile)),
    () => `$ postern server add ${server} --gateway ${atsign} -- <command>`,
  )
  const startOne = async () => startNode(atsign, scripts.cli, ['gateway', 'run', atsign], { env: host.env })
  const gateway = {
    ...{ atsign, server, witnessFile, machine: host, stateDir: join(host.state, 'gateway', atsign) },
    keys: await keysOf(host, 'gateway', atsign),
    child: await step(`${atsign} runs`, startOne, ({ pid }) => `$ postern gateway run ${atsign}   process ${pid}`),
    async start() {
      gateway.child = await startOne()
    },
  }
  disposers.defer(async () => void (await gateway.child.stop()))
  return gateway
}

const addServer = (host: Machine, gateway: string, name: string, { command, args, env = {} }: ServerCommand) =>
  postern(
    host,
    'server',
    'add',
    name,
    '--gateway',
    gateway,
    ...Object.entries(env).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
    '--',
    command,
    ...args,
  )

async function addDeveloper({ ana, dev }: { ana: Machine; dev: Machine }, step: Steps): Promise<void> {
  const joining = await joinString(ana, 'person')
  const asked = await step(
    '@dev, a developer, makes a key and asks to be enrolled',
    () => postern<Asked>(dev, 'people', 'enroll', joining, '--as', '@dev', '--no-wait'),
    () => "$ postern people enroll '<join string>' --as @dev",
  )
  await step('@ana enrols @dev, who may enrol three agents', () => approve(ana, asked, '--delegate', '3', '--tags', 'dev'), bothShow)
  await step(
    '@dev signs in',
    async () => {
      await postern(dev, 'people', 'enroll', '--resume', '--as', '@dev')
      await postern(dev, 'login')
    },
    noted('login'),
  )
}

async function addAgent(dev: Machine, name: string, step: Steps): Promise<Stage['agents']['honest']> {
  const atsign = parseAtSign(name)
  const joining = await joinString(dev, 'agent')
  const asked = await step(
    `${name}, an agent, makes its keys and asks to be enrolled`,
    () => postern<Asked>(dev, 'agent', 'enroll', joining, '--name', name, '--no-wait'),
    () => `$ postern agent enroll '<join string>' --name ${name}`,
  )
  await step(`@dev enrols ${name} with her own key, no administrator needed`, () => approve(dev, asked, '--tags', 'dev'), bothShow)
  return { atsign, keys: await keysOf(dev, 'agent', atsign) }
}

async function pinTools(ana: Machine, { atsign, server }: Gateway, step: Steps): Promise<void> {
  const file = join(ana.path, `${server}.risks.json`)
  await writeFile(file, JSON.stringify(risks[server as keyof typeof risks]))
  type Pinned = { readonly tools: readonly unknown[] }
  await step(
    `@ana pins the tools that ${atsign} reports, each with its risk`,
    async () => {
      await until(`${atsign} to report tools`, 60_000, async () =>
        (await postern<readonly unknown[]>(ana, 'tools', 'list', server)).length > 0 ? true : undefined,
      )
      return postern<Pinned>(ana, 'tools', 'pin', server, '--all', '--risk', 'read', '--risk-file', file, '--yes')
    },
    ({ tools }) => `$ postern tools pin ${server} --all --risk read --risk-file risks.json   ${tools.length} tools`,
  )
}

async function signPolicy(ana: Machine, policy: object, step: Steps): Promise<Uint8Array> {
  const file = join(ana.path, 'policy.json')
  const text = JSON.stringify(policy, null, 2)
  await writeFile(file, text)
  type Signed = { readonly rules: number; readonly tests: number }
  await step(
    '@ana tests and signs the policy',
    () => postern<Signed>(ana, 'policy', 'sign', file, '--yes'),
    ({ rules, tests }) => `$ postern policy sign policy.json   ${rules} rules, ${tests} tests`,
  )
  return utf8(text)
}

async function applied(stage: Pick<Stage, 'org' | 'control' | 'agents' | 'gateways'>): Promise<void> {
  const { seq } = (await readKnown(stage)).state
  const isUpToDate = (health: HealthReport) => isServing(health) && health.seq === seq
  for (const gateway of Object.values(stage.gateways)) await untilHealth(gateway, 'to serve', isUpToDate)
}

async function keysOf<K extends EdgeKind>(machine: Machine, kind: K, atsign: string): Promise<EdgeKeys<K>> {
  return edgeKeysOf(kind, await secretsOf(join(machine.state, kind, atsign, 'keys.json')), (bytes) => new Secret(bytes))
}

async function secretsOf(path: string) {
  const bytes = await readIfThere(path)
  if (!bytes) throw new Error(`${path} is not there`)
  return parseEdgeSecrets(bytes)
}
