import { readFile, truncate } from 'node:fs/promises'
import type { EdgeAppendFile, EdgeFiles } from '@postern/core'
import type { StateDir } from '@postern/daemon'
import { errnoOf, OperationError, openAppendFile } from '@postern/daemon'

const LOG = 'log.jsonl'
const newline = 0x0a
const lockAttempts = 100
const lockPauseMs = 20

/**
 * The files of one agent, for several processes at once. Nobody holds them: whoever has something new to write takes the directory's lock
 * for that moment, looks at what others wrote since, and adds what is still missing. All processes write the same thing, the one authority
 * log, so records that are already there are not written again; other records in their place mean that somebody must look.
 */
export async function openSharedFiles(directory: StateDir): Promise<EdgeFiles> {
  const head = await directory.read('head.json') // before the log: it must never say more than the log that is read after it
  return {
    read: (name) => (name === 'head.json' ? Promise.resolve(head) : directory.read(name)),
    readPrivate: (name) => directory.readPrivate(name),
    write: (name, bytes) => underLock(directory, () => writeForward(directory, name, bytes)),
    openAppend: async (name, { truncateTo }) => new SharedAppendFile(directory, name, truncateTo),
  }
}

/** A head is never put back behind what another process has reached. */
async function writeForward(directory: StateDir, name: string, bytes: Uint8Array | string): Promise<void> {
  if (name === 'head.json') {
    const [there, ours] = [seqOf(await directory.read(name)), seqOf(Buffer.from(bytes))]
    if (there >= ours) return
  }
  await directory.write(name, bytes)
}

function seqOf(bytes: Uint8Array | undefined): number {
  try {
    return bytes ? Number(JSON.parse(Buffer.from(bytes).toString()).seq) : -1
  } catch {
    return -1 // unreadable: replaced
  }
}

class SharedAppendFile implements EdgeAppendFile {
  readonly #directory: StateDir
  readonly #name: string
  /** Bytes of whole records that this process has read or written. */
  #known: number

  constructor(directory: StateDir, name: string, known: number) {
    this.#directory = directory
    this.#name = name
    this.#known = known
  }

  appendDurably(record: string): Promise<void> {
    return underLock(this.#directory, () => this.#append(record))
  }

  async close(): Promise<void> {}

  async #append(record: string): Promise<void> {
    const path = this.#directory.file(this.#name)
    const file = await readOrNothing(path)
    const whole = file.lastIndexOf(newline) + 1
    const lines = missingLines(this.#name, file.subarray(this.#known, whole).toString(), record)
    if (whole < file.length) await truncate(path, whole) // cut short by a crash: nobody acted on it
    if (lines !== '') {
      await using append = await openAppendFile(path)
      await append.appendDurably(lines)
    }
    this.#known = this.#name === LOG ? this.#known + Buffer.byteLength(record) : whole + Buffer.byteLength(lines)
  }
}

/** @param others What other processes appended since. @returns What of `record` is not among it. */
export function missingLines(name: string, others: string, record: string): string {
  if (others === '') return record
  if (name === LOG) {
    if (others.startsWith(record)) return ''
    if (record.startsWith(others)) return record.slice(others.length)
    throw new OperationError('STATE_CHANGED', 'another process of this agent has stored another authority log', { retryable: false })
  }
  const there = new Set(others.split('\n'))
  const lines = record.split('\n').filter((line) => line !== '' && !there.has(line))
  return lines.map((line) => `${line}\n`).join('')
}

async function readOrNothing(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return Buffer.alloc(0)
    throw new OperationError('STORAGE_FAILED', `cannot read ${path}: ${(error as Error).message}`, { cause: error })
  }
}

/** One process at a time; the others wait. */
export async function underLock<T>(directory: StateDir, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await using _ = await directory.lock()
      return await work()
    } catch (error) {
      if (!(error instanceof OperationError && error.code === 'LOCKED') || attempt === lockAttempts) throw error
      await new Promise((resolve) => setTimeout(resolve, lockPauseMs))
    }
  }
}
