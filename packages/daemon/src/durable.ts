import { randomBytes } from 'node:crypto'
import { closeSync, fdatasync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { OperationError } from './errors.ts'

const dataSync = promisify(fdatasync)
/** How long a record that did not ask for an fsync may wait for one. */
const LAZY_SYNC_MS = 50

const storageFailed = (what: string, cause: unknown) =>
  new OperationError('STORAGE_FAILED', `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })

/**
 * Replaces a file so that after a crash or power loss either the old content or the whole new one is there, and once this resolves
 * the new one is. Two writers of one path: the last wins, nothing is mixed.
 * @throws {OperationError} `STORAGE_FAILED`; the old content stands then.
 */
export async function writeDurably(path: string, bytes: Uint8Array | string, mode = 0o600): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    await using file = await open(temporary, 'wx', mode)
    await file.writeFile(bytes)
    await file.sync()
    await rename(temporary, path)
    await syncDirectory(dirname(path))
  } catch (cause) {
    await rm(temporary, { force: true })
    throw storageFailed(`cannot write ${path}`, cause)
  }
}

/** Makes a directory and its parents 0700 where they are missing; existing ones keep their mode. */
export async function makePrivateDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw storageFailed(`cannot make ${path}`, cause)
  }
}

/** A file that exists may still be lost with its directory entry: the entry needs an fsync of its own. */
async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r')
  await directory.sync()
}

/** One record, fsynced; for files written now and then. Keep a file open with `openAppendFile` where records are frequent. */
export async function appendDurably(path: string, bytes: Uint8Array | string): Promise<void> {
  await using file = await openAppendFile(path)
  await file.appendDurably(bytes)
}

export interface AppendFile extends AsyncDisposable {
  readonly path: string
  /** Bytes in the file, all records included that were appended. */
  readonly size: number
  /** Hands the record to the operating system before it returns: survives `kill -9`; an fsync follows within 50 ms. Throws `STORAGE_FAILED`. */
  append(bytes: Uint8Array | string): void
  /** As `append`, and resolves after an fsync that began later: survives power loss. Records in flight share one fsync. */
  appendDurably(bytes: Uint8Array | string): Promise<void>
  close(): Promise<void>
}

/**
 * Opens (or creates, 0600) a file that only grows. Records land in call order. A record cut short by a crash is for the reader to
 * recognise: cut it off with `truncateTo` before appending. After a failed write or fsync what the disk holds is unknown, so every
 * later append throws too.
 */
export async function openAppendFile(path: string, { truncateTo }: { truncateTo?: number } = {}): Promise<AppendFile> {
  try {
    const fd = openSync(path, 'a', 0o600)
    if (truncateTo !== undefined) ftruncateSync(fd, truncateTo)
    await syncDirectory(dirname(path))
    return new OpenAppendFile(path, fd)
  } catch (cause) {
    throw storageFailed(`cannot open ${path}`, cause)
  }
}

class OpenAppendFile implements AppendFile {
  readonly path: string
  size: number
  readonly #fd: number
  /** The fsync that has not begun yet; whoever appends before it begins may wait for it. */
  #next: Promise<void> | undefined
  #running: Promise<void> = Promise.resolve()
  #lazy: NodeJS.Timeout | undefined
  #failure: OperationError | undefined

  constructor(path: string, fd: number) {
    this.path = path
    this.#fd = fd
    this.size = fstatSync(fd).size
  }

  append(bytes: Uint8Array | string): void {
    this.#write(bytes)
    this.#lazy ??= setTimeout(() => void this.#sync().catch(() => {}), LAZY_SYNC_MS)
  }

  appendDurably(bytes: Uint8Array | string): Promise<void> {
    try {
      this.#write(bytes)
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#sync()
  }

  async close(): Promise<void> {
    if (this.#failure?.code === 'CLOSED') return
    try {
      if (!this.#failure) await this.#sync()
    } finally {
      clearTimeout(this.#lazy)
      this.#failure = new OperationError('CLOSED', `${this.path} is closed`)
      closeSync(this.#fd)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #write(bytes: Uint8Array | string): void {
    if (this.#failure) throw this.#failure
    const record = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
    try {
      for (let done = 0; done < record.length; ) done += writeSync(this.#fd, record, done)
      this.size += record.length
    } catch (cause) {
      this.#undoPartialWrite()
      throw storageFailed(`cannot append to ${this.path}`, cause)
    }
  }

  /** A full disk may take half a record; the next one must not follow it. */
  #undoPartialWrite(): void {
    try {
      ftruncateSync(this.#fd, this.size)
    } catch (cause) {
      this.#failure = storageFailed(`${this.path} ends in half a record`, cause)
    }
  }

  #sync(): Promise<void> {
    this.#next ??= this.#running.then(() => this.#syncNow())
    return this.#next
  }

  async #syncNow(): Promise<void> {
    this.#running = this.#next!
    this.#next = undefined
    clearTimeout(this.#lazy)
    this.#lazy = undefined
    if (this.#failure) throw this.#failure
    try {
      await dataSync(this.#fd)
    } catch (cause) {
      this.#failure = storageFailed(`cannot fsync ${this.path}`, cause)
      throw this.#failure
    }
  }
}
