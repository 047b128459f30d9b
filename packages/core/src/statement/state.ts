import type { AtSign } from '../key/atsign.ts'
import type { KeyId, PublicKey } from '../key/public-key.ts'
import type { SignerSite } from '../key/webauthn.ts'
import type { IdentityKind, RiskClass } from './names.ts'

/** What a person signs with: `passkey` = WebAuthn, `ssh` = an OpenSSH key or Postern's own key file. */
export type SignerKind = 'passkey' | 'ssh'

/** `m` distinct administrators, and for each of `kinds` at least one signature by a key of that kind. */
export type Threshold = { readonly m: number; readonly kinds?: readonly SignerKind[] }
export type Thresholds = { readonly root: Threshold; readonly sensitive: Threshold; readonly routine: Threshold }

/** What a person may enrol alone. `servers` undefined = any server. `used` counts agents enrolled, ended ones too. */
export interface Delegation {
  readonly agents: number
  readonly tags: readonly string[]
  readonly servers?: readonly string[]
  readonly exp: number
  readonly used: number
}

/** A key in whose name something was enrolled: a person's under a delegation, or an invite's. */
export interface BroughtBy {
  readonly kid: KeyId
  /** Enrolment of the delegating person; absent for an invite. */
  readonly enrolment?: string
}

/** One live enrolment. Leases (`exp`) and revocations are NOT applied here: see `standingOf` and `isRevoked`. */
export interface Identity {
  readonly atsign: AtSign
  readonly kind: IdentityKind
  /** Id of the enrolment; what a revocation of kind `enrolment` names. Kept by `identity.rotate`. */
  readonly enrolment: string
  readonly keys: readonly PublicKey[]
  readonly tags: readonly string[]
  /** The person an agent acts for. */
  readonly owner?: AtSign
  /** End of the lease in Unix seconds; administrators have none. */
  readonly exp?: number
  readonly enrolledSeq: number
  readonly delegation?: Delegation
  /** For agents under a delegation: the only servers they may use, whatever the policy says. Undefined = no such limit. */
  readonly servers?: readonly string[]
  readonly admin: boolean
  readonly broughtBy?: BroughtBy
}

/** A key that is or was enrolled. Ended keys stay, so that none is ever used for something else. */
export interface KnownKey {
  readonly atsign: AtSign
  readonly use: PublicKey['use']
  readonly key: PublicKey
  /** Part of a live enrolment in the chain. Says nothing about lease or revocation. */
  readonly live: boolean
  /** Enrolment that it belongs to, or belonged to last. */
  readonly enrolment: string
  /** Was a signing key of an administrator at some time: its revocations count once the chain names them. */
  readonly everAdmin: boolean
}

/** An enrolment, live or ended, as far as revocations need to know it. */
export interface EnrolmentRecord {
  readonly atsign: AtSign
  readonly kind: IdentityKind
  readonly owner?: AtSign
  readonly broughtBy?: BroughtBy
  /** Every key it has had, rotated ones too. */
  readonly kids: readonly KeyId[]
}

export interface ToolPin {
  readonly digest: string
  readonly risk: RiskClass
}

/** Which gateway fronts a server, and the tools people have looked at. */
export interface ServerPin {
  readonly gateway: AtSign
  readonly server: string
  readonly tools: ReadonlyMap<string, ToolPin>
}

/** An open invite. `left` of `uses` enrolments remain. */
export interface Invite {
  readonly kid: KeyId
  readonly key: PublicKey
  readonly kind: 'gateway' | 'agent'
  readonly tags: readonly string[]
  readonly owner?: AtSign
  readonly uses: number
  readonly left: number
  readonly exp: number
  readonly seq: number
}

/** What a revocation or a release is aimed at. */
export type TargetKind = 'enrolment' | 'key' | 'grant' | 'invite'
export type Target = { readonly kind: TargetKind; readonly id: string }

/** The latest release of one target: lifts its suspensions that were signed at or before `at`. */
export interface Release {
  readonly target: Target
  readonly at: number
  readonly seq: number
}

/** Why an edge's log stands still (protocol: halt). It keeps its state, refuses what needs newer state, and alarms. */
export interface Halt {
  readonly seq: number
  readonly reason: string
}

/**
 * What the authority log says after statement `seq`: a pure function of the statements' bytes. Immutable; `applyStatement`
 * returns a new one. Does NOT know the time, revocations, or policy documents.
 * @see packages/core/spec/statement.md §6
 */
export interface State {
  readonly org: string
  readonly name: string
  readonly seq: number
  /** `linkHash` of statement `seq`. */
  readonly head: string
  /** `at` of statement `seq`. */
  readonly at: number
  readonly thresholds: Thresholds
  /** Where passkeys sign. */
  readonly site: SignerSite
  readonly consoleOrigins: readonly string[]
  readonly recovery: PublicKey
  readonly identities: ReadonlyMap<AtSign, Identity>
  readonly keys: ReadonlyMap<KeyId, KnownKey>
  /** Key ids of recovery and invite keys of all times: no identity may have them. */
  readonly reserved: ReadonlyMap<KeyId, 'recovery' | 'invite'>
  /** Every atSign ever enrolled: its kind never changes. */
  readonly names: ReadonlyMap<AtSign, IdentityKind>
  readonly enrolments: ReadonlyMap<string, EnrolmentRecord>
  readonly servers: ReadonlyMap<string, ServerPin>
  readonly policy?: { readonly sha256: string; readonly name: string; readonly seq: number }
  /** By key id of the invite. Exhausted and expired ones stay. */
  readonly invites: ReadonlyMap<KeyId, Invite>
  /** By `targetId`. */
  readonly releases: ReadonlyMap<string, Release>
  /** Hashes of revocations that statements name in `rev`: an edge serves only while it holds them all. */
  readonly named: ReadonlySet<string>
  readonly halted?: Halt
}

/** The text under which a target is filed. */
export const targetId = (target: Target): string => `${target.kind}:${target.id}`

/** Live administrators, in the order of their atSigns. */
export const adminsOf = (state: State): readonly Identity[] =>
  [...state.identities.values()].filter((identity) => identity.admin).sort((a, b) => (a.atsign < b.atsign ? -1 : 1))

/**
 * The live key by which `atsign` may act in this use, or undefined: what token verifiers are given as their `KeyResolver`. Does NOT
 * look at lease or revocation (`standingOf`, `isRevoked`).
 */
export function liveKey(state: State, atsign: AtSign, kid: KeyId, use: PublicKey['use']): PublicKey | undefined {
  const known = state.keys.get(kid)
  return known?.live && known.atsign === atsign && known.use === use ? known.key : undefined
}
