export interface Counter {
  add(n?: number): void
  readonly value: number
}

/** Counters of one process. Names are snake_case and few: never an id, a name or anything a peer chose. */
export interface Metrics {
  counter(name: string): Counter
  snapshot(): Record<string, number>
}

export function createMetrics(): Metrics {
  const values = new Map<string, { value: number; add(n?: number): void }>()
  return {
    counter(name) {
      const known = values.get(name)
      if (known) return known
      const counter = {
        value: 0,
        add(n = 1) {
          counter.value += n
        },
      }
      values.set(name, counter)
      return counter
    },
    snapshot: () => Object.fromEntries([...values].map(([name, { value }]) => [name, value])),
  }
}
