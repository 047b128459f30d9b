import { revocationsDigest } from '../call/ack.ts'
import { VerifyError } from '../errors.ts'
import type { Signed } from '../key/signature.ts'
import type { Policy } from '../policy/document.ts'
import { parsePolicy, policyDigest } from '../policy/parse.ts'
import type { Admission } from '../statement/admit.ts'
import { admitEntries } from '../statement/admit.ts'
import { applyStatement, startState } from '../statement/replay.ts'
import { revocationHash } from '../statement/revocation.ts'
import type { RevocationSet } from '../statement/revocation-set.ts'
import { addRevocation, emptyRevocations, missingFrom } from '../statement/revocation-set.ts'
import type { State } from '../statement/state.ts'
import { linkHash } from '../statement/statement.ts'
import type { AuthorityStore, StoredRevocation } from './authority-store.ts'
import { EdgeError } from './errors.ts'
import type { EdgeSurroundings } from './surroundings.ts'
import { nowSeconds } from './surroundings.ts'

/** What one verified moment of authority is. Replaced as a whole, never changed; `version` differs when anything in it does. */
export interface Snapshot {
  readonly version: number
  /** Undefined before genesis has arrived. */
  readonly state: State | undefined
  readonly revocations: RevocationSet
  /** The document that the state names, if its bytes are here and this version can read them. */
  readonly policy: { readonly digest: string; readonly document: Policy } | undefined
  /** Hashes of revocations that the chain names and that are not here: nothing is served before they are. */
  readonly missing: readonly string[]
}

/** `onUnreadablePolicy`: a policy was signed that this version cannot read; nothing is allowed until one is that it can. */
export type MirrorDeps = Pick<EdgeSurroundings, 'clock' | 'suite'> & {
  readonly onUnreadablePolicy?: (sha256: string, code: string) => void
}

/**
 * An edge's own copy of the authority log and the revocations. Everything is verified from the pinned organisation, is on disk before
 * it counts, and only ever grows. It believes nobody: not the control plane, not the disk.
 */
export class AuthorityMirror {
  readonly org: string
  readonly store: AuthorityStore
  readonly #deps: MirrorDeps
  #links: string[] = []
  #head: Signed | undefined
  #snapshot: Snapshot = { version: 0, state: undefined, revocations: emptyRevocations(), policy: undefined, missing: [] }
  #turn: Promise<unknown> = Promise.resolve()
  readonly #watchers: ((snapshot: Snapshot) => void)[] = []

  private constructor(org: string, store: AuthorityStore, deps: MirrorDeps) {
    this.org = org
    this.store = store
    this.#deps = deps
  }

  /**
   * Verifies everything that is on disk, from genesis.
   * @throws {EdgeError} STATE_CORRUPT when it does not verify, LOG_ROLLED_BACK when it is shorter than what was acted on before
   */
  static async open(org: string, store: AuthorityStore, deps: MirrorDeps): Promise<AuthorityMirror> {
    const mirror = new AuthorityMirror(org, store, deps)
    try {
      mirror.#load()
    } catch (cause) {
      if (cause instanceof VerifyError)
        throw new EdgeError('STATE_CORRUPT', `the stored authority log does not verify: ${cause.message}`, { cause })
      throw cause
    }
    await mirror.#refreshPolicy()
    return mirror
  }

  get snapshot(): Snapshot {
    return this.#snapshot
  }

  /** The statement at the head, with its signatures: what is shown to agents. */
  get headStatement(): Signed | undefined {
    return this.#head
  }

  /** Link hash of a statement we hold. */
  linkAt(seq: number): string | undefined {
    return this.#links[seq]
  }

  onChange(watch: (snapshot: Snapshot) => void): void {
    this.#watchers.push(watch)
  }

