import type { AtSign } from '../key/atsign.ts'
import { isRevoked } from './is-revoked.ts'
import type { Revocation } from './revocation.ts'
import type { RevocationSet } from './revocation-set.ts'
import type { Identity, State } from './state.ts'

/** Whether a name may act now, and if not, why. */
export type Standing =
  | { readonly ok: true; readonly identity: Identity }
  | { readonly ok: false; readonly reason: 'NOT_ENROLLED' | 'EXPIRED' | 'OWNER_GONE' }
  | { readonly ok: false; readonly reason: 'REVOKED'; readonly revocation: Revocation }

/**
 * Enrolled, lease running, not revoked or suspended, and the same for an agent's owner. The one question edges ask before a name
 * acts. Does NOT check signatures or keys (a single key of a person may be revoked: ask `isRevoked` with its `kid`).
 * @param now Unix seconds. A lease ends at `exp` exactly: no tolerance, since it was chosen generously.
 */
export function standingOf(state: State, set: RevocationSet, atsign: AtSign, now: number): Standing {
  const identity = state.identities.get(atsign)
  if (!identity) return { ok: false, reason: 'NOT_ENROLLED' }
  if (identity.exp !== undefined && now >= identity.exp) return { ok: false, reason: 'EXPIRED' }
  const revocation = isRevoked(set, state, { atsign }, now)
  if (revocation) return { ok: false, reason: 'REVOKED', revocation }
  if (identity.owner && !standingOf(state, set, identity.owner, now).ok) return { ok: false, reason: 'OWNER_GONE' }
  return { ok: true, identity }
}
