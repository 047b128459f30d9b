// How much of this machine others use, from /proc: processes outside our own tree. Other systems: unknown, and the report says so.
import { readdirSync, readFileSync } from 'node:fs'

/** More than this many cores used by others, and a block is measured again. */
export const MAX_OTHER_CORES = 0.1
const TICKS_PER_SECOND = 100

interface Usage {
  readonly wallMs: number
  /** Clock ticks that all processes have used. Interrupts are left out: network work shows there whoever caused it. */
  readonly all: number
  readonly ours: number
}

/** Starts watching; the answer is the mean number of cores that others used since, or undefined where it cannot be known. */
export function watchOthers(): () => number | undefined {
  const before = usage()
  return () => {
    const after = usage()
    if (!before || !after) return undefined
    const ticks = after.all - before.all - (after.ours - before.ours)
    return Math.max(0, ticks / TICKS_PER_SECOND / ((after.wallMs - before.wallMs) / 1000))
  }
}

function usage(): Usage | undefined {
  try {
    const [, user, nice, system] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.split(/\s+/).map(Number)
    return { wallMs: performance.now(), all: user! + nice! + system!, ours: ticksOfTree(process.pid) }
  } catch {
    return undefined
  }
}

interface ProcessTicks {
  readonly parent: number
  readonly ticks: number
}

function ticksOfTree(root: number): number {
  const processes = new Map<number, ProcessTicks>()
  for (const name of readdirSync('/proc')) {
    const found = /^\d+$/.test(name) ? ticksOf(Number(name)) : undefined
    if (found) processes.set(Number(name), found)
  }
  const isOurs = (pid: number): boolean => pid === root || (pid > 1 && isOurs(processes.get(pid)?.parent ?? 0))
  return [...processes].reduce((sum, [pid, { ticks }]) => (isOurs(pid) ? sum + ticks : sum), 0)
}

/** Own time of a process and of its children that have ended. */
function ticksOf(pid: number): ProcessTicks | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number) // from field 3, the state
    return { parent: fields[1]!, ticks: fields[11]! + fields[12]! + fields[13]! + fields[14]! }
  } catch {
    return undefined // it has ended meanwhile
  }
}

/** CPU time that all threads of a process have used so far, in microseconds; undefined where it cannot be known. */
export function cpuMicros(pid: number): number | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    const nanos = threads.map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]))
    return nanos.reduce((sum, each) => sum + each, 0) / 1000
  } catch {
    return undefined
  }
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  } catch {
    return undefined
  }
}
