import { hostname } from 'node:os'
import { formatJoinString, MAX_SUSPENSION_SECONDS } from '@postern/core'
import type { Running } from '@postern/daemon'
import { createLog, openStateDir, places, readHealth, readIfThere, runMain } from '@postern/daemon'
import {
  addServer,
  applyRevocationFile,
  configPath,
  enrolGateway,
  healthName,
  readGatewayConfig,
  start,
  systemDeps,
} from '@postern/gateway'
import type { Command } from 'commander'
import { listMembers, memberFacts, memberTable } from '../authority/fleet.ts'
import { release } from '../authority/release.ts'
import { enrolmentsOf, revoke } from '../authority/revoke.ts'
import type { Context } from '../context.ts'
import type { Asked } from '../enrolment/ask.ts'
import { ask, asked, resume, sayPending, wait } from '../enrolment/ask.ts'
import { readJoinString } from '../enrolment/join.ts'
import { enrolWithInvite, readTokenFile } from '../enrolment/with-invite.ts'
import { CliError, notFound, usageError } from '../errors.ts'
import { atSignOf, durationOf, integerOf } from '../inputs.ts'
import { soleGateway } from '../local.ts'
import type { Report } from '../output/report.ts'
import { openSignedIn } from '../profile/person.ts'
import type { Options } from '../run.ts'
import { act, finish } from '../run.ts'
import { surroundings } from '../surroundings.ts'

export function register(program: Command): void {
  const gateway = program.command('gateway').description('Gateways: enforcement beside MCP servers.')
  gateway
    .command('enroll')
    .description('Make keys on this machine, ask to be enrolled, wait, and run.')
    .argument('[join]', 'join string: <control plane>#<organisation>.<code>')
    .argument('[command...]', 'behind --: the command of the MCP server that --server names')
    .option('--name <atsign>', 'atSign of the gateway; default: @gw- and the name of this machine')
    .option('--server <name>', 'name of the MCP server behind it')
    .option('--token-file <file>', 'file of a fleet invite, - for stdin: enrols without waiting for anybody')
    .option('--resume', 'wait again for the request that was posted before')
    .option('--no-wait', 'post the request and end')
    .option('--no-run', 'end when it is enrolled')
    .action(act(enroll))
  gateway.command('run').description('Run a gateway of this machine.').argument('[atsign]', 'default: the only one here').action(act(run))
  gateway.command('list').description('All gateways, and whether they are there.').action(act(list))
  gateway.command('show').description('One gateway.').argument('<atsign>').action(act(show))
  gateway
    .command('apply')
    .description('Hand a signed revocation to a gateway of this machine, past the control plane.')
    .argument('<file>', 'written by revoke --out')
    .option('--gateway <atsign>', 'default: the only one here')
    .action(act(apply))
  gateway
    .command('suspend')
    .description('Stop gateways now and for a while, at every gateway. Release lifts it.')
    .argument('<atsign...>', 'one or several, in one signature')
    .option('--for <duration>', 'how long: 30m, 12h, 3d; at most 72 hours', '24h')
    .option('--reason <text>', 'for the record', 'no reason given')
    .option('--wait <seconds>', 'how long to wait for the other gateways', '10')
    .option('--out <file>', 'also write the signed suspension there')
    .action(act(suspend))
  gateway
    .command('release')
    .description('Lift the suspensions of a gateway.')
    .argument('<atsign>')
    .option('--wait <seconds>', 'how long to wait for the gateways', '10')
    .action(act(releaseOne))
  gateway
    .command('revoke')
    .description('End gateways for ever.')
    .argument('<atsign...>', 'one or several, in one signature')
    .option('--reason <text>', 'for the record', 'no reason given')
    .option('--wait <seconds>', 'how long to wait for the other gateways', '10')
    .option('--out <file>', 'also write the signed revocation there')
    .action(act(revokeAll))
}

async function enroll(context: Context, [joinString, ...command]: readonly string[], options: Options): Promise<Report | undefined> {
  const { environment } = context.settings
  const stateRoot = places(environment).state
  const name = atSignOf(options.name ?? defaultName())
  const dir = await openStateDir('gateway', name, stateRoot)
  if (options.tokenFile !== undefined) return unattended(options.tokenFile)
  const posted = options.resume ? await resume(dir) : await post(joinString ?? '')
  const result = options.wait === false ? asked(posted) : await wait(context, posted)
  if (options.wait === false) sayPending(context, result)
  return goOn(result, options.wait !== false)

  async function goOn(result: Asked, isEnrolled: boolean): Promise<Report | undefined> {
    const report = reportOf(result, dir.path)
    if (!isEnrolled || options.run === false) return report
    finish(report, context)
    return run(context, [name])
  }

  /** There is no join string then: the first word behind -- is the program. */
  async function unattended(tokenFile: string) {
    const token = await readTokenFile(tokenFile)
    await addFirstServer(
      context,
      name,
      options.server,
      [joinString, ...command].flatMap((word) => word ?? []),
    )
    const make = () => enrolGateway(formatJoinString(token.join), { atsign: name, stateRoot }, surroundings)
    return goOn(await enrolWithInvite(context, token, { kind: 'gateway', atsign: name }, make), true)
  }

  async function post(text: string) {
    const join = readJoinString(text)
    await addFirstServer(context, name, options.server, command)
    return ask(context, join, dir, () => enrolGateway(text, { atsign: name, stateRoot }, surroundings))
  }
}

