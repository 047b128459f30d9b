import { resolve } from 'node:path'
import type { Grant, GrantDetail } from '@postern/core'
import type { Command } from 'commander'
import type { FindTarget } from '../authority/revoke.ts'
import { revoke } from '../authority/revoke.ts'
import type { Context } from '../context.ts'
import { notFound, usageError } from '../errors.ts'
import { conditionsOf } from '../grants/conditions.ts'
import type { HeldGrant } from '../grants/grant-files.ts'
import { listGrantFiles, readGrantFile, writeGrant } from '../grants/grant-files.ts'
import { openLocalAgent, readAgentAuthority } from '../grants/local-agent.ts'
import { requestGrant } from '../grants/request-grant.ts'
import { atSignOf, integerOf, toolOf } from '../inputs.ts'
import { soleAgent } from '../local.ts'
import { shortId, state as stateCell, when } from '../output/cell.ts'
import type { Report } from '../output/report.ts'
import { openSignedIn } from '../profile/person.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'
import { now } from '../surroundings.ts'

export function register(program: Command): void {
  const grant = program.command('grant').description('Short-lived permissions, given by a gateway to an agent.')
  grant
    .command('request')
    .description('Ask as an agent of this machine; the ask is sealed to the gateway. Prints where the grant is.')
    .argument('<tools...>', 'server.tool, e.g. fs.read_text_file')
    .option('--agent <atsign>', 'who asks; default: the only agent here')
    .option('--when <argument.condition=value>', 'narrower than the policy: path.prefix=/notes; several times', collect)
    .option('--unnamed <effect>', 'allow: arguments that no --when names may be anything')
    .option('--intent <text>', 'what for, for people; never an input to a decision')
    .option('--out <file>', 'where the grant goes; default: beside the agent’s keys')
    .action(act(request))
  grant
    .command('list')
    .description('Grants on this machine; with --asked, who asked the gateways over the control plane.')
    .option('--asked', 'what the control plane carried: sealed, so never what was asked for')
    .option('--limit <number>', 'with --asked', '50')
    .option('--before <seconds>', 'with --asked: older than this, Unix seconds')
    .action(act(list))
  grant
    .command('revoke')
    .description('End one grant before its time, at its gateway.')
    .argument('<grant>', 'its hash (43 characters, gth of receipts), or the file that holds it')
    .option('--reason <text>', 'for the record', 'no reason given')
    .option('--wait <seconds>', 'how long to wait for the gateways', '10')
    .option('--out <file>', 'also write the signed revocation there')
    .action(act(revokeOne))
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

async function request(context: Context, typed: readonly string[], options: Options): Promise<Report> {
  const { environment } = context.settings
  const { unnamed, intent } = options
  if (unnamed !== undefined && unnamed !== 'allow') throw usageError(`--unnamed takes allow, not ${unnamed}`)
  const args = conditionsOf(options.when ?? [])
  const agent = await openLocalAgent(options.agent ? atSignOf(options.agent) : ((await soleAgent(environment)) as never), environment)
  const known = await readAgentAuthority(agent)
  for (const warning of known.warnings) context.warn(warning)
  const tools = typed.map((tool) => toolOf(tool, known.state.servers.keys()))
  const { token } = await requestGrant(agent, known, { tools, args, ...(unnamed ? { unnamed } : {}), ...(intent ? { intent } : {}) })
  const path = await writeGrant(agent.dir.folder, token, options.out && resolve(options.out))
  const held = (await readGrantFile(path))!
  const server = tools[0]!.server
  return {
    schema: 'grant.request',
    data: dataOf(held),
    ids: [path],
    facts: [
      ['grant', held.hash],
      ['agent', held.grant.sub],
      ['gateway', held.grant.iss],
      ['tools', toolsOf(held.grant)],
      ['ends', when(held.grant.exp)],
      ['calls', held.grant.max],
      ['file', path],
    ],
    hints: [`→ postern call ${typed[0]} '{…}' --grant ${path}`, `→ postern connector run ${server} --grant ${path}`],
  }
}

const detailText = ({ server, tool, args }: GrantDetail): string =>
  `${server}.${tool}${args.length > 0 ? ` where ${args.map(({ arg, is }) => `${arg} ${JSON.stringify(is)}`).join(', ')}` : ''}`

const toolsOf = ({ authorization_details: details }: Grant) => details.map(detailText)

const dataOf = ({ hash, grant, path }: HeldGrant) => ({
  grant: hash,
  path,
  agent: grant.sub,
  gateway: grant.iss,
  nbf: grant.nbf,
  exp: grant.exp,
  payload: grant,
})

async function list(context: Context, _args: readonly string[], options: Options): Promise<Report> {
  if (options.asked) return listAsked(context, options)
  const held = await listGrantFiles(context.settings.environment)
  return {
    schema: 'grant.list',
    data: held.map(dataOf),
    ids: held.map(({ hash }) => hash),
    table: {
      columns: ['grant', 'state', 'agent', 'gateway', 'ends', 'tools'],
      rows: held.map(({ hash, grant }) => [shortId(hash), standingOf(grant), grant.sub, grant.iss, when(grant.exp), toolsOf(grant)]),
      empty: 'no grant is kept here; connectors hold theirs in memory, for a minute or so',
    },
  }
}

const standingOf = ({ exp }: Grant) => stateCell(exp > now() ? 'live' : 'expired')

interface AskedJson {
  readonly id: string
  readonly agent: string
  readonly gateway: string
  readonly at: number
  readonly outcome: 'answered' | 'unreachable'
  readonly ask_bytes: number
  readonly answer_bytes?: number
  readonly ms: number
}

/** The control plane's word: it carried these, and could not read them. */
async function listAsked(context: Context, { limit, before }: Options): Promise<Report> {
  const { client } = await openSignedIn(context.settings)
  const count = integerOf(limit, '--limit', 1, 500)
  const older = before === undefined ? '' : `&before=${Number(before) || 0}`
  const { grants } = await client.call<{ grants: readonly AskedJson[] }>(`/api/v1/grants?limit=${count}${older}`)
  const last = grants.at(-1)
  return {
    schema: 'grant.list.asked',
    data: grants,
    next: grants.length === count && last ? String(last.at) : undefined,
    ids: grants.map(({ id }) => id),
    table: {
      columns: ['id', 'when', 'agent', 'gateway', 'outcome', 'took'],
      rows: grants.map(({ id, at, agent, gateway, outcome, ms }) => [shortId(id), when(at), agent, gateway, outcome, `${ms} ms`]),
      empty: 'nobody has asked for a grant over the control plane',
    },
  }
}

async function revokeOne(context: Context, [typed = '']: readonly string[], options: Options): Promise<Report> {
  const person = await openSignedIn(context.settings)
  return revoke(context, person, 'grant.revoke', await targetOf(typed), {
    reason: options.reason,
    waitSeconds: integerOf(options.wait, '--wait', 0, 3600),
    out: options.out,
  })
}

/** @throws {CliError} NOT_FOUND */
async function targetOf(typed: string): Promise<FindTarget> {
  const id = /^[A-Za-z0-9_-]{43}$/.test(typed) ? typed : (await readGrantFile(resolve(typed)))?.hash
  if (id === undefined) throw notFound(`${typed} is neither the hash of a grant nor a file that holds one`, 'postern grant list')
  return () => ({ kind: 'grant', id })
}
