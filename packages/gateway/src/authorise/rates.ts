const windowSeconds = 60

/**
 * Calls of one agent under one rule within any 60 s, across grants. Rebuilt from the journal's start records after a restart. Times are
 * Unix seconds; one that lies ahead (the clock was set back a little) counts.
 */
export interface Rates {
  count(agent: string, rule: string, now: number): number
  note(agent: string, rule: string, at: number): void
  sweep(now: number): void
}

export function createRates(): Rates {
  const calls = new Map<string, number[]>()
  const key = (agent: string, rule: string) => `${agent} ${rule}`

  const recent = (name: string, now: number): number[] => {
    const times = calls.get(name)
    if (!times) return []
    const kept = times.findIndex((at) => at > now - windowSeconds)
    if (kept > 0) times.splice(0, kept)
    else if (kept < 0) times.length = 0
    return times
  }
  return {
    count: (agent, rule, now) => recent(key(agent, rule), now).length,
    note(agent, rule, at) {
      const name = key(agent, rule)
      const times = calls.get(name)
      if (times) times.push(at)
      else calls.set(name, [at])
    },
    sweep(now) {
      for (const name of [...calls.keys()]) if (recent(name, now).length === 0) calls.delete(name)
    },
  }
}
