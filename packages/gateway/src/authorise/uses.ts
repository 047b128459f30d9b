import type { Grant, GrantDetail } from '@postern/core'
import type { CounterWindow } from './window.ts'
import { createCounterWindow } from './window.ts'

/** A verified grant of this run, and what was made of it. Lost with the process, like the grant itself: the next run has another epoch. */
export interface GrantUse {
  readonly hash: string
  readonly grant: Grant
  readonly window: CounterWindow
  /** Calls that were let through. */
  started: number
  detailOf(server: string, tool: string): GrantDetail | undefined
}

/**
 * The grants in use, by hash. An entry whose grant can still be used is never dropped, since its counters would be forgotten with it: when
 * there is no room for another, `add` says so.
 */
export interface GrantUses {
  get(hash: string): GrantUse | undefined
  /** @returns undefined when there is no room. */
  add(hash: string, grant: Grant, now: number): GrantUse | undefined
  readonly size: number
}

export function createGrantUses({ max = 65_536, maxPerAgent = 4_096 } = {}): GrantUses {
  const uses = new Map<string, GrantUse>()
  const perAgent = new Map<string, number>()
  let sweptAt = 0

  const countOf = (agent: string) => perAgent.get(agent) ?? 0
  /** At most once a second: a full table must not make every call walk it. */
  const dropExpired = (now: number) => {
    if (now === sweptAt) return
    sweptAt = now
    for (const [hash, { grant }] of uses) {
      if (grant.exp > now) continue
      uses.delete(hash)
      if (countOf(grant.sub) > 1) perAgent.set(grant.sub, countOf(grant.sub) - 1)
      else perAgent.delete(grant.sub)
    }
  }
  return {
    get: (hash) => uses.get(hash),
    add(hash, grant, now) {
      if (uses.size >= max / 2 || countOf(grant.sub) >= maxPerAgent / 2) dropExpired(now)
      if (uses.size >= max || countOf(grant.sub) >= maxPerAgent) return undefined
      perAgent.set(grant.sub, countOf(grant.sub) + 1)
      const use: GrantUse = { hash, grant, window: createCounterWindow(), started: 0, detailOf: detailFinder(grant) }
      uses.set(hash, use)
      return use
    },
    get size() {
      return uses.size
    },
  }
}

function detailFinder({ authorization_details: details }: Grant): GrantUse['detailOf'] {
  if (details.length === 1) {
    const [only] = details
    return (server, tool) => (only?.tool === tool && only.server === server ? only : undefined)
  }
  const byName = new Map(details.map((detail) => [`${detail.server}\n${detail.tool}`, detail]))
  return (server, tool) => byName.get(`${server}\n${tool}`)
}
