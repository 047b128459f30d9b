import { randomBytes } from 'node:crypto'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { native } from '@postern/daemon'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Journal, JournalOptions } from './journal.ts'
import { openJournal } from './journal.ts'
import type { JournalHeader } from './records.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'postern-journal-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const key = Buffer.alloc(32, 7)
function open(found: JournalHeader[] = [], options: Partial<JournalOptions> = {}) {
  return openJournal(directory, {
    key,
    cipher: native,
    random: randomBytes,
    segmentBytes: 1 << 20,
    retainBytes: 1 << 30,
    onRecord: (header) => found.push(header),
    ...options,
  })
}
const posted = (index: number): JournalHeader => ({ k: 'posted', segment: 1, index })
const segments = () => readdirSync(directory).sort()
const close = (journal: Journal) => journal[Symbol.asyncDispose]()
async function reopened(): Promise<JournalHeader[]> {
  const found: JournalHeader[] = []
  await close(await open(found))
  return found
}

test('what was appended is found again, in order', async () => {
  const journal = await open()
  for (let i = 0; i < 99; i++) journal.append(posted(i))
  await journal.appendDurably(posted(99))
  expect(await reopened()).toEqual(Array.from({ length: 100 }, (_, i) => posted(i))) // the first is still open, as after kill -9
  await close(journal)
})

test('a record is read back with its body while the journal is open, and after it was opened again', async () => {
  const body = Buffer.from('{"jsonrpc":"2.0"}')
  const journal = await open()
  const position = journal.append(posted(3), body)
  expect(journal.read(position)).toEqual({ header: posted(3), body })
  await close(journal)
  await using again = await open()
  expect(again.read(position).body).toEqual(body)
})

test('nothing of a record is readable in the file', async () => {
  await using journal = await open()
  journal.append(posted(1), Buffer.from('the planted secret'))
  const file = readFileSync(join(directory, segments()[0] as string)).toString('latin1')
  expect(file).not.toContain('planted')
  expect(file).not.toContain('posted')
})

describe('a process killed while it wrote', () => {
  test.each([1, 3, 4, 20])('leaves a torn tail of %i bytes that is cut off, and nothing else is lost', async (torn) => {
    const journal = await open()
    journal.append(posted(1))
    const last = journal.append(posted(2))
    await close(journal)
    truncateSync(join(directory, '00000001.log'), last.offset + torn)
    expect(await reopened()).toEqual([posted(1)])
    expect(await reopened()).toEqual([posted(1)])
  })
  test('before the header of a new segment was complete leaves the rest readable', async () => {
    const journal = await open()
    journal.append(posted(1))
    await close(journal)
    writeFileSync(join(directory, '00000002.log'), 'PN')
    expect(await reopened()).toEqual([posted(1)])
  })
  test('leaves a tail of noise, which is not a record', async () => {
    const journal = await open()
    journal.append(posted(1))
    await close(journal)
    appendFileSync(join(directory, '00000001.log'), randomBytes(200))
    const torn: number[] = []
    await close(await open([], { onTorn: (_, bytes) => torn.push(bytes) }))
    expect(torn).toEqual([200])
    expect(await reopened()).toEqual([posted(1)])
  })
})

test('every opening begins a new segment, so that no nonce is used twice', async () => {
  await close(await open())
  await close(await open())
  expect(segments()).toEqual(['00000001.log', '00000002.log'])
})

test('another key is an error, not an empty journal', async () => {
  const journal = await open()
  journal.append(posted(1))
  await close(journal)
  await expect(open([], { key: Buffer.alloc(32, 8) })).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' })
  expect(await reopened()).toEqual([posted(1)])
})

test('it grows by segments and drops the oldest beyond its bound', async () => {
  const dropped: number[] = []
  await using journal = await open([], { segmentBytes: 2_000, retainBytes: 8_000, onDropped: (n) => dropped.push(n) })
  for (let i = 0; i < 300; i++) await journal.appendDurably(posted(i), Buffer.alloc(50))
  const bytesAfterOneMore = async () => {
    await journal.appendDurably(posted(300), Buffer.alloc(50))
    return journal.bytes
  }
  await expect.poll(bytesAfterOneMore).toBeLessThan(12_000) // on a slow disk a segment grows on while the next one is begun
  expect(dropped.slice(0, 4)).toEqual([1, 2, 3, 4])
  expect(segments()).not.toContain('00000001.log')
})

test('everybody who waits while a sync runs is served by the next one', async () => {
  await using journal = await open()
  await Promise.all(Array.from({ length: 50 }, (_, i) => journal.appendDurably(posted(i))))
  expect(await reopened()).toHaveLength(50)
})
