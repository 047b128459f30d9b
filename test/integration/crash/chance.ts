// A random moment that can be had again: the seed is printed, and POSTERN_CRASH_SEED sets it.
import { setTimeout as pause } from 'node:timers/promises'
import type { Child } from '../../fixtures/processes.ts'

export interface Chance {
  readonly seed: number
  /** From `min` up to, not with, `max`. */
  between(min: number, max: number): number
}

export function openChance(what: string): Chance {
  const seed = Number(process.env.POSTERN_CRASH_SEED ?? Math.floor(Math.random() * 2 ** 31))
  console.log(`${what}: moments drawn from POSTERN_CRASH_SEED=${seed}`)
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { seed, between: (min, max) => min + next() * (max - min) }
}

/** `kill -9` at a random moment from now; returns when the process is gone. */
export async function killAtSomeMoment(child: Pick<Child, 'process' | 'exit'>, chance: Chance, maxMs: number): Promise<void> {
  await pause(chance.between(0, maxMs))
  child.process.kill('SIGKILL')
  await child.exit
}
