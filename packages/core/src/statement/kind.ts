import type { Shape } from '../bytes/shape.ts'
import type { AtSign } from '../key/atsign.ts'
import type { PublicKey } from '../key/public-key.ts'
import type { SignatureSuite } from '../key/suite.ts'
import type { State } from './state.ts'

/**
 * Who decides. `root`, `sensitive` and `routine` are thresholds of administrators; `recovery` is the recovery key alone; `holder` the
 * holder of a key named in the statement, within limits the log has set (delegation, invite, rotation); `genesis` founds the rest.
 */
export type StatementClass = 'genesis' | 'root' | 'sensitive' | 'routine' | 'recovery' | 'holder'
export const ADMIN_CLASSES = ['root', 'sensitive', 'routine'] as const
export type AdminClass = (typeof ADMIN_CLASSES)[number]
export const isAdminClass = (of: StatementClass): of is AdminClass => (ADMIN_CLASSES as readonly string[]).includes(of)

/** Why one particular key must have signed. */
export type KeyReason = 'recovery' | 'new-recovery' | 'possession' | 'delegation' | 'invite' | 'rotation'
export interface KeyNeed {
  readonly key: PublicKey
  readonly why: KeyReason
}

/** What a statement does, and what must have signed it beside the threshold of its class under the state before. */
export interface Effect {
  readonly state: State
  readonly keys?: readonly KeyNeed[]
  /** The root threshold of the state *after* must be met too: operations on administrators and thresholds. */
  readonly after?: true
  /** Does not count towards the threshold. */
  readonly except?: AtSign
}

/** A statement as its kind sees it. */
export interface Entry<B> {
  readonly seq: number
  readonly at: number
  readonly nva: number
  /** `linkHash` of the statement. */
  readonly link: string
  readonly body: B
}

/** What one kind of statement is: all there is to know about it, in one place. */
export interface Kind<B> {
  /** What a person does by signing it: `Enrol a gateway`. */
  readonly title: string
  readonly body: Shape<B>
  /** Decided from the body and never read from it. */
  readonly classOf: (body: B) => Exclude<StatementClass, 'genesis'>
  /** Everything material, in sentences. `state` is the state before, where it is known. */
  readonly describe: (body: B, entry: Entry<B>, state: State | undefined) => readonly string[]
  /** The state after. Checks everything but chain position and signatures on the statement itself. */
  readonly apply: (state: State, entry: Entry<B>, suite: SignatureSuite) => Effect
}
