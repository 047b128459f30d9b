import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { skipped } from '../../../test/skipped.ts'
import { appendDurably, openAppendFile, writeDurably } from './durable.ts'
import { hasState, openStateDir, statePath } from './state-dir.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'durable-'))
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
const isRoot = process.getuid?.() === 0
if (isRoot) skipped('a file without read permission', 'root may read it')
const hasFullDevice = existsSync('/dev/full')
if (!hasFullDevice) skipped('a disk that refuses a write', 'no /dev/full')

describe('replacing a file', () => {
  test('the new content is there, private, and nothing else is left', async () => {
    const path = join(folder(), 'head.json')
    await writeDurably(path, 'old')
    await writeDurably(path, 'new')
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(modeOf(path)).toBe('600')
    expect(readdirSync(join(path, '..'))).toEqual(['head.json'])
  })

  test('a failure leaves the old content and says what could not be written', async () => {
    const path = join(folder(), 'missing', 'head.json')
    await expect(writeDurably(path, 'x')).rejects.toMatchObject({ code: 'STORAGE_FAILED', message: expect.stringContaining(path) })
  })
})

describe('appending', () => {
  test('records land in call order, whichever kind they are', async () => {
    const path = join(folder(), 'journal.log')
    await using file = await openAppendFile(path)
    const durable = file.appendDurably('1\n')
    file.append('2\n')
    await Promise.all([durable, file.appendDurably('3\n')])
    expect(readFileSync(path, 'utf8')).toBe('1\n2\n3\n')
    expect(file.size).toBe(6)
    expect(modeOf(path)).toBe('600')
  })

  test('what `append` returned from is in the file at once', async () => {
    const path = join(folder(), 'journal.log')
    await using file = await openAppendFile(path)
    file.append(Uint8Array.of(65))
    expect(readFileSync(path, 'utf8')).toBe('A')
  })

  test('what was appended is there after kill -9', async () => {
    const path = join(folder(), 'journal.log')
    const source = `
      import { openAppendFile } from ${JSON.stringify(join(import.meta.dirname, 'durable.ts'))}
      const file = await openAppendFile(${JSON.stringify(path)})
      for (let i = 0; ; i += 1) { file.append(i + '\\n'); process.stdout.write(i + '\\n'); if (i % 100 === 0) await new Promise(setImmediate) }`
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', source])
    let acknowledged = ''
    child.stdout.on('data', (chunk) => {
      acknowledged += chunk
      if (acknowledged.length > 5000) child.kill('SIGKILL')
    })
    await once(child, 'close')
    const last = acknowledged.split('\n').at(-2)!
    expect(readFileSync(path, 'utf8').split('\n')).toContain(last)
  })

  test('a record cut short is cut off before the next', async () => {
    const path = join(folder(), 'journal.log')
    writeFileSync(path, 'whole\nhal')
    await using file = await openAppendFile(path, { truncateTo: 6 })
    await file.appendDurably('next\n')
    expect(readFileSync(path, 'utf8')).toBe('whole\nnext\n')
  })

  test('many durable records share an fsync and all resolve', async () => {
    const path = join(folder(), 'journal.log')
    await using file = await openAppendFile(path)
    await Promise.all(Array.from({ length: 500 }, (_, i) => file.appendDurably(`${i}\n`)))
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(501)
  })

  test.runIf(hasFullDevice)('after a write that failed nothing more is written, since what is there is unknown', async () => {
    const path = join(folder(), 'journal.log')
    symlinkSync('/dev/full', path)
    const file = await openAppendFile(path)
    expect(() => file.append('x')).toThrow(expect.objectContaining({ code: 'STORAGE_FAILED' }))
    await expect(file.appendDurably('y')).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('half a record'),
    })
    await file.close()
  })

  test('a closed file takes nothing', async () => {
    const file = await openAppendFile(join(folder(), 'journal.log'))
    file.append('x')
    await file.close()
    await file.close()
    expect(() => file.append('y')).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  })

  test('one record now and then needs no open file', async () => {
    const path = join(folder(), 'revocations.jsonl')
    await appendDurably(path, 'a\n')
    await appendDurably(path, 'b\n')
    expect(readFileSync(path, 'utf8')).toBe('a\nb\n')
  })
})

describe('the state directory', () => {
  test('is private and made when missing', async () => {
    const root = folder()
    expect(await hasState('gateway', '@gw', root)).toBe(false)
    const state = await openStateDir('gateway', '@gw', root)
    expect(state.path).toBe(join(root, 'gateway', '@gw'))
    expect([modeOf(state.path), modeOf(await state.folder('policy'))]).toEqual(['700', '700'])
    expect(await hasState('gateway', '@gw', root)).toBe(true)
    expect(await state.read('head.json')).toBeUndefined()
    await state.write('head.json', '{}')
    expect(Buffer.from((await state.read('head.json'))!).toString()).toBe('{}')
  })

  test('others who may write there are refused, with the chmod', async () => {
    const root = folder()
    const { path } = await openStateDir('gateway', '@gw', root)
    chmodSync(path, 0o770)
    await expect(openStateDir('gateway', '@gw', root)).rejects.toMatchObject({ code: 'STATE_DIR_UNSAFE', fix: `chmod 700 '${path}'` })
  })

  test.each(['..', '.', '', 'a/b', '../x', 'a\0b'])('%j is no name', (name) => {
    expect(() => statePath('gateway', name, '/s')).toThrow(TypeError)
  })

  test('a key file that others can read is refused, with the chmod', async () => {
    const state = await openStateDir('gateway', '@gw', folder())
    await state.write('keys.json', '{}')
    expect(await state.readPrivate('keys.json')).toEqual(new Uint8Array(Buffer.from('{}')))
    expect(await state.readPrivate('none.json')).toBeUndefined()
    const path = state.file('keys.json')
    for (const mode of [0o640, 0o604, 0o660]) {
      chmodSync(path, mode)
      const refused = { code: 'KEY_FILE_MODE', message: expect.stringContaining(`chmod 600 '${path}'`) }
      await expect(state.readPrivate('keys.json')).rejects.toMatchObject(refused)
    }
  })

  test('a link to a wide file is as wide as the file', async () => {
    const state = await openStateDir('gateway', '@gw', folder())
    writeFileSync(state.file('wide'), '{}', { mode: 0o644 })
    symlinkSync(state.file('wide'), state.file('keys.json'))
    await expect(state.readPrivate('keys.json')).rejects.toMatchObject({ code: 'KEY_FILE_MODE' })
    await expect(state.readPrivate('.')).rejects.toMatchObject({ code: 'KEY_FILE_MODE' })
  })

  test.skipIf(isRoot)('a file this user cannot read is an error, not an absent file', async () => {
    const state = await openStateDir('gateway', '@gw', folder())
    await state.write('keys.json', '{}')
    chmodSync(state.file('keys.json'), 0o000)
    await expect(state.read('keys.json')).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
  })
})
