import { VerifyError } from '../errors.ts'
import type { AtSign } from '../key/atsign.ts'
import { verifyDetached } from '../key/detached.ts'
import type { KeyId, PublicKey } from '../key/public-key.ts'
import { keyIdOf } from '../key/public-key.ts'
import type { Signed } from '../key/signature.ts'
import { MAX_SIGNATURES } from '../key/signature.ts'
import type { SignatureSuite } from '../key/suite.ts'
import type { SignatureFacts } from '../key/suites.ts'
import type { SignerSite } from '../key/webauthn.ts'
import type { AdminClass, Effect, KeyNeed, KeyReason, StatementClass } from './kind.ts'
import { isAdminClass } from './kind.ts'
import type { Identity, SignerKind, State } from './state.ts'
import { adminsOf } from './state.ts'
import { signerKindOf } from './thresholds.ts'

/** `m` distinct administrators of those in `candidates`; `kinds` still without a signature are in `missingKinds`. */
export interface AdminsPart {
  readonly by: 'admins'
  readonly class: AdminClass
  /** Administrators and thresholds before the statement, or (for operations on them) after it. */
  readonly when: 'before' | 'after'
  readonly m: number
  readonly missingKinds: readonly SignerKind[]
  readonly candidates: readonly AtSign[]
  readonly signed: readonly AtSign[]
  readonly met: boolean
}
/** One particular key. */
export interface KeyPart {
  readonly by: 'key'
  readonly kid: KeyId
  readonly why: KeyReason
  readonly met: boolean
}
/** Whose signatures a statement needs, by the state it is to be applied to, and which of them it has. */
export interface Needed {
  readonly class: StatementClass
  readonly parts: readonly (AdminsPart | KeyPart)[]
  readonly complete: boolean
}

/** Valid signatures by key id. */
type Signers = ReadonlyMap<KeyId, SignatureFacts>

/**
 * Compares a statement's signatures with what it needs. Signatures that are wrong, repeated or nobody's change nothing: they are
 * not counted and never refused, because whoever carries a statement can add them.
 */
export function neededSignatures(of: StatementClass, signed: Signed, before: State, effect: Effect, suite: SignatureSuite): Needed {
  const keys = effect.keys ?? []
  const admins = [...adminsOf(before), ...(effect.after ? adminsOf(effect.state) : [])]
  const candidates = [...admins.flatMap(signingKeys), ...keys.map(({ key }) => key)]
  const signers = validSigners(signed, candidates, before.site, suite)
  const parts = [...adminParts(of, before, effect, signers), ...keys.map((need) => keyPart(need, signers))]
  return { class: of, parts, complete: parts.every(({ met }) => met) }
}

export const signingKeys = ({ keys }: Identity): readonly PublicKey[] => keys.filter(({ use }) => use === 'sign')

function adminParts(of: StatementClass, before: State, { state, after, except }: Effect, signers: Signers): readonly AdminsPart[] {
  if (!isAdminClass(of)) return []
  const first = adminsPart(of, 'before', before, signers, except)
  return after ? [first, adminsPart(of, 'after', state, signers, except)] : [first]
}

function adminsPart(of: AdminClass, when: 'before' | 'after', state: State, signers: Signers, except?: AtSign): AdminsPart {
  const { m, kinds = [] } = state.thresholds[of]
  const candidates = adminsOf(state).filter(({ atsign }) => atsign !== except)
  const signedKeys = candidates.map((admin) => signingKeys(admin).filter((key) => isCounted(of, key, signers.get(keyIdOf(key)))))
  const signed = candidates.filter((_, i) => signedKeys[i]!.length > 0).map(({ atsign }) => atsign)
  const seen = new Set(signedKeys.flat().map(signerKindOf))
  const missingKinds = kinds.filter((kind) => !seen.has(kind))
  const met = signed.length >= m && missingKinds.length === 0
  return { by: 'admins', class: of, when, m, missingKinds, candidates: candidates.map(({ atsign }) => atsign), signed, met }
}

/** A key enrolled as bound to its device that turns out to be backed up is somewhere else as well: not enough for root. */
function isCounted(of: AdminClass, key: PublicKey, facts: SignatureFacts | undefined): boolean {
  return facts !== undefined && !(of === 'root' && key.device_bound && facts.backedUp)
}

const keyPart = ({ key, why }: KeyNeed, signers: Signers): KeyPart => {
  const kid = keyIdOf(key)
  return { by: 'key', kid, why, met: signers.has(kid) }
}

/** @throws {VerifyError} TOO_LARGE for more signatures than the carrier may have */
export function validSigners(signed: Signed, candidates: readonly PublicKey[], site: SignerSite, suite: SignatureSuite): Signers {
  if (signed.signatures.length > MAX_SIGNATURES) throw new VerifyError('TOO_LARGE', `more than ${MAX_SIGNATURES} signatures`)
  const keys = new Map(candidates.map((key) => [keyIdOf(key), key]))
  const valid = new Map<KeyId, SignatureFacts>()
  for (const signature of signed.signatures) {
    const key = keys.get(signature.kid)
    if (!key || valid.has(signature.kid)) continue
    try {
      valid.set(signature.kid, verifyDetached(key, 'postern-statement-v1', signed.bytes, signature, site, suite))
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error // a wrong signature counts as none; a fault of ours does not
    }
  }
  return valid
}

/** @throws {VerifyError} THRESHOLD_NOT_MET, SIGNATURE_MISSING, naming the first part that is not met */
export function checkComplete({ parts }: Needed): void {
  const open = parts.find(({ met }) => !met)
  if (!open) return
  if (open.by === 'key') throw new VerifyError('SIGNATURE_MISSING', `the ${open.why} key ${open.kid} did not sign`)
  const kinds = open.missingKinds.length > 0 ? `, and no ${open.missingKinds.join(' or ')} key did` : ''
  const who = open.when === 'after' ? ' of the administrators afterwards' : ''
  throw new VerifyError('THRESHOLD_NOT_MET', `${open.class} needs ${open.m}${who}, signed by ${open.signed.length}${kinds}`)
}
