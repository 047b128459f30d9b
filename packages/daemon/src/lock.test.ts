import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lockDirectory } from './lock.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'lock-'))

/** Another process that tries to lock, says how that went, and lives on until it is killed. */
async function contender(directory: string): Promise<{ child: ChildProcess; outcome: string }> {
  const source = `
    import { lockDirectory } from ${JSON.stringify(join(import.meta.dirname, 'lock.ts'))}
    await lockDirectory(${JSON.stringify(directory)}).then(() => console.log('held'), (error) => console.log(error.code, error.message))
    process.stdin.resume()`
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', source])
  const [line] = await once(child.stdout, 'data')
  return { child, outcome: String(line).trim() }
}
async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'close')
}

test('a directory in use names its holder and how to end it', async () => {
  const directory = folder()
  await using _ = await lockDirectory(directory)
  const refused = {
    code: 'LOCKED',
    message: expect.stringMatching(`process ${process.pid}, since \\d{4}-`),
    fix: expect.stringContaining('kill'),
  }
  await expect(lockDirectory(directory)).rejects.toMatchObject(refused)
})

test('what was let go can be taken, as often as one likes', async () => {
  const directory = folder()
  for (let i = 0; i < 5; i += 1) {
    const lock = await lockDirectory(directory)
    await lock.release()
    await lock.release()
  }
  expect(readdirSync(directory)).toEqual(['lock.5'])
})

test('the lock of a process that was killed is taken over', async () => {
  const directory = folder()
  const { child, outcome } = await contender(directory)
  expect(outcome).toBe('held')
  await expect(lockDirectory(directory)).rejects.toMatchObject({ message: expect.stringContaining(`process ${child.pid}`) })
  await kill(child)
  await (await lockDirectory(directory)).release()
})

test('a pid that another process has now is not the holder', async () => {
  const directory = folder()
  writeFileSync(join(directory, 'lock.7'), JSON.stringify({ pid: process.pid, start: '1', boot: 'another boot', since: 0 }))
  await (await lockDirectory(directory)).release()
})

test('a lock cut short by a power loss is stale', async () => {
  const directory = folder()
  writeFileSync(join(directory, 'lock.3'), '{"pid":')
  await (await lockDirectory(directory)).release()
})

test('of several processes that find a stale lock at once, exactly one gets it', async () => {
  const directory = folder()
  const dead = await contender(directory)
  await kill(dead.child)
  const all = await Promise.all(Array.from({ length: 6 }, () => contender(directory)))
  expect(all.filter(({ outcome }) => outcome === 'held')).toHaveLength(1)
  expect(all.filter(({ outcome }) => outcome.startsWith('LOCKED'))).toHaveLength(5)
  await Promise.all(all.map(({ child }) => kill(child)))
})

test('of many attempts at once in one process, exactly one succeeds', async () => {
  const directory = folder()
  for (let round = 0; round < 20; round += 1) {
    const attempts = await Promise.allSettled(Array.from({ length: 10 }, () => lockDirectory(directory)))
    const held = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? attempt.value : []))
    expect(held).toHaveLength(1)
    await held[0]!.release()
  }
})
