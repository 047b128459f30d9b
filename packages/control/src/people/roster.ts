import type { AtSign, Identity, Policy } from '@postern/core'
import { isRevoked, keyIdOf, signerKindOf, standingOf } from '@postern/core'
import type { Context, Control } from '../context.ts'
import { actorOf } from '../context.ts'
import { ControlError } from '../errors.ts'
import { readRoster } from '../fleet/roster.ts'
import { policyInForce } from '../policy/in-force.ts'
import { dateOf } from '../time.ts'
import { syncedPasskeys } from './passkey-facts.ts'

/**
 * Persons by the log, administrators first: their keys, what they may enrol alone, which rules let them approve calls. Sessions are counted
 * for administrators, and for everybody their own.
 */
export async function listPeople(context: Context) {
  const { control } = context
  const { org, atsign, role } = actorOf(context)
  const { state } = control.ledger
  if (!state) return { people: [], admins: 0 }
  const [policy, synced, sessions] = await Promise.all([policyInForce(control), syncedPasskeys(control), countSessions(control, org)])
  const people = [...state.identities.values()]
    .filter(({ kind }) => kind === 'person')
    .sort((a, b) => Number(b.admin) - Number(a.admin) || (a.atsign < b.atsign ? -1 : 1))
    .map((identity) => ({
      ...shown(control, identity, synced),
      approves: rulesOf(policy, identity.atsign),
      agents: [...state.identities.values()].filter(({ owner }) => owner === identity.atsign).length,
      ...(role === 'admin' || identity.atsign === atsign ? { sessions: sessions.get(identity.atsign) ?? 0 } : {}),
    }))
  return { people, admins: people.filter(({ role: of, state: is }) => of === 'admin' && is === 'live').length }
}

/** One of them, with their agents. @throws {ControlError} NOT_FOUND */
export async function readPerson(context: Context, name: string) {
  const { people, admins } = await listPeople(context)
  const person = people.find(({ atsign }) => atsign === name)
  if (!person) throw new ControlError('NOT_FOUND', `there is no person ${name}`)
  const { members } = await readRoster(context.control, actorOf(context))
  const agents = members.filter(({ owner, kind }) => owner === name && kind === 'agent').map(({ atsign, state }) => ({ atsign, state }))
  return { ...person, owns: agents, admins }
}

function shown(control: Control, identity: Identity, synced: ReadonlyMap<string, boolean>) {
  const { atsign, admin, tags, exp, enrolment, enrolledSeq, keys, delegation } = identity
  return {
    ...{ atsign: atsign as string, tags: [...tags], enrolment, enrolled_seq: enrolledSeq },
    role: admin ? ('admin' as const) : ('person' as const),
    ...standing(control, atsign),
    ...(exp === undefined ? {} : { exp }),
    keys: keys.filter(({ use }) => use === 'sign').map((key) => keyFacts(control, key, synced)),
    can_open: keys.some(({ use }) => use === 'seal'),
    ...(delegation
      ? {
          delegation: {
            ...{ agents: delegation.agents, used: delegation.used, tags: [...delegation.tags], exp: delegation.exp },
            ...(delegation.servers ? { servers: [...delegation.servers] } : {}),
          },
        }
      : {}),
  }
}

function keyFacts({ ledger, now }: Control, key: Identity['keys'][number], synced: ReadonlyMap<string, boolean>) {
  const kid = keyIdOf(key)
  const isStopped = isRevoked(ledger.revocations, ledger.state!, { kid }, now()) !== undefined
  const isSynced = synced.get(kid)
  return {
    ...{ kid: kid as string, alg: key.alg, kind: signerKindOf(key), stopped: isStopped },
    ...(isSynced === undefined ? {} : { synced: isSynced }),
  }
}

type State = 'live' | 'expired' | 'suspended' | 'revoked'
function standing({ ledger, now }: Control, atsign: AtSign): { readonly state: State; readonly until?: number } {
  const found = standingOf(ledger.state!, ledger.revocations, atsign, now())
  if (found.ok) return { state: 'live' }
  if (found.reason !== 'REVOKED') return { state: 'expired' }
  const { until } = found.revocation
  return until === undefined ? { state: 'revoked' } : { state: 'suspended', until }
}

/** Ids of rules that name this person as an approver. Owners, whom a rule may ask too, are not counted: that depends on the agent. */
const rulesOf = (policy: Policy | undefined, atsign: AtSign): readonly string[] =>
  (policy?.rules ?? []).filter(({ approvers, off }) => !off && approvers?.atsigns.includes(atsign)).map(({ id }) => id)

async function countSessions({ db, now }: Control, org: string): Promise<ReadonlyMap<string, number>> {
  const open = { where: { org, endedAt: null, expiresAt: { gt: dateOf(now()) } }, by: ['atsign' as const], _count: true as const }
  const counts = [...(await db.prisma.session.groupBy(open)), ...(await db.prisma.browserSession.groupBy(open))]
  const sum = new Map<string, number>()
  for (const { atsign, _count } of counts) sum.set(atsign, (sum.get(atsign) ?? 0) + _count)
  return sum
}
