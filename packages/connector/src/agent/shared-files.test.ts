import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EdgeFiles } from '@postern/core'
import { openStateDir } from '@postern/daemon'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSharedFiles } from './shared-files.ts'

let root: string
const path = (name: string) => join(root, 'agent', '@bot', name)
const open = async (): Promise<EdgeFiles> => openSharedFiles(await openStateDir('agent', '@bot', root))
const text = (name: string) => readFileSync(path(name), 'utf8')
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'postern-shared-'))
})
afterEach(() => rmSync(root, { recursive: true }))

describe('a log that several processes write', () => {
  test('has each record once, whoever is first', async () => {
    const [one, two] = [await open(), await open()]
    const [first, second] = [await one.openAppend('log.jsonl', { truncateTo: 0 }), await two.openAppend('log.jsonl', { truncateTo: 0 })]
    await first.appendDurably('"a"\n"b"\n')
    await second.appendDurably('"a"\n')
    await second.appendDurably('"b"\n"c"\n')
    await first.appendDurably('"c"\n')
    expect(text('log.jsonl')).toBe('"a"\n"b"\n"c"\n')
  })

  test('at the same time', async () => {
    const files = await Promise.all(Array.from({ length: 6 }, open))
    const logs = await Promise.all(files.map((each) => each.openAppend('log.jsonl', { truncateTo: 0 })))
    await Promise.all(
      logs.map(async (log) => {
        for (let i = 0; i < 5; i += 1) await log.appendDurably(`${i}\n`)
      }),
    )
    expect(text('log.jsonl')).toBe('0\n1\n2\n3\n4\n')
  })

  test('is not written over by another history', async () => {
    const [one, two] = [await open(), await open()]
    await (await one.openAppend('log.jsonl', { truncateTo: 0 })).appendDurably('"a"\n')
    const other = await two.openAppend('log.jsonl', { truncateTo: 0 })
    await expect(other.appendDurably('"b"\n')).rejects.toMatchObject({ code: 'STATE_CHANGED' })
    expect(text('log.jsonl')).toBe('"a"\n')
  })

  test('loses what a crash cut short, and nothing else', async () => {
    const files = await open()
    writeFileSync(path('log.jsonl'), '"a"\n"b')
    const log = await files.openAppend('log.jsonl', { truncateTo: 4 })
    await log.appendDurably('"b"\n')
    expect(text('log.jsonl')).toBe('"a"\n"b"\n')
  })
})

test('revocations keep no order: each process adds what is not there', async () => {
  const [one, two] = [await open(), await open()]
  const [first, second] = [
    await one.openAppend('revocations.jsonl', { truncateTo: 0 }),
    await two.openAppend('revocations.jsonl', { truncateTo: 0 }),
  ]
  await first.appendDurably('"x"\n')
  await second.appendDurably('"y"\n')
  await second.appendDurably('"z"\n')
  await first.appendDurably('"z"\n')
  expect(text('revocations.jsonl')).toBe('"x"\n"y"\n"z"\n')
})

test('a head never goes back behind what another process has reached', async () => {
  const [one, two] = [await open(), await open()]
  await one.write('head.json', '{"seq":7,"head":"h7"}')
  await two.write('head.json', '{"seq":5,"head":"h5"}')
  expect(text('head.json')).toContain('h7')
  await two.write('head.json', '{"seq":8,"head":"h8"}')
  expect(text('head.json')).toContain('h8')
})

test('a head that is read is never newer than the log that is read after it', async () => {
  const files = await open()
  await (await open()).write('head.json', '{"seq":3,"head":"h3"}')
  expect(await files.read('head.json')).toBeUndefined()
})
