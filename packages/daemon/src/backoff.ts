export interface Backoff {
  /** Milliseconds to wait before the next attempt; each call counts as a failure. */
  next(): number
  /** Call when an attempt held. */
  reset(): void
}

export interface BackoffOptions {
  /** Upper bound of the first wait. Default 250 ms. */
  readonly firstMs?: number
  /** Upper bound of any wait. Default 15 s. */
  readonly maxMs?: number
  readonly random?: () => number
}

/** Waits double up to a bound; each is drawn between half its bound and the bound, so that a fleet does not return in step. */
export function createBackoff({ firstMs = 250, maxMs = 15_000, random = Math.random }: BackoffOptions = {}): Backoff {
  let failures = 0
  return {
    next() {
      const bound = Math.min(maxMs, firstMs * 2 ** Math.min(failures, 30))
      failures += 1
      return Math.round(bound * (0.5 + random() / 2))
    },
    reset() {
      failures = 0
    },
  }
}