  /** Applies what time and signatures allow, and has it on disk before it counts. `entries` follow the present head. */
  addEntries(
    entries: readonly Signed[],
    ackedInTime?: (seq: number, head: string, nva: number) => boolean,
  ): Promise<Omit<Admission, 'state'>> {
    return this.#inTurn(async () => {
      const { state, applied, ...rest } = this.#admit(entries, ackedInTime)
      const taken = entries.slice(0, applied)
      if (state && applied > 0) {
        await this.store.appendEntries(taken, { seq: state.seq, head: state.head })
        this.#extend(taken)
      }
      if (state && state !== this.#snapshot.state) await this.#replaceState(state)
      return { applied, ...rest }
    })
  }

  /**
   * Takes up a revocation; it is on disk before it counts.
   * @returns false when it was known.
   * @throws {VerifyError} when nobody entitled signed it, or its target is not known yet
   */
  addRevocation(signed: Signed): Promise<boolean> {
    return this.#inTurn(async () => {
      const { state, revocations } = this.#snapshot
      if (!state) throw new EdgeError('NO_LOG', 'there is no authority log yet to check a revocation against')
      const next = addRevocation(revocations, signed, state, this.#deps.suite)
      if (next === revocations) return false
      await this.store.appendRevocation({ seq: state.seq, signed })
      this.#replace({ revocations: next })
      return true
    })
  }

  hasRevocation(bytes: Uint8Array): boolean {
    return this.#snapshot.revocations.held.has(revocationHash(bytes))
  }

  /** Stores a policy document under its digest, so that it is here when the log names it. @returns false when the bytes are other ones. */
  addPolicy(sha256: string, bytes: Uint8Array): Promise<boolean> {
    return this.#inTurn(async () => {
      if (policyDigest(bytes) !== sha256) return false
      await this.store.writePolicy(sha256, bytes)
      await this.#refreshPolicy()
      return true
    })
  }

  revocationsDigest(): { count: number; digest: string } {
    return revocationsDigest(this.#snapshot.revocations.held.keys(), this.#deps.suite)
  }

  #admit(entries: readonly Signed[], ackedInTime?: (seq: number, head: string, nva: number) => boolean) {
    const { state } = this.#snapshot
    const [first, ...rest] = entries
    if (!first) return { state, applied: 0 }
    const suite = this.#deps.suite
    const clock = { now: nowSeconds(this.#deps.clock), suite, ...(ackedInTime ? { ackedInTime } : {}) }
    if (state) return admitEntries(state, entries, clock)
    try {
      // Genesis is the pin itself: nobody can hold it back and bring it later as something else.
      const admission = admitEntries(startState(first, this.org, suite), rest, clock)
      return { ...admission, applied: admission.applied + 1 }
    } catch (error) {
      if (error instanceof VerifyError) return { state, applied: 0, refused: error }
      throw error
    }
  }

  #load(): void {
    const { entries, revocations, head } = this.store
    const { suite } = this.#deps
    const [genesis, ...rest] = entries
    if (!genesis) {
      if (head) throw new EdgeError('LOG_ROLLED_BACK', `the stored log is gone, but statement ${head.seq} was acted on`)
      return
    }
    let state = startState(genesis, this.org, suite)
    let held = addHeldAt(emptyRevocations(), state, revocations, suite)
    for (const signed of rest) {
      state = applyStatement(state, signed, suite)
      held = addHeldAt(held, state, revocations, suite)
    }
    this.#extend(entries)
    if (head && this.#links[head.seq] !== head.head) {
      throw new EdgeError('LOG_ROLLED_BACK', `the stored log does not contain statement ${head.seq} (${head.head}), which was acted on`)
    }
    this.#snapshot = { version: 1, state, revocations: held, policy: undefined, missing: missingFrom(held, state) }
  }

  #extend(entries: readonly Signed[]): void {
    for (const { bytes } of entries) this.#links.push(linkHash(bytes))
    this.#head = entries.at(-1) ?? this.#head
  }

  async #replaceState(state: State): Promise<void> {
    const policy = await this.#policyOf(state)
    this.#replace({ state, policy })
  }

  async #refreshPolicy(): Promise<void> {
    const { state, policy } = this.#snapshot
    if (!state?.policy || policy?.digest === state.policy.sha256) return
    const read = await this.#policyOf(state)
    if (read) this.#replace({ policy: read })
  }

  async #policyOf(state: State): Promise<Snapshot['policy']> {
    if (!state.policy) return undefined
    const { sha256 } = state.policy
    if (this.#snapshot.policy?.digest === sha256) return this.#snapshot.policy
    const bytes = await this.store.policy(sha256)
    if (!bytes || policyDigest(bytes) !== sha256) return undefined
    try {
      return { digest: sha256, document: parsePolicy(bytes) }
    } catch (error) {
      this.#deps.onUnreadablePolicy?.(sha256, error instanceof VerifyError ? error.code : 'INTERNAL')
      return undefined
    }
  }

  #replace(change: Partial<Snapshot>): void {
    const next = { ...this.#snapshot, ...change }
    const missing = next.state ? missingFrom(next.revocations, next.state) : []
    this.#snapshot = { ...next, missing, version: this.#snapshot.version + 1 }
    for (const watch of this.#watchers) watch(this.#snapshot)
  }

  /** One change after the other: each is verified against what the one before has left on disk. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(change)
    this.#turn = mine.catch(() => {})
    return mine
  }
}

/** Verified by the state of then: its signer may have left since, and a revocation never goes away. */
function addHeldAt(set: RevocationSet, state: State, stored: readonly StoredRevocation[], suite: MirrorDeps['suite']): RevocationSet {
  return stored.filter(({ seq }) => seq === state.seq).reduce((held, { signed }) => addRevocation(held, signed, state, suite), set)
}
