import { VerifyError } from '../errors.ts'
import type { KeyId } from '../key/public-key.ts'
import type { NewIdentity } from './enrol.ts'
import { checkLease, enrol } from './enrol.ts'
import type { Effect, Entry } from './kind.ts'
import type { Delegation, Identity, Invite, State } from './state.ts'

const DAY = 86_400
/** An invite says nothing about leases, so what enrols itself gets no more than the usual one. */
const LONGEST_INVITED = { agent: 30 * DAY, gateway: 180 * DAY } as const

/**
 * Enrols an agent in the name of the person whose signing key is `kid`, within their delegation. Limits are those of the log;
 * whether the person is revoked by now is looked at when it acts (`isRevoked`), not here.
 * @throws {VerifyError} NOT_DELEGATED, WRONG_OWNER, NAME_TAKEN, CEILING_EXCEEDED, BAD_TIME
 * @see packages/core/spec/statement.md §5.8
 */
export function enrolByDelegation(state: State, entry: Entry<unknown>, kid: KeyId, identity: NewIdentity): Effect {
  const { person, delegation, key } = delegationOf(state, kid)
  if (identity.owner !== person.atsign)
    throw new VerifyError('WRONG_OWNER', `an agent of ${person.atsign}'s delegation belongs to ${person.atsign}`)
  checkNewName(state, identity)
  if (delegation.used >= delegation.agents)
    throw new VerifyError('CEILING_EXCEEDED', `all ${delegation.agents} agents of the delegation are used`)
  const foreign = identity.tags?.find((tag) => !delegation.tags.includes(tag))
  if (foreign) throw new VerifyError('CEILING_EXCEEDED', `the delegation does not cover tag ${foreign}`)
  checkLease(identity.exp!, entry.at, delegation.exp, 'the enrolment')
  checkOpen(entry, delegation.exp, 'the delegation')
  const used: Identity = { ...person, delegation: { ...delegation, used: delegation.used + 1 } }
  const counted = { ...state, identities: new Map(state.identities).set(person.atsign, used) }
  const servers = delegation.servers && { servers: delegation.servers }
  const agent = { ...identity, ...servers, broughtBy: { kid, enrolment: person.enrolment } }
  return { state: enrol(counted, entry.seq, agent), keys: [{ key, why: 'delegation' }] }
}

function delegationOf(state: State, kid: KeyId) {
  const known = state.keys.get(kid)
  const person = known?.live && known.use === 'sign' ? state.identities.get(known.atsign) : undefined
  if (!known || !person?.delegation) throw new VerifyError('NOT_DELEGATED', `key ${kid} is no invite, and nobody's with a delegation`)
  return { person, delegation: person.delegation as Delegation, key: known.key }
}

/**
 * Enrols a machine in the name of an invite, and counts it.
 * @throws {VerifyError} NOT_DELEGATED, WRONG_KIND, WRONG_OWNER, NAME_TAKEN, CEILING_EXCEEDED, BAD_TIME
 * @see packages/core/spec/statement.md §5.9
 */
export function enrolByInvite(state: State, entry: Entry<unknown>, kid: KeyId, identity: NewIdentity): Effect {
  const invite = state.invites.get(kid)
  if (!invite) throw new VerifyError('NOT_DELEGATED', `key ${kid} is no invite`)
  if (invite.kind !== identity.kind) throw new VerifyError('WRONG_KIND', `the invite is for a ${invite.kind}`)
  if (invite.owner !== identity.owner) throw new VerifyError('WRONG_OWNER', `the invite's owner is ${invite.owner ?? 'nobody'}`)
  checkNewName(state, identity)
  if (invite.left === 0) throw new VerifyError('CEILING_EXCEEDED', `all ${invite.uses} uses of the invite are gone`)
  if (identity.tags?.join() !== invite.tags.join())
    throw new VerifyError('CEILING_EXCEEDED', `the invite's tags are ${invite.tags.join(', ') || 'none'}`)
  checkLease(identity.exp!, entry.at, entry.at + LONGEST_INVITED[invite.kind], 'the enrolment')
  checkOpen(entry, invite.exp, 'the invite')
  const counted: Invite = { ...invite, left: invite.left - 1 }
  const next = { ...state, invites: new Map(state.invites).set(kid, counted) }
  return { state: enrol(next, entry.seq, { ...identity, broughtBy: { kid } }), keys: [{ key: invite.key, why: 'invite' }] }
}

/** Only administrators may replace an enrolment: a delegation or invite could otherwise take over a name the policy trusts. */
function checkNewName(state: State, { atsign }: NewIdentity): void {
  if (state.names.has(atsign)) throw new VerifyError('NAME_TAKEN', `${atsign} was enrolled before; only administrators may replace it`)
}

/** `at` alone could be set back by the holder; `nva` not after the end keeps late ones from being applied (§7). */
function checkOpen({ at, nva }: Entry<unknown>, exp: number, what: string): void {
  if (at > exp || nva > exp) throw new VerifyError('BAD_TIME', `${what} ended at ${exp}: at and nva are not later`)
}

/** The sentence about limits under which a holder enrols, for `describe`. */
export function viaText(via: KeyId | undefined, state: State | undefined): readonly string[] {
  if (!via) return []
  const invite = state?.invites.get(via)
  if (invite) return [`Enrolled by an invite with key ${via}; ${invite.left} of ${invite.uses} uses were left before.`]
  const person = state?.identities.get(state.keys.get(via)?.atsign as never)
  const delegation = person?.delegation
  if (!delegation) return [`Enrolled in the name of key ${via}, within its limits.`]
  return [
    `Enrolled by ${person.atsign} (key ${via}); ${delegation.used} of ${delegation.agents} agents were enrolled before.`,
    delegation.servers
      ? `It may use these servers only: ${delegation.servers.join(', ') || 'none'}.`
      : 'It may use any server the policy allows.',
  ]
}
