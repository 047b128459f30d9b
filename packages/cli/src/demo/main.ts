// The demo's people and machines, as a process beside control plane, signer and relay (`postern up --seed-demo`). They are simulated: one
// directory holds all their keys, which in earnest are made and kept where each of them is. What they sign is real, and is checked as ever.
import type { Bodies, Signature } from '@postern/core'
import { decodeBase64url, encodeBase64url, parseAtSign, parseEnrolmentRequest, signerRequestUrl, toolDigest } from '@postern/core'
import { createLog, openStateDir } from '@postern/daemon'
import { now, surroundings } from '../surroundings.ts'
import { renewSecret } from '../up/genesis-link.ts'
import { readOverview } from '../up/health.ts'
import { VERSION } from '../version.ts'
import { agentNames, definitionOf, GATEWAYS, PEOPLE } from './cast.ts'
import { readDemoConfig } from './config.ts'
import { rememberPolicy, SimulatedGateway } from './gateway.ts'
import type { DemoEdge } from './organisation.ts'
import { DemoOrganisation } from './organisation.ts'

const { control, signer, data, agents: agentCount } = readDemoConfig()
const log = createLog('demo', { level: 'info' })
/** Told to `up`, which prints it: where a visitor makes a passkey of their own. */
const CODE_MINUTES = 60
const DAY = 86_400
const CALL_EVERY_MS = 900
const ROUND_EVERY_MS = 8_000
const PEOPLE_NAMES = PEOPLE.map(({ atsign }) => atsign as string)

async function main(): Promise<void> {
  const dir = await openStateDir('demo', 'organisation', data)
  const known = (await readOverview(control))?.organisation
  const organisation = known
    ? await DemoOrganisation.reopen(control, known.org, dir)
    : await found(await DemoOrganisation.found(control, signer, await renewSecret(data), dir))
  if (!organisation) throw new Error('this data directory holds an organisation that is no demo: start with --data <another directory>')
  for (const approvers of visitorsOf(organisation)) rememberPolicy(approvers)
  const gateways = await Promise.all(
    GATEWAYS.filter(({ mood }) => mood !== 'silent').map(
      async (cast) => new SimulatedGateway(cast, (await organisation.findEdge('gateway', cast.atsign))!, organisation),
    ),
  )
  const agents = (await Promise.all(agentNames(agentCount).map(({ atsign }) => organisation.findEdge('agent', atsign)))).filter(
    (edge) => edge !== undefined,
  )
  const streams = gateways.map((gateway) => gateway.follow(warn))
  let round = 0
  const play = async () => {
    await organisation.refresh()
    await welcome(organisation)
    for (const gateway of gateways) {
      await gateway.acknowledge()
      await gateway.report(round % 8 === 0)
      await gateway.sweep()
    }
    for (const [at, agent] of agents.entries()) if (at % 3 === round % 3) await present(agent, at)
    round += 1
  }
  await play()
  await invite(organisation)
  repeat(ROUND_EVERY_MS, play)
  repeat(CALL_EVERY_MS, () => someCall(gateways, agents))
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void Promise.all(streams.map((stream) => stream.close())).then(() => process.exit(0)))
}

/** A small organisation as it would have come to be: enrolments, pins, a policy, some who left, some who wait. */
async function found(organisation: DemoOrganisation): Promise<DemoOrganisation> {
  for (const { atsign, agents } of PEOPLE) await organisation.enrolPerson(atsign, agents)
  for (const { atsign, tags, servers } of GATEWAYS) {
    await organisation.enrolEdge('gateway', atsign, { tags })
    for (const { name, tools } of servers) {
      const set = tools
        .filter(({ name: tool }) => tool !== 'delete_file') // one that nobody has pinned yet
        .map((tool) => ({ name: tool.name, digest: toolDigest(definitionOf(tool), surroundings.suite), risk: tool.risk }))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
      await organisation.append('server.pin', { gateway: parseAtSign(atsign), server: name, set, unset: [] } as Bodies['server.pin'])
    }
  }
  await organisation.signPolicy(rememberPolicy(PEOPLE_NAMES))
  const names = agentNames(agentCount)
  for (const [at, { atsign, owner, tags }] of names.entries())
    await organisation.enrolEdge('agent', atsign, { owner, tags, ...(at % 23 === 7 ? { leaseSeconds: 60 } : {}) })
  const enrolmentOf = (at: number) => ({
    kind: 'enrolment' as const,
    id: organisation.state.identities.get(parseAtSign(names[at]!.atsign))!.enrolment,
  })
  if (names.length > 12) {
    await organisation.revoke([enrolmentOf(5), enrolmentOf(11)], 'laptop lost')
    await organisation.revoke([enrolmentOf(8)], 'odd behaviour, being looked at', now() + 2 * DAY)
  }
  await organisation.ask('gateway', '@gw-lyon', { host: 'lyo-1.example', os: 'linux 6.1 x64', version: VERSION })
  await organisation.ask(
    'agent',
    '@cleo-notebook',
    { host: 'cleo-mbp', os: 'darwin 25 arm64', version: VERSION, client: 'claude-desktop' },
    '@cleo',
  )
  log.info({ org: organisation.org, statements: organisation.state.seq + 1 }, 'demo organisation founded')
  return organisation
}

