import type { AtSign } from '../key/atsign.ts'
import type { KeyId } from '../key/public-key.ts'
import type { Revocation } from './revocation.ts'
import type { RevocationSet } from './revocation-set.ts'
import type { EnrolmentRecord, State } from './state.ts'

/** What is asked about; any of it suffices to be revoked. */
export interface RevocationQuery {
  readonly atsign?: AtSign
  readonly kid?: KeyId
  /** Token hash of the grant (`tokenHash`), which is the `gth` of calls and receipts. */
  readonly grant?: string
  readonly enrolment?: string
  readonly invite?: KeyId
}

/**
 * The revocation or suspension in force against any part of the query, or undefined. Follows what a target brought in: keys
 * rotated from it, machines enrolled under its delegation or invite, agents of its owner. A revoked key of a machine ends
 * the machine's whole enrolment; of a person it ends that key, and what it enrolled.
 * Does NOT say whether anything is enrolled or its lease runs: see `standingOf`. NOT for chain validity: an administrator's right
 * to sign the log ends only in the log.
 * @param now Unix seconds: suspensions end.
 * @see packages/core/spec/revocation.md §4
 */
export function isRevoked(set: RevocationSet, state: State, query: RevocationQuery, now: number): Revocation | undefined {
  if (set.held.size === 0) return undefined
  for (const id of coveringTargets(state, query)) {
    const found = set.byTarget.get(id)?.find((revocation) => isInForce(revocation, id, state, now))
    if (found) return found
  }
  return undefined
}

/** @param id the target that was found: of several, each is released by itself */
function isInForce({ at, until }: Revocation, id: string, state: State, now: number): boolean {
  if (until === undefined) return true
  const released = state.releases.get(id)
  return now < until && !(released && released.at >= at)
}

function coveringTargets(state: State, { atsign, kid, grant, enrolment, invite }: RevocationQuery): ReadonlySet<string> {
  const targets = new Set<string>()
  const live = atsign && state.identities.get(atsign)
  if (live) coverEnrolment(state, live.enrolment, targets)
  if (enrolment) coverEnrolment(state, enrolment, targets)
  if (kid) coverKey(state, kid, targets)
  if (invite) coverInvite(invite, targets)
  if (grant) targets.add(`grant:${grant}`)
  return targets
}

function coverKey(state: State, kid: KeyId, targets: Set<string>): void {
  targets.add(`key:${kid}`)
  const known = state.keys.get(kid)
  if (known) coverEnrolment(state, known.enrolment, targets)
}

function coverInvite(kid: KeyId, targets: Set<string>): void {
  targets.add(`invite:${kid}`).add(`key:${kid}`)
}

/** All targets whose revocation stops this enrolment. Ends: owners and delegating people are persons, who are brought in by nobody. */
function coverEnrolment(state: State, id: string, targets: Set<string>): void {
  targets.add(`enrolment:${id}`)
  const record = state.enrolments.get(id)
  if (!record || record.kind === 'person') return
  for (const kid of record.kids) targets.add(`key:${kid}`)
  coverOrigin(state, record, targets)
}

function coverOrigin(state: State, { owner, broughtBy }: EnrolmentRecord, targets: Set<string>): void {
  const present = owner && state.identities.get(owner)
  if (present) targets.add(`enrolment:${present.enrolment}`)
  if (!broughtBy) return
  targets.add(`key:${broughtBy.kid}`)
  if (broughtBy.enrolment) targets.add(`enrolment:${broughtBy.enrolment}`)
  else coverInvite(broughtBy.kid, targets)
}
