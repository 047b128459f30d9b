import type { Identity, Policy, State } from '@postern/core'
import { access } from '@postern/core'
import type { Context } from '../context.ts'
import { actorOf } from '../context.ts'
import { policyInForce } from '../policy/in-force.ts'
import { dateOf } from '../time.ts'

/** A tool that an agent may call with some arguments, by the policy and the pins of the log. */
export interface Reach {
  readonly server: string
  readonly tool: string
  readonly gateway: string
  readonly risk: string
  readonly effect: 'allow' | 'ask'
  readonly rule?: string
}

/** What this agent could be allowed, as gateways compute it; standing and limits are looked at when it calls. */
export function reachOf(state: State, policy: Policy | undefined, { atsign, tags, owner, servers }: Identity): readonly Reach[] {
  if (!policy) return []
  const subject = { atsign, tags, ...(owner === undefined ? {} : { owner }) }
  return [...state.servers.values()]
    .filter(({ server }) => !servers || servers.includes(server))
    .flatMap(({ server, gateway, tools }) =>
      [...tools].flatMap(([tool, { risk }]) => {
        const { effect, rule } = access(policy, subject, server, tool, risk)
        return effect === 'deny' ? [] : [{ server, tool, gateway, risk, effect, ...(rule === undefined ? {} : { rule }) }]
      }),
    )
}

/** Whoever falls with these names: agents that they own or enrolled. */
export function fallingWith(state: State, names: ReadonlySet<string>): readonly Identity[] {
  const enrolments = new Set([...names].flatMap((name) => state.identities.get(name as never)?.enrolment ?? []))
  return [...state.identities.values()].filter(
    ({ atsign, owner, broughtBy }) =>
      !names.has(atsign) && ((owner && names.has(owner)) || (broughtBy?.enrolment && enrolments.has(broughtBy.enrolment))),
  )
}

/**
 * What stopping these names stops, as far as is known here: grants that gateways report, who holds an event stream or a session, which tools
 * at which gateways become unreachable for them. Sessions between agents and gateways do not pass here and are not counted.
 */
export async function blastOf(context: Context, names: readonly string[]) {
  const { org } = actorOf(context)
  const { control } = context
  const { state } = control.ledger
  const chosen = new Set(names)
  const falling = state ? fallingWith(state, chosen) : []
  const all = [...chosen, ...falling.map(({ atsign }) => atsign as string)]
  const policy = await policyInForce(control)
  const identities = all.flatMap((name) => state?.identities.get(name as never) ?? [])
  const agents = identities.filter(({ kind }) => kind === 'agent')
  const gateways = identities.filter(({ kind }) => kind === 'gateway').map(({ atsign }) => atsign as string)
  const reach = agents.flatMap((agent) => reachOf(state!, policy, agent))
  const now = dateOf(control.now())
  const [grants, sessions] = await Promise.all([
    control.db.prisma.reportedGrant.count({
      where: { org, endedAt: null, expiresAt: { gt: now }, OR: [{ agent: { in: all } }, { gateway: { in: gateways } }] },
    }),
    control.db.prisma.session.count({ where: { org, atsign: { in: all }, endedAt: null, expiresAt: { gt: now } } }),
  ])
  const attached = new Set(control.streams.attached(org))
  const fronted = [...(state?.servers.values() ?? [])].filter(({ gateway }) => gateways.includes(gateway))
  return {
    names: [...chosen],
    falling: falling.map(({ atsign, kind }) => ({ atsign: atsign as string, kind })),
    ...{ grants, sessions, connected: all.filter((name) => attached.has(name)).length },
    tools: new Set(reach.map(({ server, tool }) => `${server}\n${tool}`)).size,
    at_gateways: new Set(reach.map(({ gateway }) => gateway)).size,
    served: { servers: fronted.length, tools: fronted.reduce((sum, { tools }) => sum + tools.size, 0) },
    admins: identities.filter(({ admin }) => admin).map(({ atsign }) => atsign as string),
  }
}