/** Whoever uses the demo's own invitation becomes an administrator who may approve: the one thing here that nobody compares words for. */
async function welcome(organisation: DemoOrganisation): Promise<void> {
  type Pending = { kind: string; request: string; proofs: Signature[]; invited_by: string }
  const { enrolments } = await organisation.client.call<{ enrolments: Pending[] }>('/api/v1/enrolments')
  const visitors = enrolments.filter(({ kind, invited_by }) => kind === 'person' && invited_by === '@demo')
  for (const { request, proofs } of visitors) {
    const { atsign } = parseEnrolmentRequest(decodeBase64url(request))
    await organisation.append('admin.add', { request: encodeBase64url(decodeBase64url(request)), proofs } as Bodies['admin.add'])
    await organisation.signPolicy(rememberPolicy([...PEOPLE_NAMES, ...adminsOf(organisation)]))
    log.info({ atsign }, 'a visitor is an administrator of the demo now')
    await invite(organisation)
  }
}

const adminsOf = ({ state }: DemoOrganisation): readonly string[] =>
  [...state.identities.values()]
    .filter(({ admin, atsign }) => admin && atsign !== '@demo')
    .map(({ atsign }) => atsign)
    .sort()

/** The policies that may be in force: one for each number of visitors so far. */
const visitorsOf = (organisation: DemoOrganisation): readonly (readonly string[])[] => {
  const visitors = adminsOf(organisation)
  return [PEOPLE_NAMES, ...visitors.map((_, at) => [...PEOPLE_NAMES, ...visitors.slice(0, at + 1)]), [...PEOPLE_NAMES, ...visitors]]
}

async function invite(organisation: DemoOrganisation): Promise<void> {
  const { code } = await organisation.client.call<{ code: string }>('/api/v1/codes', { json: { kind: 'person', minutes: CODE_MINUTES } })
  const link = signerRequestUrl(signer, { v: 1, kind: 'enrolment', control, org: organisation.org, code })
  log.info({ link }, 'demo invitation')
}

async function present({ client, atsign }: DemoEdge<'agent'>, at: number): Promise<void> {
  if (at % 5 === 4) return // some stay away
  const json = { version: at % 11 === 3 ? '0.0.9' : VERSION, host: `${atsign.slice(1).split('-')[0]}-laptop` }
  await client.call('/api/v1/presence', { json }).catch(warn) // revoked and expired ones are refused, as they should be
}

const pick = (n: number): number => Math.floor((surroundings.random(1)[0]! / 256) * n)

async function someCall(gateways: readonly SimulatedGateway[], agents: readonly DemoEdge<'agent'>[]): Promise<void> {
  const gateway = gateways[pick(gateways.length)]!
  const server = gateway.servers[pick(gateway.servers.length)]!
  const tool = server.tools[pick(server.tools.length)]!
  await gateway.call(agents[pick(agents.length)]!.atsign, server, tool, pick)
}

/** One after the other, and again in a moment when it fails. */
function repeat(everyMs: number, work: () => Promise<void>): void {
  const next = () => setTimeout(() => void work().catch(warn).then(next), everyMs)
  next()
}
const warn = (error: unknown): void => log.debug({ code: (error as { code?: string }).code ?? String(error) }, 'a step of the demo failed')

await main()
