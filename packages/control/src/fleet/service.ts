import type { Identity } from '@postern/core'
import { keyIdOf, standingOf } from '@postern/core'
import type { z } from 'zod'
import type { Context, Control } from '../context.ts'
import { actorOf } from '../context.ts'
import { ControlError } from '../errors.ts'
import { secondsOf } from '../time.ts'
import { isPresent } from './attendance.ts'
import type { StoredClients } from './report.ts'
import type { admittedInput, listAnswer, listQuery, toolsAnswer } from './schema.ts'

/** Everybody who is enrolled, by atSign, with what the log, the acks and the edges themselves say. */
export async function listFleet(context: Context, { kind, after, limit = 200 }: z.output<typeof listQuery>) {
  const { org } = actorOf(context)
  const { db, ledger } = context.control
  const where = { org, ...(kind ? { kind } : {}), ...(after ? { atsign: { gt: after } } : {}) }
  const rows = await db.prisma.identity.findMany({ where, orderBy: { atsign: 'asc' }, take: limit, select: { atsign: true } })
  const names = rows.map((row) => row.atsign)
  const facts = await factsOf(context.control, org, names)
  const identities = names.flatMap((name) => ledger.state?.identities.get(name as Identity['atsign']) ?? [])
  const members = identities.map((identity) => memberOf(context.control, identity, facts))
  return { members, head: ledger.head(), next: rows.length === limit ? rows.at(-1)!.atsign : null } satisfies z.input<typeof listAnswer>
}

type Facts = Awaited<ReturnType<typeof factsOf>>
async function factsOf({ db, streams }: Control, org: string, names: string[]) {
  const [presence, acks] = await Promise.all([
    db.prisma.presence.findMany({ where: { org, atsign: { in: names } } }),
    db.prisma.ack.findMany({
      where: { org, gateway: { in: names } },
      distinct: ['gateway'],
      orderBy: [{ gateway: 'asc' }, { id: 'desc' }],
    }),
  ])
  return {
    presence: new Map(presence.map((row) => [row.atsign, row])),
    acks: new Map(acks.map((row) => [row.gateway, row])),
    attached: new Set(streams.attached(org)),
  }
}

function memberOf(
  control: Control,
  identity: Identity,
  { presence, acks, attached }: Facts,
): z.input<typeof listAnswer>['members'][number] {
  const { atsign, kind, admin, tags, owner, exp, enrolment, enrolledSeq, keys } = identity
  const seen = presence.get(atsign)
  const ack = acks.get(atsign)
  const servers = [...control.ledger.state!.servers.values()].filter(({ gateway }) => gateway === atsign).map(({ server }) => server)
  return {
    ...{ atsign, kind, admin, tags: [...tags], enrolment, enrolled_seq: enrolledSeq, servers },
    state: stateOf(control, identity),
    ...(owner ? { owner } : {}),
    ...(exp === undefined ? {} : { exp }),
    keys: keys.map((key) => ({ kid: keyIdOf(key), use: key.use, alg: key.alg })),
    ...(seen ? { presence: presenceOf(seen, attached.has(atsign), control.now()) } : {}),
    ...(ack ? { ack: { seq: ack.seq, head: ack.head, revocations: ack.revocationCount, at: secondsOf(ack.at) } } : {}),
  }
}

function stateOf({ ledger, now }: Control, { atsign }: Identity) {
  const standing = standingOf(ledger.state!, ledger.revocations, atsign, now())
  if (standing.ok) return 'live'
  if (standing.reason === 'REVOKED') return standing.revocation.until === undefined ? 'revoked' : 'suspended'
  return standing.reason === 'OWNER_GONE' ? 'ownerless' : 'expired'
}

type Seen = { version: string; host: string | null; seenAt: Date; leftAt: Date | null; clients: unknown }
function presenceOf({ version, host, seenAt, leftAt, clients }: Seen, isAttached: boolean, now: number) {
  const seen = Object.entries((clients ?? {}) as StoredClients).map(([server, client]) => ({ server, ...client }))
  return {
    online: isPresent({ seenAt, leftAt }, isAttached, now),
    version,
    ...(host ? { host } : {}),
    seen: secondsOf(seenAt),
    ...(seen.length > 0 ? { clients: seen } : {}),
  }
}

/** Tool definitions as a gateway reported them, for people to look at before they pin. @throws {ControlError} NOT_FOUND */
export async function listTools(context: Context, gateway: string): Promise<z.input<typeof toolsAnswer>> {
  const { org } = actorOf(context)
  const rows = await context.control.db.prisma.toolReport.findMany({ where: { org, gateway }, orderBy: { server: 'asc' } })
  if (rows.length === 0) throw new ControlError('NOT_FOUND', `${gateway} has not reported any server`)
  const servers = rows.map(({ server, tools, reportedAt }) => ({
    ...{ name: server, reported: secondsOf(reportedAt) },
    tools: tools as z.input<typeof toolsAnswer>['servers'][number]['tools'],
  }))
  return { servers }
}

/** How long a relay may rely on the answer. */
const ADMITTED_SECONDS = 60

/**
 * Which of these key ids are enrolled `auth` keys of somebody who may act now. Keeps strangers off the relay and is no authority: both
 * ends of a channel verify each other. Whoever asks must know the ids already, and they cannot be guessed.
 */
export async function admittedToRelay({ control }: Context, { org, ids }: z.output<typeof admittedInput>) {
  control.limits.lookups.check()
  control.limits.lookups.spend()
  const { state, revocations } = control.ledger
  const admitted = ids.filter((id) => {
    const known = state?.org === org ? state.keys.get(id as never) : undefined
    return known?.live && known.use === 'auth' && standingOf(state!, revocations, known.atsign, control.now()).ok
  })
  return { admitted, ttl_seconds: ADMITTED_SECONDS }
}
