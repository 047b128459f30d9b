import type { AtSign, EdgeKeys } from '@postern/core'
import {
  createEnrolment,
  edgeKeysOf,
  encodeEdgeSecrets,
  generateEdgeSecrets,
  KEY_FILE,
  MAX_SUSPENSION_SECONDS,
  parseEdgeSecrets,
  writePin,
} from '@postern/core'
import type { StateDir } from '@postern/daemon'
import { openStateDir, places, Secret } from '@postern/daemon'
import type { Command } from 'commander'
import { listMembers, memberFacts, memberTable } from '../authority/fleet.ts'
import { release } from '../authority/release.ts'
import { enrolmentsOf, revoke } from '../authority/revoke.ts'
import type { Context } from '../context.ts'
import type { Asked } from '../enrolment/ask.ts'
import { ask, asked, resume, sayPending, wait } from '../enrolment/ask.ts'
import { readJoinString } from '../enrolment/join.ts'
import { enrolWithInvite, readTokenFile } from '../enrolment/with-invite.ts'
import { notFound } from '../errors.ts'
import { atSignOf, durationOf, integerOf } from '../inputs.ts'
import type { Report } from '../output/report.ts'
import { openSignedIn } from '../profile/person.ts'
import { askFor } from '../prompt.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'
import { surroundings } from '../surroundings.ts'

export function register(program: Command): void {
  const agent = program.command('agent').description('Agents: programs that call tools.')
  agent
    .command('enroll')
    .description('Make keys on this machine, ask to be enrolled, and wait.')
    .argument('[join]', 'join string: <control plane>#<organisation>.<code>')
    .option('--name <atsign>', 'atSign of the agent, e.g. @ana-claude')
    .option('--owner <atsign>', 'the person it shall act for')
    .option('--token-file <file>', 'file of a fleet invite, - for stdin: enrols without waiting for anybody')
    .option('--resume', 'wait again for the request that was posted before')
    .option('--no-wait', 'post the request and end')
    .option('--headless', 'never ask; the same as --no-input')
    .action(act(enroll))
  agent.command('list').description('All agents, and whether they are there.').action(act(list))
  agent.command('show').description('One agent.').argument('<atsign>').action(act(show))
  agent
    .command('suspend')
    .description('Stop agents now and for a while, at every gateway. Release lifts it.')
    .argument('<atsign...>', 'one or several, in one signature')
    .option('--for <duration>', 'how long: 30m, 12h, 3d; at most 72 hours', '24h')
    .option('--reason <text>', 'for the record', 'no reason given')
    .option('--wait <seconds>', 'how long to wait for the gateways', '10')
    .option('--out <file>', 'also write the signed suspension there')
    .action(act(suspend))
  agent
    .command('release')
    .description('Lift the suspensions of an agent.')
    .argument('<atsign>')
    .option('--wait <seconds>', 'how long to wait for the gateways', '10')
    .action(act(releaseOne))
  agent
    .command('revoke')
    .description('End agents for ever, at every gateway.')
    .argument('<atsign...>', 'one or several, in one signature')
    .option('--reason <text>', 'for the record', 'no reason given')
    .option('--wait <seconds>', 'how long to wait for the gateways', '10')
    .option('--out <file>', 'also write the signed revocation there')
    .action(act(revokeAll))
}

async function enroll(context: Context, [joinString]: readonly string[], options: Options): Promise<Report> {
  const { environment, input } = context.settings
  const name = atSignOf(options.name ?? (await askFor('atSign of the agent', input && !options.headless, '--name @…')))
  const dir = await openStateDir('agent', name, places(environment).state)
  if (options.tokenFile !== undefined) return unattended(options.tokenFile)
  const posted = options.resume ? await resume(dir) : await post(joinString ?? '')
  const result = options.wait === false ? asked(posted) : await wait(context, posted)
  if (options.wait === false) sayPending(context, result)
  return reportOf(result, dir.path)

  async function unattended(tokenFile: string) {
    const token = await readTokenFile(tokenFile)
    const make = async (owner: AtSign | undefined) => {
      await writePin(dir, { org: token.join.org, control: token.join.control })
      const who = { kind: 'agent', atsign: name, ...(owner ? { owner } : {}) } as const
      return createEnrolment(token.join, who, Object.values(await keysIn(dir)), surroundings)
    }
    return reportOf(await enrolWithInvite(context, token, { kind: 'agent', atsign: name }, make), dir.path)
  }

  async function post(text: string) {
    const join = readJoinString(text)
    const owner = options.owner === undefined ? {} : { owner: atSignOf(options.owner) }
    return ask(context, join, dir, async () => {
      await writePin(dir, { org: join.org, control: join.control })
      return createEnrolment(join, { kind: 'agent', atsign: name, ...owner }, Object.values(await keysIn(dir)), surroundings)
    })
  }
}

/** The keys that are there, or new ones, 0600. */
async function keysIn(dir: StateDir): Promise<EdgeKeys<'agent'>> {
  const known = await dir.readPrivate(KEY_FILE)
  if (!known) await dir.write(KEY_FILE, encodeEdgeSecrets(generateEdgeSecrets('agent', surroundings.random)))
  const bytes = known ?? (await dir.readPrivate(KEY_FILE))!
  return edgeKeysOf('agent', parseEdgeSecrets(bytes), (secret) => new Secret(secret))
}

const reportOf = (result: Asked, state: string): Report => ({
  schema: 'agent.enroll',
  data: { ...result, state },
  ids: [result.atsign],
  facts: [
    ['agent', result.atsign],
    ['status', result.status],
    ['words', result.words.join(' ')],
    ['approved by', result.approved_by],
    ['state', state],
  ],
  hints: [`→ postern client print claude-desktop <server> --agent ${result.atsign}`],
})

async function list(context: Context): Promise<Report> {
  const { client } = await openSignedIn(context.settings)
  const { members, seq } = await listMembers(client, 'agent')
  return memberTable('agent.list', members, seq)
}

async function show(context: Context, [atsign = '']: readonly string[]): Promise<Report> {
  const { client } = await openSignedIn(context.settings)
  const { members } = await listMembers(client, 'agent')
  const member = members.find((one) => one.atsign === atsign)
  if (!member) throw notFound(`there is no agent ${atsign}`, 'postern agent list')
  return { schema: 'agent.show', data: member, ids: [atsign], facts: memberFacts(member) ?? [] }
}

const stoppingOf = (options: Options) => ({
  reason: options.reason,
  waitSeconds: integerOf(options.wait, '--wait', 0, 3600),
  out: options.out,
})

async function revokeAll(context: Context, atsigns: readonly string[], options: Options): Promise<Report> {
  const person = await openSignedIn(context.settings)
  return revoke(context, person, 'agent.revoke', enrolmentsOf(atsigns, 'agent'), stoppingOf(options))
}

async function suspend(context: Context, atsigns: readonly string[], options: Options): Promise<Report> {
  const suspendSeconds = durationOf(options.for, '--for', MAX_SUSPENSION_SECONDS)
  const person = await openSignedIn(context.settings)
  return revoke(context, person, 'agent.suspend', enrolmentsOf(atsigns, 'agent'), { ...stoppingOf(options), suspendSeconds })
}

async function releaseOne(context: Context, [atsign = '']: readonly string[], options: Options): Promise<Report> {
  return release(context, await openSignedIn(context.settings), 'agent', atsign, integerOf(options.wait, '--wait', 0, 3600))
}
