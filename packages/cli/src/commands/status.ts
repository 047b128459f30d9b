import type { State } from '@postern/core'
import { createControlClient, organisationWords } from '@postern/core'
import type { Command } from 'commander'
import { gatewaysThatServe, readAcks } from '../authority/acks.ts'
import { syncAuthority } from '../authority/authority.ts'
import type { Member } from '../authority/fleet.ts'
import { listMembers } from '../authority/fleet.ts'
import type { Context } from '../context.ts'
import { listEnrolments, listStatements } from '../enrolment/queue.ts'
import { when } from '../output/cell.ts'
import type { Report } from '../output/report.ts'
import type { SignedIn } from '../profile/person.ts'
import { openPerson } from '../profile/person.ts'
import { readSession } from '../profile/session.ts'
import { act } from '../run.ts'
import { surroundings } from '../surroundings.ts'

export function register(program: Command): void {
  program.command('status').description('The organisation at a glance.').action(act(status))
}

interface Health {
  readonly status: string
  readonly version: string
  readonly database: string
}

async function status(context: Context): Promise<Report> {
  const person = await openPerson(context.settings)
  const { profile, dir } = person
  const began = performance.now()
  const health = await createControlClient(profile.control, undefined, surroundings).call<Health>('/api/health')
  const control = { url: profile.control, ...health, ms: Math.round(performance.now() - began) }
  const session = await readSession(dir)
  const signedIn = session && { ...person, session, client: createControlClient(profile.control, session, surroundings) }
  const view = signedIn ? await readView(context, signedIn) : undefined
  const data = {
    control,
    organisation: { org: profile.org, words: organisationWords(profile.org) },
    person: session ? { atsign: profile.atsign, expires: session.expires } : null,
    ...view,
  }
  return {
    schema: 'status',
    data,
    ids: [profile.org],
    facts: [
      ['organisation', view?.organisation.name ?? profile.org],
      ['control plane', `${profile.control} · ${health.version} · ${health.status} · ${control.ms} ms`],
      ['signed in', session ? profile.atsign : 'no'],
      ...(session ? [['until', when(session.expires)] as const] : []),
      ...(view ? factsOf(view) : []),
    ],
    hints: [
      ...(session ? [] : ['! postern login']),
      ...(view && view.waiting > 0 ? [`! ${view.waiting} waiting for you: postern pending`] : []),
    ],
  }
}

type View = Awaited<ReturnType<typeof readView>>

async function readView(context: Context, { client, dir, profile }: SignedIn) {
  const { state, revocations, warnings } = await syncAuthority(dir, profile.org, client)
  for (const warning of warnings) context.warn(warning)
  const [gateways, agents, acks] = await Promise.all([
    listMembers(client, 'gateway'),
    listMembers(client, 'agent'),
    readAcks(client, state),
  ])
  const serving = gatewaysThatServe(state, revocations)
  const behind = serving.filter((gateway) => !acks.some((ack) => ack.iss === gateway && ack.seq >= state.seq))
  const isAdmin = state.identities.get(profile.atsign as never)?.admin === true
  const enrolments = await listEnrolments(client, state)
  const statements = isAdmin ? await listStatements(client) : []
  return {
    organisation: { org: state.org, name: state.name, words: organisationWords(state.org) },
    log: { seq: state.seq, head: state.head, applied_by: serving.length - behind.length, gateways: serving.length, behind },
    ...{ gateways: countsOf(gateways.members), agents: countsOf(agents.members) },
    policy: policyOf(state),
    waiting: enrolments.length + statements.length,
  }
}

const countsOf = (members: readonly Member[]) => {
  const live = members.filter(({ state }) => state === 'live')
  return { enrolled: live.length, online: live.filter(({ presence }) => presence?.online).length, ended: members.length - live.length }
}

const policyOf = ({ policy }: State) => (policy ? { name: policy.name, sha256: policy.sha256, seq: policy.seq } : null)

const factsOf = ({ log, gateways, agents, policy }: View) =>
  [
    ['log', `verified here · ${log.seq + 1} statements · applied by ${log.applied_by} of ${log.gateways} gateways`],
    ...(log.behind.length > 0 ? [['behind', log.behind] as const] : []),
    ['gateways', `${gateways.enrolled} enrolled, ${gateways.online} online`],
    ['agents', `${agents.enrolled} enrolled, ${agents.online} online`],
    ['policy', policy ? `${policy.name} (statement ${policy.seq})` : 'none: nothing is allowed'],
  ] as const
