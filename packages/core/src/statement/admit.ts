import { VerifyError } from '../errors.ts'
import { CLOCK_TOLERANCE_SECONDS } from '../key/jws.ts'
import type { Signed } from '../key/signature.ts'
import type { SignatureSuite } from '../key/suite.ts'
import { applyStatement } from './replay.ts'
import type { State } from './state.ts'
import { linkHash, parsePosition, parseStatement } from './statement.ts'

/** Why statements that are valid are not applied yet. Both are reasons to raise an alarm after a while. */
export type Waiting = 'AHEAD_OF_CLOCK' | 'PAST_NOT_AFTER'

export interface Clock {
  /** Unix seconds, by the edge's own clock. */
  readonly now: number
  readonly suite: SignatureSuite
  /**
   * Whether another enrolled gateway acknowledged this statement or a later one on top of it, at `nva` or before: an `ack` that
   * the caller verified. Its clock stands in for ours, which was not running or not connected then.
   */
  readonly ackedInTime?: (seq: number, head: string, nva: number) => boolean
}

/** What came of a run of entries. `refused` stands beside what was applied before it, and calls for an alarm. */
export interface Admission {
  readonly state: State
  /** How many entries, from the first, `state` includes. A halting statement is not applied and not counted. */
  readonly applied: number
  readonly waiting?: Waiting
  readonly refused?: VerifyError
}

/**
 * Applies entries that arrived from others, as far as time allows: nothing whose `at` is ahead of the clock (+120 s), and
 * statements past their `nva` only together with a later one that is in time. So an edge never acts on a statement that was kept
 * back, while the state reached does not depend on clocks. Never throws for what it was given: see `refused`.
 * @param entries Statements `state.seq` + 1, + 2, … in order.
 * @see packages/core/spec/statement.md §7
 */
export function admitEntries(state: State, entries: readonly Signed[], clock: Clock): Admission {
  let admitted: Admission = { state, applied: 0 }
  let candidate = state
  for (const [i, signed] of entries.entries()) {
    const step = tryApply(candidate, signed, clock)
    if ('refused' in step) return { ...admitted, refused: step.refused }
    if (step.early) return { ...admitted, waiting: 'AHEAD_OF_CLOCK' }
    candidate = step.state
    const halted = candidate.halted !== undefined
    if (step.inTime) admitted = { state: candidate, applied: halted ? i : i + 1 }
    else admitted = { state: admitted.state, applied: admitted.applied, waiting: 'PAST_NOT_AFTER' }
    if (halted) return admitted
  }
  return admitted
}

function tryApply(state: State, signed: Signed, clock: Clock) {
  try {
    const next = applyStatement(state, signed, clock.suite)
    return { state: next, early: isEarly(next, signed, clock.now), inTime: isInTime(signed, clock) }
  } catch (error) {
    if (error instanceof VerifyError) return { refused: error }
    throw error
  }
}

/** A statement that halts may be of a version whose `at` means something else: it is not held up. */
const isEarly = (next: State, { bytes }: Signed, now: number): boolean =>
  next.halted === undefined && parseStatement(bytes).at > now + CLOCK_TOLERANCE_SECONDS

function isInTime({ bytes }: Signed, { now, ackedInTime }: Clock): boolean {
  const { seq, nva } = parsePosition(bytes)
  return now <= nva + CLOCK_TOLERANCE_SECONDS || (ackedInTime?.(seq, linkHash(bytes), nva) ?? false)
}
