import { ControlError } from './errors.ts'

/** A leaky bucket: `spend` fills it, time empties it. */
export interface Limiter {
  /** @throws {ControlError} TOO_MANY while it is full */
  check(): void
  spend(amount?: number): void
}

/** @param perMinute How many a minute in the long run; as many at once. Per process: N replicas let N times as many through. */
export function createLimiter(perMinute: number, nowMs: () => number): Limiter {
  let level = 0
  let at = nowMs()
  const drain = () => {
    const now = nowMs()
    level = Math.max(0, level - ((now - at) / 60_000) * perMinute)
    at = now
  }
  return {
    check() {
      drain()
      if (level >= perMinute) throw new ControlError('TOO_MANY', 'too many attempts; wait a minute')
    },
    spend(amount = 1) {
      drain()
      level += amount
    },
  }
}

/** Work whose failures count. @throws {ControlError} TOO_MANY */
export async function limited<T>(limiter: Limiter, work: () => Promise<T>): Promise<T> {
  limiter.check()
  try {
    return await work()
  } catch (error) {
    limiter.spend()
    throw error
  }
}
