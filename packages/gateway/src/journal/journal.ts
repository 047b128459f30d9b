import { closeSync, openSync, readdirSync, readFileSync, readSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import type { AppendFile } from '@postern/daemon'
import { makePrivateDirectory, openAppendFile } from '@postern/daemon'
import { GatewayError } from '../errors.ts'
import type { JournalHeader } from './records.ts'
import { decodeJournalRecord, encodeJournalRecord } from './records.ts'
import type { Cipher } from './segment.ts'
import { encodeSegmentHeader, openRecord, readSegment, sealRecord, segmentIdBytes, segmentKey } from './segment.ts'

/** Where a record is; stays valid until its segment is dropped. */
export interface Position {
  segment: number
  offset: number
  length: number
  index: number
}

export interface JournalOptions {
  key: Uint8Array
  cipher: Cipher
  random: (n: number) => Uint8Array
  /** A segment that reached this size is closed and the next one begun. */
  segmentBytes: number
  /** The oldest segments beyond this many bytes are dropped, and with them what they say about old calls. */
  retainBytes: number
  /** Called once per record found at opening, oldest first. */
  onRecord: (header: JournalHeader, position: Position) => void
  onDropped?: (segment: number) => void
  /** So many bytes at the end of a segment were not a whole record, and were cut off. */
  onTorn?: (segment: number, bytes: number) => void
}

/** The encrypted, append-only record of what this gateway started and finished. After a failed write a new segment is begun. */
export interface Journal extends AsyncDisposable {
  /** With the operating system when it returns (survives `kill -9`); fsynced within 50 ms. @throws {OperationError} STORAGE_FAILED */
  append(header: JournalHeader, body?: Uint8Array): Position
  /** On disk when it resolves (survives power loss); records in flight share one fsync. */
  appendDurably(header: JournalHeader, body?: Uint8Array): Promise<Position>
  /** @throws {GatewayError} JOURNAL_CORRUPT when the record cannot be read back. */
  read(position: Position): { header: JournalHeader; body: Uint8Array }
  readonly bytes: number
  /** Number of the segment that takes the next record. */
  readonly segment: number
}

interface Segment {
  readonly number: number
  readonly path: string
  readonly key: Uint8Array
  size: number
}
interface OpenSegment extends Segment {
  readonly file: AppendFile
  records: number
  /** It is time for the next segment. */
  full: boolean
  failed: boolean
}

/**
 * Opens the journal in `directory`, reads what is there, cuts off torn tails, and begins a new segment.
 * @throws {GatewayError} JOURNAL_CORRUPT when a segment was written with another key.
 */
export async function openJournal(directory: string, options: JournalOptions): Promise<Journal> {
  await makePrivateDirectory(directory)
  const old = readAll(directory, options)
  const current = await beginSegment(directory, (old.at(-1)?.number ?? 0) + 1, options)
  return new SegmentedJournal(directory, options, old, current)
}

class SegmentedJournal implements Journal {
  readonly #directory: string
  readonly #options: JournalOptions
  readonly #closed: Segment[]
  #current: OpenSegment
  #rotating: Promise<void> | undefined

  constructor(directory: string, options: JournalOptions, closed: Segment[], current: OpenSegment) {
    this.#directory = directory
    this.#options = options
    this.#closed = closed
    this.#current = current
  }

  append(header: JournalHeader, body?: Uint8Array): Position {
    return this.#write(header, body, (file, record) => file.append(record)).position
  }

  async appendDurably(header: JournalHeader, body?: Uint8Array): Promise<Position> {
    const { position, result } = this.#write(header, body, (file, record) => file.appendDurably(record))
    await result
    return position
  }

  read(position: Position): { header: JournalHeader; body: Uint8Array } {
    const segment = [this.#current, ...this.#closed].find((s) => s.number === position.segment)
    if (!segment) throw new GatewayError('JOURNAL_CORRUPT', `segment ${position.segment} is gone`)
    return decodeJournalRecord(openRecord(this.#options.cipher, segment.key, position.index, readAt(segment.path, position)))
  }

  get bytes(): number {
    return this.#closed.reduce((sum, s) => sum + s.size, this.#current.file.size)
  }

  get segment(): number {
    return this.#current.number
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rotating
    await this.#current.file.close()
  }

  #write<T>(header: JournalHeader, body: Uint8Array | undefined, write: (file: AppendFile, record: Uint8Array) => T) {
    const segment = this.#current
    const { file, number, key, records: index } = segment
    if (segment.full && !this.#rotating) this.#rotate()
    if (segment.failed) throw new GatewayError('JOURNAL_FAILED', `cannot write to ${segment.path}`)
    const offset = file.size
    const record = sealRecord(this.#options.cipher, key, index, encodeJournalRecord(header, body))
    try {
      const result = write(file, record)
      if (file.size !== offset + record.length) throw new GatewayError('JOURNAL_FAILED', `cannot write to ${segment.path}`)
      segment.records += 1
      segment.full = file.size >= this.#options.segmentBytes
      return { result, position: { segment: number, offset, length: record.length, index } }
    } catch (error) {
      // The index is the nonce, and this one may have reached the disk: the segment takes no other record, the next one has its own key.
      segment.failed = true
      segment.full = true
      throw error
    }
  }

  #rotate(): void {
    this.#rotating = this.#beginNext()
      .catch(() => {}) // `full` stays, so the next append tries again
      .finally(() => {
        this.#rotating = undefined
      })
  }

  async #beginNext(): Promise<void> {
    const full = this.#current
    this.#current = await beginSegment(this.#directory, full.number + 1, this.#options)
    this.#closed.push({ ...full, size: full.file.size })
    this.#dropOldest()
    await full.file.close()
  }

  #dropOldest(): void {
    while (this.#closed.length > 1 && this.bytes > this.#options.retainBytes) {
      const oldest = this.#closed.shift() as Segment
      rmSync(oldest.path)
      this.#options.onDropped?.(oldest.number)
    }
  }
}

function readAt(path: string, position: Position): Uint8Array {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(position.length)
    readSync(fd, bytes, 0, position.length, position.offset)
    return bytes
  } finally {
    closeSync(fd)
  }
}

function readAll(directory: string, options: JournalOptions): Segment[] {
  const files = readdirSync(directory)
    .filter((file) => /^\d{8}\.log$/.test(file))
    .sort()
  return files.flatMap((file) => readOne(join(directory, file), Number(file.slice(0, 8)), options))
}

/** A torn tail may be in an earlier segment too: power can go between the first record of the next and the last fsync of this one. */
function readOne(path: string, number: number, options: JournalOptions): Segment[] {
  const bytes = readFileSync(path)
  const found = readSegment(options.cipher, options.key, bytes)
  if (!found) {
    rmSync(path) // the process died before the header was whole
    return []
  }
  const { records, key, end } = found
  if (end < bytes.length) {
    truncateSync(path, end)
    options.onTorn?.(number, bytes.length - end)
  }
  for (const { offset, length, index, plaintext } of records) {
    options.onRecord(decodeJournalRecord(plaintext).header, { segment: number, offset, length, index })
  }
  return [{ number, path, key, size: end }]
}

async function beginSegment(directory: string, number: number, options: JournalOptions): Promise<OpenSegment> {
  const path = join(directory, `${String(number).padStart(8, '0')}.log`)
  const id = options.random(segmentIdBytes)
  const file = await openAppendFile(path, { truncateTo: 0 })
  await file.appendDurably(encodeSegmentHeader(options.key, id))
  return { number, path, file, key: segmentKey(options.key, id), size: 0, records: 0, full: false, failed: false }
}
