import { readdirSync, readFileSync } from 'node:fs'

/** Why `/proc` cannot be read here; undefined where it can. */
export const noProc = (): string | undefined => (process.platform === 'linux' ? undefined : `there is no /proc on ${process.platform}`)

/** A process and everything it started, directly or not, that still runs. */
export function familyOf(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = parentOf(name)
    if (parent !== undefined) parents.set(Number(name), parent)
  }
  const family = [pid]
  for (const member of family) for (const [child, parent] of parents) if (parent === member) family.push(child)
  return family
}

/** The name of a program may hold anything, so what comes after its last parenthesis is read. */
function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined // it has ended meanwhile
  }
}
