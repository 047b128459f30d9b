import type { State } from '@postern/core'
import { revocationsDigest, standingOf } from '@postern/core'
import type { z } from 'zod'
import type { Context, Control } from '../context.ts'
import { actorOf } from '../context.ts'
import { ControlError } from '../errors.ts'
import { isPresent } from '../fleet/attendance.ts'
import { dateOf, secondsOf } from '../time.ts'
import type { effectAnswer, effectInput } from './schema.ts'

type Effect = z.input<typeof effectAnswer>

/** A gateway may hold revocations that came after the one asked about: so many sets are tried. */
const SETS = 64

/**
 * Which gateways that serve have said, signed, that they apply a statement (by seq or hash) or a revocation (by hash), and how long after
 * it came in here. Counted from acks and nothing else: what was sent to whom is not looked at. A gateway that is suspended, revoked or
 * expired serves nobody and is left out.
 * @throws {ControlError} NOT_FOUND when it is neither in the log nor among the revocations
 */
export async function readEffect(context: Context, input: z.output<typeof effectInput>): Promise<Effect> {
  const { org } = actorOf(context)
  const { control } = context
  const { state } = control.ledger
  if (!state) throw new ControlError('NOT_FOUND', 'there is no organisation here yet')
  const wanted = await findWanted(control, org, input)
  const names = servingGateways(control, state)
  const [firsts, presence, grants] = await Promise.all([
    wanted.firstAcks(names),
    control.db.prisma.presence.findMany({ where: { org, atsign: { in: names } } }),
    control.db.prisma.reportedGrant.groupBy({
      by: ['gateway'],
      where: { org, gateway: { in: names }, endedAt: null, expiresAt: { gt: dateOf(control.now()) } },
      _max: { expiresAt: true },
    }),
  ])
  const attached = new Set(control.streams.attached(org))
  const seen = new Map(presence.map((row) => [row.atsign, row]))
  const until = new Map(grants.map((row) => [row.gateway, row._max.expiresAt]))
  const gateways = names.map((gateway): Effect['gateways'][number] => {
    const ms = firsts.get(gateway)
    const end = until.get(gateway)
    const row = seen.get(gateway)
    return {
      gateway,
      online: isPresent(row, attached.has(gateway), control.now()),
      applied: ms !== undefined,
      ...(ms === undefined ? {} : { ms: Math.max(0, ms - wanted.receivedMs) }),
      ...(row ? { seen: secondsOf(row.seenAt) } : {}),
      ...(ms === undefined && end ? { grants_until: secondsOf(end) } : {}),
    }
  })
  const applied = gateways.flatMap(({ ms }) => ms ?? [])
  return {
    ...{ kind: wanted.kind, hash: wanted.hash, at: wanted.at, received_ms: wanted.receivedMs },
    ...(wanted.seq === undefined ? {} : { seq: wanted.seq }),
    ...{ gateways, of: gateways.length, on: applied.length, effective: applied.length === gateways.length },
    ...(applied.length > 0 ? { ms: Math.max(...applied) } : {}),
  }
}

/** Gateways that somebody could use now. */
export const servingGateways = ({ ledger, now }: Pick<Control, 'ledger' | 'now'>, state: State): string[] =>
  [...state.identities.values()]
    .filter(({ kind, atsign }) => kind === 'gateway' && standingOf(state, ledger.revocations, atsign, now()).ok)
    .map(({ atsign }) => atsign as string)
    .sort()

interface Wanted {
  readonly kind: 'statement' | 'revocation'
  readonly hash: string
  readonly seq?: number
  /** The signer's word. */
  readonly at: number
  readonly receivedMs: number
  /** When the first ack that covers it came in, by gateway, in milliseconds since 1970. */
  firstAcks(gateways: readonly string[]): Promise<ReadonlyMap<string, number>>
}

async function findWanted(control: Control, org: string, { hash, seq }: z.output<typeof effectInput>): Promise<Wanted> {
  const held = hash === undefined ? undefined : control.ledger.revocations.held.get(hash)
  if (held) return findRevocation(control, org, held.hash, held.revocation.at)
  const where = hash === undefined ? { org, seq: seq! } : { org, hash }
  const row = await control.db.prisma.statement.findFirst({ where, select: { seq: true, hash: true, receivedAt: true } })
  if (!row) throw new ControlError('NOT_FOUND', 'this is neither in the log nor among the revocations')
  return {
    ...{ kind: 'statement', hash: row.hash, seq: row.seq, at: secondsOf(row.receivedAt), receivedMs: row.receivedAt.getTime() },
    firstAcks: (gateways) => firstAcks(control, org, gateways, { column: 'seq', from: row.seq }),
  }
}

/** An ack names a set of revocations by its digest: every set that held this one since, in the order in which they came in here. */
async function findRevocation(control: Control, org: string, hash: string, at: number): Promise<Wanted> {
  const row = await control.db.prisma.revocation.findUnique({ where: { org_hash: { org, hash } }, select: { receivedAt: true } })
  if (!row) throw new ControlError('NOT_FOUND', 'this revocation is not stored')
  const all = [...control.ledger.revocations.held.keys()]
  const place = all.indexOf(hash) + 1
  const counts = Array.from({ length: Math.min(SETS, all.length - place + 1) }, (_, i) => place + i)
  if (counts.at(-1) !== all.length) counts.push(all.length)
  const digests = counts.map((count) => revocationsDigest(all.slice(0, count), control.suite).digest)
  return {
    ...{ kind: 'revocation', hash, at, receivedMs: row.receivedAt.getTime() },
    firstAcks: (gateways) => firstAcks(control, org, gateways, { column: 'revocation_count', from: place, digests }),
  }
}

interface Covers {
  readonly column: 'seq' | 'revocation_count'
  readonly from: number
  readonly digests?: readonly string[]
}

/** What a gateway took up once and lacks now (its disk was restored) does not count: its latest ack must reach as far. */
async function firstAcks({ db }: Control, org: string, gateways: readonly string[], { column, from, digests }: Covers) {
  const isOne = digests ? 'AND revocation_digest = ANY($4)' : ''
  const { rows } = await db.pool.query<{ gateway: string; first: Date }>(
    `SELECT g.gateway, f.received_at AS first FROM unnest($2::text[]) AS g(gateway)
     CROSS JOIN LATERAL (SELECT received_at FROM acks WHERE org = $1 AND gateway = g.gateway AND ${column} >= $3 ${isOne}
       ORDER BY ${column}, id LIMIT 1) f
     CROSS JOIN LATERAL (SELECT ${column} AS reached FROM acks WHERE org = $1 AND gateway = g.gateway ORDER BY id DESC LIMIT 1) l
     WHERE l.reached >= $3`,
    [org, gateways, from, ...(digests ? [digests] : [])],
  )
  return new Map(rows.map(({ gateway, first }) => [gateway, new Date(first).getTime()]))
}
