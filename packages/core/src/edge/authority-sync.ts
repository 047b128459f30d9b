import { VerifyError } from '../errors.ts'
import { verifyDetached } from '../key/detached.ts'
import type { Signed, SignedJson } from '../key/signature.ts'
import { decodeSigned, encodeSigned } from '../key/signature.ts'
import type { Admission, Clock } from '../statement/admit.ts'
import type { State } from '../statement/state.ts'
import { linkHash, parsePosition, parseStatement } from '../statement/statement.ts'
import type { ControlClient } from './control-client.ts'
import type { AuthorityMirror } from './mirror.ts'
import type { EdgeSurroundings } from './surroundings.ts'

/**
 * Something a person must look into. `FORKED` and `WITHHELD` are proven by signatures of administrators we know, and stop the edge; what
 * only the control plane says does not.
 */
export type AuthorityAlarm =
  | { readonly kind: 'FORKED'; readonly seq: number; readonly proven: boolean }
  | { readonly kind: 'ROLLED_BACK'; readonly seq: number; readonly found: number }
  | { readonly kind: 'REFUSED'; readonly seq: number; readonly code: string }
  | { readonly kind: 'WAITING'; readonly seq: number; readonly why: string }
  | { readonly kind: 'HALTED'; readonly seq: number; readonly why: string }
  | { readonly kind: 'WRONG_ORGANISATION' }
  | { readonly kind: 'REVOCATION_REFUSED'; readonly code: string }

export interface SyncOptions {
  readonly mirror: AuthorityMirror
  readonly client: ControlClient
  readonly suite: EdgeSurroundings['suite']
  /** Says which of the statements that wait past their `nva` were taken up in time (`readAckedInTime`). Default: none, they wait. */
  readonly lookAgain?: (entries: readonly Signed[]) => Promise<NonNullable<Clock['ackedInTime']>>
  /** Policy documents are needed by gateways only. */
  readonly wantsPolicy: boolean
  /** Default: true. A signing page may not read them, and needs none: they are no input to the chain. */
  readonly wantsRevocations?: boolean
  alarm(alarm: AuthorityAlarm): void
}

interface LogAnswer {
  readonly org: string
  readonly entries: readonly (SignedJson & { readonly seq: number })[]
  readonly head: { readonly seq: number; readonly hash: string } | null
  readonly next: number | null
}
interface RevocationsAnswer {
  readonly revocations: readonly SignedJson[]
  readonly next: number | string | null
}

const MAX_POLICY_BYTES = 262_144

/**
 * Brings the mirror up to what the control plane has, once, and remembers where the revocations ended. Nothing it says is believed: what is
 * new verifies, and what contradicts what we hold is refused, with both signed statements kept as evidence.
 */
export interface AuthoritySync {
  /**
   * One round. @returns true when it was complete: everything the control plane has is applied here, revocations and policy too. That says
   * nothing about what it keeps back.
   * @throws what the network throws
   */
  run(): Promise<boolean>
}

export function createAuthoritySync(options: SyncOptions): AuthoritySync {
  const doubtful: Signed[] = []
  let after: number | string | null = null
  return {
    async run() {
      const isWhole = await syncLog(options)
      if (options.wantsRevocations === false) return isWhole && syncPolicy(options)
      const page = await syncRevocations(options, after, doubtful)
      after = page.after
      if (!(await syncPolicy(options))) return false
      return isWhole && page.isWhole && options.mirror.snapshot.missing.length === 0
    },
  }
}

/** From our head on, our head included, so that another statement in its place shows. */
async function syncLog(options: SyncOptions): Promise<boolean> {
  const { mirror, client, alarm } = options
  for (;;) {
    const from = mirror.snapshot.state?.seq ?? 0
    const path = `/api/v1/log?from=${from}&limit=256`
    const answer = await client.call<LogAnswer>(path)
    if (answer.org !== mirror.org) {
      alarm({ kind: 'WRONG_ORGANISATION' })
      return false
    }
    const entries = decodeEntries(answer)
    const added = mirror.snapshot.state ? await checkOverlap(options, answer, entries) : entries
    if (!added) return false
    if (added.length === 0) return answer.next === null && !mirror.snapshot.state?.halted
    if (!(await extend(options, added))) return false
    if (answer.next === null) return true
  }
}