const defaultName = () =>
  `@gw-${hostname()
    .toLowerCase()
    .split('.')[0]!
    .replace(/[^a-z0-9_-]/g, '-')}`.slice(0, 56)

async function addFirstServer(context: Context, atsign: string, server: string | undefined, command: readonly string[]): Promise<void> {
  if (server === undefined && command.length === 0) return
  const [program, ...args] = command
  if (server === undefined || program === undefined)
    throw usageError('--server and a command belong together', '… --server fs -- npx -y @modelcontextprotocol/server-filesystem ~/notes')
  const path = configPath(atsign, places(context.settings.environment).config)
  await addServer(path, server, { command: program, args, cwd: process.cwd() }, { replace: true })
  context.say(`✓ Server ${server} in ${path}`)
}

const reportOf = (result: Asked, state: string): Report => ({
  schema: 'gateway.enroll',
  data: { ...result, state },
  ids: [result.atsign],
  facts: [
    ['gateway', result.atsign],
    ['status', result.status],
    ['words', result.words.join(' ')],
    ['approved by', result.approved_by],
    ['state', state],
  ],
  hints: [`→ postern gateway run ${result.atsign}`],
})

async function run(context: Context, [given]: readonly string[]): Promise<undefined> {
  const { environment, verbose, debug } = context.settings
  const atsign = given ? atSignOf(given) : await soleGateway(environment)
  const log = createLog('gateway', { level: debug || verbose ? 'debug' : 'info' })
  const config = await readGatewayConfig(atsign, environment)
  await runMain('gateway', (): Promise<Running> => start(config, systemDeps(log)), { log })
}

async function list(context: Context): Promise<Report> {
  const { client } = await openSignedIn(context.settings)
  const { members, seq } = await listMembers(client, 'gateway')
  return memberTable('gateway.list', members, seq)
}

async function show(context: Context, [atsign = '']: readonly string[]): Promise<Report> {
  const { client } = await openSignedIn(context.settings)
  const { members } = await listMembers(client, 'gateway')
  const member = members.find((one) => one.atsign === atsign)
  if (!member) throw notFound(`there is no gateway ${atsign}`, 'postern gateway list')
  const here = await readHealth(healthName(atsign), places(context.settings.environment))
  return {
    schema: 'gateway.show',
    data: { ...member, here: here ?? null },
    ids: [atsign],
    facts: [...(memberFacts(member) ?? []), ['on this machine', here ? `running, ${here.status}` : undefined]],
  }
}

const OUTCOMES = { applied: 'done', waiting: 'pending', refused: 'verification' } as const

async function apply(context: Context, [path = '']: readonly string[], options: Options): Promise<Report> {
  const { environment } = context.settings
  const atsign = options.gateway ? atSignOf(options.gateway) : await soleGateway(environment)
  const file = await readIfThere(path)
  if (!file) throw notFound(`there is no file ${path}`)
  const outcome = await applyRevocationFile(atsign, file, { stateRoot: places(environment).state })
  if (outcome === 'refused') {
    throw new CliError('VERIFICATION_FAILED', `${atsign} refused the revocation`, {
      why: 'it is not signed by anybody who may revoke this, or the gateway does not know its target',
      exit: 'verification',
    })
  }
  const text =
    outcome === 'applied' ? `✓ applied by ${atsign}` : `◌ handed to ${atsign}, which is not running: it counts from its next start`
  return { schema: 'gateway.apply', data: { gateway: atsign, outcome }, ids: [atsign], lines: [text], exit: OUTCOMES[outcome] }
}

const stoppingOf = (options: Options) => ({
  reason: options.reason,
  waitSeconds: integerOf(options.wait, '--wait', 0, 3600),
  out: options.out,
})

async function revokeAll(context: Context, atsigns: readonly string[], options: Options): Promise<Report> {
  const person = await openSignedIn(context.settings)
  return revoke(context, person, 'gateway.revoke', enrolmentsOf(atsigns, 'gateway'), stoppingOf(options))
}

async function suspend(context: Context, atsigns: readonly string[], options: Options): Promise<Report> {
  const suspendSeconds = durationOf(options.for, '--for', MAX_SUSPENSION_SECONDS)
  const person = await openSignedIn(context.settings)
  return revoke(context, person, 'gateway.suspend', enrolmentsOf(atsigns, 'gateway'), { ...stoppingOf(options), suspendSeconds })
}

async function releaseOne(context: Context, [atsign = '']: readonly string[], options: Options): Promise<Report> {
  return release(context, await openSignedIn(context.settings), 'gateway', atsign, integerOf(options.wait, '--wait', 0, 3600))
}
