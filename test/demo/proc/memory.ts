import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Needles } from './needles.ts'
import { Haystack } from './needles.ts'

const PIECE_BYTES = 1 << 20
const PAGE_BYTES = 4096
const MAP_PIECE_BYTES = 256 << 20

/** Searches everything that a process has in memory and that can be read. Needs the right to trace it: a parent has that for its children. */
export async function searchMemory(pid: number, needles: Needles): Promise<Haystack> {
  const haystack = new Haystack(needles)
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r')
  try {
    for (const [from, to] of readableRegions(pid)) {
      for (let at = from; at < to; at += MAP_PIECE_BYTES) {
        for (const [first, end] of occupied(pagemap, at, Math.min(at + MAP_PIECE_BYTES, to))) addRange(memory, first, end, haystack)
      }
      await nextTurn() // other parts of this process answer meanwhile
    }
  } finally {
    closeSync(memory)
    closeSync(pagemap)
  }
  return haystack
}

/** Stretches that may be read and of which anything is in memory: much of what a JavaScript engine reserves never is. */
function readableRegions(pid: number): [number, number][] {
  const regions: [number, number][] = []
  let open: [number, number] | undefined
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'latin1').split('\n')) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (.)/.exec(line)
    if (head) open = head[3] === 'r' ? [Number.parseInt(head[1]!, 16), Number.parseInt(head[2]!, 16)] : undefined
    else if (open && /^(Rss|Swap): +[1-9]/.test(line)) {
      regions.push(open)
      open = undefined
    }
  }
  return regions
}

/** The parts of a stretch whose pages exist, in memory or swapped out: the others were never written. */
function occupied(pagemap: number, from: number, to: number): [number, number][] {
  const entries = Buffer.alloc(((to - from) / PAGE_BYTES) * 8)
  const read = readSync(pagemap, entries, 0, entries.length, (from / PAGE_BYTES) * 8)
  const parts: [number, number][] = []
  for (let i = 0; i + 8 <= read; i += 8) {
    if ((entries[i + 7]! & 0xc0) === 0) continue
    const page = from + (i / 8) * PAGE_BYTES
    const last = parts.at(-1)
    if (last?.[1] === page) last[1] = page + PAGE_BYTES
    else parts.push([page, page + PAGE_BYTES])
  }
  return parts
}

function addRange(memory: number, from: number, to: number, haystack: Haystack): void {
  haystack.gap()
  for (let at = from; at < to; at += PIECE_BYTES) addPiece(memory, at, Math.min(PIECE_BYTES, to - at), haystack)
}

/** A page that cannot be read (a device, or gone since) leaves a gap; the pages around it are read. */
function addPiece(memory: number, at: number, bytes: number, haystack: Haystack): void {
  const buffer = Buffer.alloc(bytes)
  try {
    const read = readSync(memory, buffer, 0, bytes, at)
    haystack.add(buffer.subarray(0, read))
    if (read < bytes) haystack.gap()
  } catch {
    haystack.gap()
    if (bytes > PAGE_BYTES) for (let page = 0; page < bytes; page += PAGE_BYTES) addPiece(memory, at + page, PAGE_BYTES, haystack)
  }
}

/** Searches the contents of all files at and below a directory. */
export function searchFiles(directory: string, needles: Needles): Haystack {
  const haystack = new Haystack(needles)
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    haystack.gap()
    haystack.add(readFileSync(join(entry.parentPath, entry.name)))
  }
  return haystack
}