const decodeEntries = ({ entries }: LogAnswer): readonly Signed[] =>
  entries.map(({ bytes, signatures }) => decodeSigned({ bytes, signatures }))

/** What follows our head, or undefined when what is there is not our log. */
async function checkOverlap(options: SyncOptions, answer: LogAnswer, entries: readonly Signed[]): Promise<readonly Signed[] | undefined> {
  const { mirror, alarm } = options
  const { seq, head } = mirror.snapshot.state!
  const [overlap, ...rest] = entries
  if (!overlap) {
    await mirror.store.writeEvidence(`rolled-back-${seq}`, { held: encodeSigned(mirror.headStatement!), said: answer.head })
    alarm({ kind: 'ROLLED_BACK', seq, found: answer.head?.seq ?? -1 })
    return undefined
  }
  if (linkHash(overlap.bytes) === head) return rest
  await reportFork(options, seq, overlap)
  return undefined
}

/** Another statement at a place we know. Proven when an administrator we know signed it. */
export async function reportFork(
  { mirror, suite, alarm }: Pick<SyncOptions, 'mirror' | 'suite' | 'alarm'>,
  seq: number,
  other: Signed,
): Promise<boolean> {
  const proven = isSignedByAdmin(mirror.snapshot.state!, other, suite)
  const held = await mirror.store.readEntry(seq)
  const evidence = { held: held && encodeSigned(held), other: encodeSigned(other), seq, proven }
  await mirror.store.writeEvidence(proven ? FORK_EVIDENCE : `unproven-${seq}`, evidence)
  alarm({ kind: 'FORKED', seq, proven })
  return proven
}
/** While it is there the edge has stopped: a person looks at it, decides, and removes it. */
export const FORK_EVIDENCE = 'fork'

/** Whether at least one administrator of this state signed these statement bytes. Says nothing about thresholds. */
export function isSignedByAdmin(state: State, signed: Signed, suite: EdgeSurroundings['suite']): boolean {
  return signed.signatures.some((signature) => {
    const known = state.keys.get(signature.kid)
    if (!known?.live || known.use !== 'sign' || !state.identities.get(known.atsign)?.admin) return false
    try {
      verifyDetached(known.key, 'postern-statement-v1', signed.bytes, signature, state.site, suite)
      return true
    } catch (error) {
      if (error instanceof VerifyError) return false
      throw error
    }
  })
}

/** @returns false when not all of them could be applied. */
async function extend(options: SyncOptions, entries: readonly Signed[]): Promise<boolean> {
  const { mirror, alarm } = options
  if (options.wantsPolicy) await fetchPoliciesOf(options, entries)
  const before = mirror.snapshot.state?.seq ?? -1
  const { applied, refused, waiting } = await addEntries(options, entries)
  const seq = before + applied + 1
  if (refused) alarm({ kind: 'REFUSED', seq, code: refused.code })
  if (waiting) alarm({ kind: 'WAITING', seq, why: waiting })
  const halted = mirror.snapshot.state?.halted
  if (halted) alarm({ kind: 'HALTED', seq: halted.seq, why: halted.reason })
  return !refused && !waiting && !halted
}

/** Those that wait because they are past their `nva` get a second look. `applied` counts both. */
async function addEntries({ mirror, lookAgain }: SyncOptions, entries: readonly Signed[]): Promise<Omit<Admission, 'state'>> {
  const first = await mirror.addEntries(entries)
  if (first.waiting !== 'PAST_NOT_AFTER' || first.refused || !lookAgain) return first
  const rest = entries.slice(first.applied)
  const second = await mirror.addEntries(rest, await lookAgain(rest))
  return { ...second, applied: first.applied + second.applied }
}

/** The documents first, so that there is no moment between a `policy.set` and its policy. */
async function fetchPoliciesOf(options: SyncOptions, entries: readonly Signed[]): Promise<void> {
  const newest = entries.flatMap(({ bytes }) => policyNamedBy(bytes)).at(-1)
  if (newest) await fetchPolicy(options, newest)
}

