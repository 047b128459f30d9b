import type { RiskClass, Snapshot } from '@postern/core'
import type { Clock } from '@postern/daemon'
import type { No } from '../authorise/candidate.ts'
import { no } from '../authorise/candidate.ts'
import type { ClockGuard } from '../clock-guard.ts'

/** Used while no policy says otherwise; the policy's own values have the same defaults. */
const defaultStaleSeconds = { effects: 300, reads: 3600 }

/** Whether what this gateway knows is good enough to act on at this moment. Everything here fails closed. */
export interface Trust {
  /** A round of synchronisation that began at `atMs` (monotonic) was complete. */
  completed(atMs: number): void
  /** Two signed statements stand for one seq: nothing runs until a person has looked. */
  fork(): void
  /** An administrator's signature proves a statement that we do not have: nothing runs before it is here. */
  behind(seq: number): void
  /** What was known may be of another time: sync anew before anything runs. */
  forget(): void
  trouble(snapshot: Snapshot, risk: RiskClass | undefined): No | undefined
  /** Seconds since the last complete sync began; undefined: none yet. */
  age(): number | undefined
  readonly isForked: boolean
  /** Unix seconds. */
  now(): number
}

export interface TrustParts {
  readonly clock: Clock
  readonly guard: ClockGuard
  readonly isEpochDurable: () => boolean
  readonly isForked: boolean
}

export function createTrust({ clock, guard, isEpochDurable, isForked }: TrustParts): Trust {
  let completeMs: number | undefined
  let forked = isForked
  let mustReach = 0

  const age = () => (completeMs === undefined ? undefined : (clock.monotonic() - completeMs) / 1000)
  return {
    completed(atMs) {
      completeMs = atMs
    },
    fork() {
      forked = true
    },
    behind(seq) {
      mustReach = Math.max(mustReach, seq)
    },
    forget() {
      completeMs = undefined
    },
    age,
    get isForked() {
      return forked
    },
    now: () => guard.now(),
    trouble({ state, missing, policy }, risk) {
      if (guard.isWrong() || !isEpochDurable()) return no('CLOCK_WRONG')
      if (forked) return no('LOG_FORKED')
      if (missing.length > 0) return no('LOG_BEHIND', `${missing.length} revocations that the log names have not arrived`)
      if (!state || state.seq < mustReach) return no('LOG_BEHIND', `statement ${mustReach} exists and has not arrived`)
      const { effects, reads } = policy?.document.staleSeconds ?? defaultStaleSeconds
      const seconds = age()
      if (seconds !== undefined && seconds <= (risk === 'read' ? reads : effects)) return undefined
      return state.halted ? no('LOG_HALTED') : no('STALE')
    },
  }
}
