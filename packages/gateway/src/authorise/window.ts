const width = 64

/**
 * Remembers which counters of one grant were used: every n is taken once, in any order within the last 64. Below the window counts as used.
 * `take` is the only writer, and it is synchronous, so two interleaved calls cannot both have the same n.
 */
export interface CounterWindow {
  isFresh(n: number): boolean
  /** @returns false when n was taken before, or is too old to know. */
  take(n: number): boolean
}

export function createCounterWindow(): CounterWindow {
  let highest = 0
  // Bit i of `recent` (0–31) and of `older` (32–63): highest − i was taken.
  let recent = 0
  let older = 0

  const isTaken = (age: number) => ((age < 32 ? recent >>> age : older >>> (age - 32)) & 1) === 1
  const isFresh = (n: number) => n > highest || (highest - n < width && !isTaken(highest - n))
  const advance = (by: number) => {
    older = by < 32 ? (older << by) | (recent >>> (32 - by)) : by < width ? recent << (by - 32) : 0
    recent = by < 32 ? recent << by : 0
  }
  return {
    isFresh,
    take(n) {
      if (!isFresh(n)) return false
      if (n > highest) {
        advance(n - highest)
        highest = n
      }
      const age = highest - n
      if (age < 32) recent |= 1 << age
      else older |= 1 << (age - 32)
      return true
    },
  }
}