function policyNamedBy(bytes: Uint8Array): string[] {
  try {
    const statement = parseStatement(bytes)
    return statement.op === 'policy.set' ? [statement.body.sha256] : []
  } catch (error) {
    if (error instanceof VerifyError) return [] // whether it is a statement is decided when it is applied
    throw error
  }
}

async function fetchPolicy({ mirror, client }: SyncOptions, sha256: string): Promise<boolean> {
  if (await mirror.store.policy(sha256)) return true
  const bytes = await client.bytes(`/api/v1/policies/${sha256}`, MAX_POLICY_BYTES)
  return bytes !== undefined && (await mirror.addPolicy(sha256, bytes))
}

async function syncPolicy(options: SyncOptions): Promise<boolean> {
  const { state, policy } = options.mirror.snapshot
  if (!options.wantsPolicy || !state?.policy || policy) return true
  return fetchPolicy(options, state.policy.sha256)
}

/**
 * @param doubtful Revocations that did not verify yet, because their target or the statement that names them is not here: tried again.
 */
async function syncRevocations(
  options: SyncOptions,
  from: number | string | null,
  doubtful: Signed[],
): Promise<{ after: number | string | null; isWhole: boolean }> {
  const { mirror, client } = options
  let after = from
  if (!mirror.snapshot.state) return { after, isWhole: false }
  for (const signed of doubtful.splice(0)) await takeUp(options, signed, doubtful)
  for (let seen = 0; ; ) {
    const query = after === null ? '' : `?after=${encodeURIComponent(after)}`
    const { revocations, next } = await client.call<RevocationsAnswer>(`/api/v1/revocations${query}`)
    for (const { bytes, signatures } of revocations) {
      await takeUp(options, decodeSigned({ bytes, signatures }), doubtful)
    }
    if (next === null || next === after || revocations.length === 0) return { after: next ?? after, isWhole: true }
    after = next
    seen += revocations.length
    // Each is served once: more than are held here and in doubt are pages without an end, and a round has to have one.
    if (seen > mirror.snapshot.revocations.held.size + MAX_DOUBTFUL) return { after, isWhole: false }
  }
}

const MAX_DOUBTFUL = 1024

async function takeUp({ mirror, alarm }: SyncOptions, signed: Signed, doubtful: Signed[]): Promise<void> {
  try {
    await mirror.addRevocation(signed)
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    alarm({ kind: 'REVOCATION_REFUSED', code: error.code })
    if (doubtful.length < MAX_DOUBTFUL) doubtful.push(signed)
  }
}

/** What a peer says about its log in the first message of a channel. */
export interface PeerHead {
  readonly log: { readonly seq: number; readonly head: string }
  /** Its head statement with signatures. */
  readonly head: SignedJson
}

/**
 * What a peer's head means. `same`: it is ours, or a statement we hold. `ahead`: it names one that we do not have; `proven` when an
 * administrator we know signed it. `forked`: it contradicts ours and an administrator signed both. `false`: it does not add up, which
 * ends just that channel.
 * @see packages/core/spec/channel-messages.md
 */
export type PeerVerdict = { readonly kind: 'same' | 'forked' | 'false' } | { readonly kind: 'ahead'; readonly proven: boolean }

export function comparePeerHead(mirror: AuthorityMirror, peer: PeerHead, suite: EdgeSurroundings['suite']): PeerVerdict {
  const { state } = mirror.snapshot
  const signed = decodeSigned(peer.head)
  if (!state || !isStatementAt(mirror.org, peer.log, signed.bytes)) return { kind: 'false' }
  const ours = mirror.linkAt(peer.log.seq)
  if (ours === peer.log.head) return { kind: 'same' }
  const proven = isSignedByAdmin(state, signed, suite)
  if (ours === undefined) return { kind: 'ahead', proven }
  return { kind: proven ? 'forked' : 'false' }
}

function isStatementAt(org: string, { seq, head }: PeerHead['log'], bytes: Uint8Array): boolean {
  if (linkHash(bytes) !== head) return false
  if (seq === 0) return true // genesis names no organisation: its hash is one
  try {
    const position = parsePosition(bytes)
    return position.org === org && position.seq === seq
  } catch (error) {
    if (error instanceof VerifyError) return false
    throw error
  }
}
