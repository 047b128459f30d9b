import type { AtSign, Identity, Revocation, State, Statement } from '@postern/core'
import { decodeBase64url, keyIdOf, parseEnrolmentRequest, parseStatement, targetId, targetsOf } from '@postern/core'
import type { Context, Control } from '../context.ts'
import { actorOf } from '../context.ts'
import { ControlError } from '../errors.ts'
import { policyInForce } from '../policy/in-force.ts'
import { secondsOf } from '../time.ts'
import { fallingWith, reachOf } from './reach.ts'
import { readRoster } from './roster.ts'

/** Statements that can be about one gateway or agent. */
const ABOUT_NAMES = ['gateway.enroll', 'agent.enroll', 'identity.rotate', 'server.pin', 'release', 'recovery.use']
const LOG_ENTRIES = 50
/** How far back the log is read for one name. */
const LOG_DEPTH = 2000

/** Everything known here about one gateway or agent. @throws {ControlError} NOT_FOUND */
export async function readEntity(context: Context, name: string) {
  const { control } = context
  const actor = actorOf(context)
  const roster = await readRoster(control, actor)
  const member = roster.members.find(({ atsign }) => atsign === name)
  if (!member) throw new ControlError('NOT_FOUND', `there is no gateway or agent ${name}`)
  const { state } = control.ledger
  const identity = member.state === 'pending' ? undefined : state?.identities.get(name as AtSign)
  const [log, policy] = await Promise.all([logOf(control, actor.org, name), policyInForce(control)])
  return {
    ...{ member, policy: roster.policy, now: control.now(), log },
    stops: state ? stopsOf(control, state, name) : [],
    ...(identity
      ? {
          identity: factsOf(identity),
          reach: identity.kind === 'agent' ? reachOf(state!, policy, identity) : [],
          falling: fallingWith(state!, new Set([name])).map(({ atsign }) => atsign as string),
          mine: actor.role === 'admin' || identity.owner === actor.atsign,
        }
      : {}),
  }
}

const factsOf = ({ enrolment, enrolledSeq, keys, servers, broughtBy, delegation }: Identity) => ({
  ...{ enrolment, enrolled_seq: enrolledSeq, keys: keys.map((key) => ({ kid: keyIdOf(key) as string, use: key.use, alg: key.alg })) },
  ...(servers ? { servers } : {}),
  ...(broughtBy ? { brought_by: broughtBy.kid as string } : {}),
  ...(delegation ? { delegation: true } : {}),
})

/** Revocations and suspensions aimed at this name, its keys or enrolments, whether or not they are in force. */
function stopsOf({ ledger, now }: Control, state: State, name: string) {
  const own = new Set<string>()
  for (const [id, { atsign, kids }] of state.enrolments) {
    if (atsign !== name) continue
    own.add(`enrolment:${id}`)
    for (const kid of kids) own.add(`key:${kid}`)
  }
  return [...ledger.revocations.held.values()].flatMap(({ hash, revocation }) =>
    targetsOf(revocation)
      .filter((target) => own.has(targetId(target)))
      .map((target) => ({
        ...{ hash, target, reason: revocation.reason, at: revocation.at, with: targetsOf(revocation).length - 1 },
        ...(revocation.until === undefined ? {} : { until: revocation.until }),
        in_force: isInForce(revocation, targetId(target), state, now()),
      })),
  )
}

function isInForce({ at, until }: Revocation, id: string, state: State, now: number): boolean {
  if (until === undefined) return true
  const released = state.releases.get(id)
  return now < until && !(released && released.at >= at)
}

async function logOf({ db, ledger }: Control, org: string, name: string) {
  const rows = await db.prisma.statement.findMany({
    where: { org, op: { in: ABOUT_NAMES } },
    orderBy: { seq: 'desc' },
    take: LOG_DEPTH,
    select: { seq: true, hash: true, op: true, bytes: true, receivedAt: true },
  })
  const { state } = ledger
  return rows
    .filter(({ bytes }) => state && isAbout(parseStatement(new Uint8Array(bytes)), name, state))
    .slice(0, LOG_ENTRIES)
    .map(({ seq, hash, op, receivedAt }) => ({ seq, hash, op, at: secondsOf(receivedAt) }))
}

function isAbout(statement: Statement, name: string, state: State): boolean {
  switch (statement.op) {
    case 'gateway.enroll':
    case 'agent.enroll':
    case 'identity.rotate':
      return 'request' in statement.body
        ? parseEnrolmentRequest(decodeBase64url(statement.body.request)).atsign === name
        : (statement.body as { atsign?: string }).atsign === name
    case 'server.pin':
      return statement.body.gateway === name
    case 'release': {
      const { target } = statement.body
      const { enrolments, keys } = state
      const whose = target.kind === 'key' ? keys.get(target.id as never)?.atsign : enrolments.get(target.id)?.atsign
      return whose === name
    }
    default:
      return false
  }
}
