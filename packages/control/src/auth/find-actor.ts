import type { KeyId, PublicKey } from '@postern/core'
import { isRevoked, standingOf } from '@postern/core'
import type { Ledger } from '../authority/ledger.ts'
import type { Actor, Control } from '../context.ts'
import { dateOf, secondsOf } from '../time.ts'

export interface Found {
  readonly actor: Actor
  /** What the request's signature must verify under. */
  readonly key: PublicKey
  /** Unix seconds: when a person's session ends. */
  readonly until?: number
}

/** Whose key this is, now: an edge's enrolled `auth` key, or the key of a person's session. Undefined when it counts for nothing. */
export async function findActor(control: Control, kid: string): Promise<Found | undefined> {
  return findEdge(control.ledger, kid, control.now()) ?? findPerson(control, kid)
}

/** Still enrolled, not revoked, lease not over. The end of a session is not looked at here. */
export function isActorLive(ledger: Ledger, actor: Actor, now: number): boolean {
  const { role, atsign, login } = actor
  if (role === 'person' || role === 'admin')
    return roleOf(ledger, atsign, now) === role && (!login || isLoginKeyLive(ledger, atsign, login, now))
  return findEdge(ledger, actor.kid, now) !== undefined
}

function findEdge(ledger: Ledger, kid: string, now: number): Found | undefined {
  const known = ledger.state?.keys.get(kid as KeyId)
  if (!ledger.state || !known?.live || known.use !== 'auth') return undefined
  const role = roleOf(ledger, known.atsign, now)
  return role && { actor: { role, org: ledger.state.org, atsign: known.atsign, kid }, key: known.key }
}

async function findPerson({ db, ledger, now }: Control, kid: string): Promise<Found | undefined> {
  if (!ledger.org) return undefined
  const session = await db.prisma.session.findUnique({ where: { org_kid: { org: ledger.org, kid } } })
  if (!session || session.endedAt || session.expiresAt <= dateOf(now())) return undefined
  const actor = personOf(ledger, session, now())
  const key: PublicKey = { use: 'auth', alg: 'ed25519', key: session.publicKey }
  return actor && { actor, key, until: secondsOf(session.expiresAt) }
}

/** Who acts in a session, of a CLI or a browser: undefined when the person, or the key that opened it, counts for nothing any more. */
export function personOf(ledger: Ledger, session: { atsign: string; signedBy: string; kid: string }, now: number): Actor | undefined {
  const { atsign, signedBy, kid } = session
  const role = roleOf(ledger, atsign, now)
  if (!ledger.org || !role || !isLoginKeyLive(ledger, atsign, signedBy, now)) return undefined
  return { role, org: ledger.org, atsign: atsign as Actor['atsign'], kid, login: signedBy as KeyId }
}

/** The role of somebody who may act now; undefined for everybody else. */
export function roleOf({ state, revocations }: Ledger, atsign: string, now: number): Actor['role'] | undefined {
  const standing = state && standingOf(state, revocations, atsign as Actor['atsign'], now)
  if (!standing?.ok) return undefined
  return standing.identity.admin ? 'admin' : standing.identity.kind
}

/** A session ends with the key that opened it: replaced, or revoked. */
function isLoginKeyLive({ state, revocations }: Ledger, atsign: string, kid: string, now: number): boolean {
  const known = state?.keys.get(kid as KeyId)
  if (!state || !known?.live || known.use !== 'sign' || known.atsign !== atsign) return false
  return !isRevoked(revocations, state, { kid: kid as KeyId }, now)
}
