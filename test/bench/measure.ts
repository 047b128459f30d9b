// Interleaved measurement: every contestant in every round, in random order, so that what disturbs the machine disturbs them all.
import { MAX_OTHER_CORES, watchOthers } from './load.ts'

export type Sample = Readonly<Record<string, number>>

export interface Contestant {
  readonly name: string
  /** One block of about half a second or more. Names of what it gives are units: `p50_us`. */
  block(): Promise<Sample> | Sample
}

export interface Result {
  readonly name: string
  /** Median over the blocks. */
  readonly values: Sample
  readonly blocks: number
  /** Blocks among them during which others used the machine, because there were too few without. */
  readonly disturbed: number
}

export interface Plan {
  readonly rounds: number
  /** Further rounds at most, for blocks that were disturbed. */
  readonly extraRounds?: number
  /** Called after each block. */
  readonly progress?: (line: string) => void
}

interface Block {
  readonly sample: Sample
  readonly isDisturbed: boolean
}

export async function measure(
  contestants: readonly Contestant[],
  { rounds, extraRounds = rounds, progress }: Plan,
): Promise<Map<string, Result>> {
  const blocks = new Map<string, Block[]>(contestants.map(({ name }) => [name, []]))
  const lacks = ({ name }: Contestant) => blocks.get(name)!.filter(({ isDisturbed }) => !isDisturbed).length < rounds
  for (let round = 0; round < rounds + extraRounds; round++) {
    const due = shuffled(contestants.filter((contestant) => round < rounds || lacks(contestant)))
    if (due.length === 0) break
    for (const contestant of due) {
      const others = watchOthers()
      const sample = await contestant.block()
      const cores = others() ?? 0
      blocks.get(contestant.name)!.push({ sample, isDisturbed: cores > MAX_OTHER_CORES })
    }
    progress?.(`round ${round + 1}${round < rounds ? ` of ${rounds}` : ', again what was disturbed'}`)
  }
  return new Map([...blocks].map(([name, all]) => [name, { name, ...resultOf(all, rounds) }]))
}

/** Undisturbed blocks when at least half of what was wanted are; otherwise all of them, marked. */
function resultOf(all: readonly Block[], rounds: number): Omit<Result, 'name'> {
  const calm = all.filter(({ isDisturbed }) => !isDisturbed)
  const used = calm.length >= Math.max(2, rounds / 2) ? calm : all
  const names = Object.keys(used[0]?.sample ?? {})
  const values = Object.fromEntries(names.map((name) => [name, median(used.map(({ sample }) => sample[name]!))]))
  return { values, blocks: used.length, disturbed: used.filter(({ isDisturbed }) => isDisturbed).length }
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function shuffled<T>(list: readonly T[]): T[] {
  const rest = [...list]
  return list.map(() => rest.splice(Math.floor(Math.random() * rest.length), 1)[0]!)
}
