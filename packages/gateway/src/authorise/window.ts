const width = 64n
const mask = (1n << width) - 1n

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
  let seen = 0n // bit i: highest − i was taken

  const isFresh = (n: number) => {
    if (n > highest) return true
    const age = BigInt(highest - n)
    return age < width && (seen & (1n << age)) === 0n
  }
  return {
    isFresh,
    take(n) {
      if (!isFresh(n)) return false
      if (n > highest) {
        const ahead = BigInt(n - highest)
        seen = ahead >= width ? 1n : ((seen << ahead) | 1n) & mask
        highest = n
      } else {
        seen |= 1n << BigInt(highest - n)
      }
      return true
    },
  }
}
