import { VerifyError } from '../errors.ts'
import type { AtSign } from '../key/atsign.ts'
import { verifyDetached } from '../key/detached.ts'
import type { KeyId } from '../key/public-key.ts'
import type { Signed } from '../key/signature.ts'
import { MAX_SIGNATURES } from '../key/signature.ts'
import type { SignatureSuite } from '../key/suite.ts'
import type { Revocation } from './revocation.ts'
import { parseRevocation, revocationHash, targetsOf } from './revocation.ts'
import type { KnownKey, State, Target } from './state.ts'
import { targetId } from './state.ts'
import { MAX_REV } from './statement.ts'

export interface HeldRevocation {
  readonly hash: string
  readonly revocation: Revocation
  /** As it arrived first, to be passed on. */
  readonly signed: Signed
}

/** The revocations an edge holds. Only grows; immutable, `addRevocation` returns a new one. */
export interface RevocationSet {
  readonly held: ReadonlyMap<string, HeldRevocation>
  /** By `targetId`. */
  readonly byTarget: ReadonlyMap<string, readonly Revocation[]>
}

export const emptyRevocations = (): RevocationSet => ({ held: new Map(), byTarget: new Map() })

/**
 * Takes up a revocation that a current administrator signed, or the owner of the agents it is aimed at, or (for signers who
 * left) one that the chain names. One with several targets counts as a whole or not at all. Adding one again, or in another order, changes nothing. Does NOT look at the time: it counts
 * from when it is held.
 * @throws {VerifyError} those of `parseRevocation`; WRONG_ORG, NOT_ENTITLED, UNKNOWN_TARGET when only a person signed and the
 *   state does not know the target (yet)
 * @see packages/core/spec/revocation.md §3
 */
export function addRevocation(set: RevocationSet, signed: Signed, state: State, suite: SignatureSuite): RevocationSet {
  const hash = revocationHash(signed.bytes)
  if (set.held.has(hash)) return set
  const revocation = parseRevocation(signed.bytes)
  if (revocation.org !== state.org)
    throw new VerifyError('WRONG_ORG', `revocation of organisation ${revocation.org}, expected ${state.org}`)
  checkEntitled(signed, revocation, hash, state, suite)
  const byTarget = new Map(set.byTarget)
  for (const id of targetsOf(revocation).map(targetId)) byTarget.set(id, [...(byTarget.get(id) ?? []), revocation])
  return { held: new Map(set.held).set(hash, { hash, revocation, signed }), byTarget }
}

/** @throws {VerifyError} NOT_ENTITLED, UNKNOWN_TARGET, TOO_LARGE */
function checkEntitled(signed: Signed, revocation: Revocation, hash: string, state: State, suite: SignatureSuite): void {
  if (signed.signatures.length > MAX_SIGNATURES) throw new VerifyError('TOO_LARGE', `more than ${MAX_SIGNATURES} signatures`)
  const signers = validKeys(signed, state, suite)
  const isNamed = state.named.has(hash)
  const open = targetsOf(revocation).filter((target) => {
    const owner = ownerOfTarget(state, target)
    return !signers.some((key) => mayRevoke(key, owner, isNamed))
  })
  const first = open[0]
  if (!first) return
  if (signers.length > 0 && open.every((target) => mayComeToBeKnown(state, target))) {
    throw new VerifyError('UNKNOWN_TARGET', `no ${first.kind} ${first.id} in this state`)
  }
  throw new VerifyError('NOT_ENTITLED', 'signed by no administrator, nor by the owner of the agent')
}

function validKeys(signed: Signed, state: State, suite: SignatureSuite): readonly (KnownKey & { isAdmin: boolean })[] {
  return signed.signatures.flatMap((signature) => {
    const known = state.keys.get(signature.kid)
    if (known?.use !== 'sign') return []
    try {
      verifyDetached(known.key, 'postern-revocation-v1', signed.bytes, signature, state.site, suite)
    } catch (error) {
      if (error instanceof VerifyError) return []
      throw error
    }
    return [{ ...known, isAdmin: known.live && state.identities.get(known.atsign)?.admin === true }]
  })
}

/** Who was entitled when it was made and has left since counts through the chain, which names what administrators had verified. */
function mayRevoke(key: KnownKey & { isAdmin: boolean }, owner: AtSign | undefined, isNamed: boolean): boolean {
  if (key.isAdmin || (key.live && owner === key.atsign)) return true
  return isNamed && (key.everAdmin || owner === key.atsign)
}

/** The owner of the agent a target belongs to, live or ended. */
function ownerOfTarget(state: State, target: Target): AtSign | undefined {
  const enrolment = target.kind === 'key' ? state.keys.get(target.id as KeyId)?.enrolment : target.id
  return target.kind === 'enrolment' || target.kind === 'key' ? state.enrolments.get(enrolment ?? '')?.owner : undefined
}

/** An enrolment or key that this state lacks: a later statement may bring it, and with it its owner. */
const mayComeToBeKnown = (state: State, { kind, id }: Target): boolean =>
  kind === 'key' ? !state.keys.has(id as KeyId) : kind === 'enrolment' && !state.enrolments.has(id)

/** Hashes that the chain names and the set lacks, in order. An edge serves nothing before this is empty. */
export const missingFrom = (set: RevocationSet, state: State): readonly string[] =>
  [...state.named].filter((hash) => !set.held.has(hash)).sort()

/** For `rev` of the next statement an administrator signs: held, and not yet named by the chain; the first 64 in order. */
export const unnamedIn = (set: RevocationSet, state: State): readonly string[] =>
  [...set.held.keys()]
    .filter((hash) => !state.named.has(hash))
    .sort()
    .slice(0, MAX_REV)
