/** Both in milliseconds. `wall` may be set by people and time servers, `monotonic` only ever passes. */
export interface Clock {
  wall(): number
  monotonic(): number
}

export const systemClock: Clock = { wall: () => Date.now(), monotonic: () => performance.now() }

/** Unix seconds. */
export const unixSeconds = (clock: Clock = systemClock): number => Math.floor(clock.wall() / 1000)

export interface JumpDetector {
  /** Seconds by which wall time left monotonic time since the last call (negative: backwards), or 0 if within the threshold. */
  check(): number
}

/**
 * Notices a restored snapshot, a suspended machine or a clock set by hand. Slow correction (NTP slewing) stays below the threshold
 * between two calls and is not a jump, so call it at least every few seconds and before anything that trusts the clock.
 */
export function createJumpDetector({ clock = systemClock, thresholdSeconds = 5 } = {}): JumpDetector {
  const offset = () => (clock.wall() - clock.monotonic()) / 1000
  let last = offset()
  return {
    check() {
      const now = offset()
      const jump = now - last
      last = now
      return Math.abs(jump) > thresholdSeconds ? jump : 0
    },
  }
}
