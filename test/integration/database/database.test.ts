import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { applyMigrations, migrationNames } from '../../../packages/control/src/db/migrate.ts'
import type { Database } from '../../../packages/control/src/db/open.ts'
import { openDatabase } from '../../../packages/control/src/db/open.ts'
import type { TestDatabase } from './databases.ts'
import { databases, migrations } from './databases.ts'

const directory = mkdtempSync(join(tmpdir(), 'postern-db-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe.each(databases)('$name', (kind) => {
  let made: TestDatabase
  let db: Database
  beforeAll(async () => {
    made = await kind.create()
    db = await openDatabase(made.url, { migrations, ...(made.snapshot ? { snapshot: made.snapshot } : {}) })
  })
  afterAll(async () => {
    await db[Symbol.asyncDispose]()
    await made[Symbol.asyncDispose]()
  })
  const policy = (sha256: string, bytes = new Uint8Array([1, 2, 3])) => ({
    ...{ org: 'o', sha256, name: 'n', bytes, uploadedBy: '@ana', uploadedAt: new Date(1_795_161_600_123) },
  })

  test('keeps bytes, times and lists exactly', async () => {
    await db.prisma.policyDocument.create({ data: policy('a', new Uint8Array(100_000).fill(255)) })
    const row = await db.prisma.policyDocument.findFirstOrThrow({ where: { sha256: 'a' } })
    expect(new Uint8Array(row.bytes)).toEqual(new Uint8Array(100_000).fill(255))
    expect(row.uploadedAt.getTime()).toBe(1_795_161_600_123)
  })
  test('says of a duplicate that it is one, and goes on', async () => {
    await db.prisma.policyDocument.create({ data: policy('b') })
    await expect(db.prisma.policyDocument.create({ data: policy('b') })).rejects.toMatchObject({ code: 'P2002' })
    expect(await db.prisma.policyDocument.count({ where: { sha256: 'b' } })).toBe(1)
  })
  test('takes back a transaction that fails', async () => {
    const failing = db.prisma.$transaction(async (tx) => {
      await tx.policyDocument.create({ data: policy('c') })
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await db.prisma.policyDocument.count({ where: { sha256: 'c' } })).toBe(0)
  })
  test('notifies listeners of what was committed, and of nothing else', async () => {
    const heard: (string | undefined)[] = []
    const { promise: arrived, resolve } = Promise.withResolvers<void>()
    const stop = await db.listen('c1', (payload) => {
      heard.push(payload)
      if (payload === 'kept') resolve()
    })
    const notify = (payload: string, fails: boolean) =>
      db.prisma.$transaction(async (tx) => {
        await tx.$executeRaw`SELECT pg_notify('c1', ${payload})`
        if (fails) throw new Error('no')
      })
    await notify('lost', true).catch(() => {})
    await notify('kept', false)
    await arrived
    stop()
    expect(heard.filter((payload) => payload !== undefined)).toEqual(['kept'])
  })
  test('has every migration, and refuses one that was edited afterwards', async () => {
    expect(await applyMigrations(db.pool, migrations)).toEqual([])
    const edited = join(directory, `edited-${kind.name}`)
    cpSync(migrations, edited, { recursive: true })
    const [name] = migrationNames(edited)
    const file = join(edited, name!, 'migration.sql')
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n-- edited`)
    await expect(applyMigrations(db.pool, edited)).rejects.toThrow(`${name} was edited`)
  })
  test('records a migration that fails, and does not go on from there', async () => {
    const broken = join(directory, `broken-${kind.name}`)
    cpSync(migrations, broken, { recursive: true })
    cpSync(join(broken, migrationNames(broken)[0]!), join(broken, '99990101000000_broken'), { recursive: true })
    writeFileSync(join(broken, '99990101000000_broken/migration.sql'), 'CREATE TABLE half (a int); SELECT nothing FROM nowhere;')
    await expect(applyMigrations(db.pool, broken)).rejects.toThrow('nowhere')
    await expect(applyMigrations(db.pool, broken)).rejects.toThrow('failed earlier')
    const { rows } = await db.pool.query("SELECT to_regclass('half') AS half")
    expect(rows).toEqual([{ half: null }])
  })
  test('answers a ping', () => db.ping(1000))
})

test('the migrations lead to the schema, by Prisma’s own word', () => {
  const command = ['migrate', 'diff', '--from-migrations', migrations, '--to-schema', join(migrations, '../schema'), '--exit-code']
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(migrations, '../cli.mjs'), ...command], { encoding: 'utf8' })
  expect(`${stdout}${stderr}`).toContain('No difference detected')
  expect(status).toBe(0)
})

describe('the embedded database in a directory', () => {
  test('belongs to one process at a time: a second one is refused and told who', async () => {
    const data = join(directory, 'pg')
    const holder = spawn(process.execPath, [join(import.meta.dirname, 'hold.ts'), data], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise((resolve) => holder.stdout.once('data', resolve))
    const second = openDatabase(`pglite:${data}`, { migrations })
    await expect(second).rejects.toMatchObject({ code: 'DATABASE_IN_USE', message: expect.stringContaining(`process ${holder.pid}`) })
    expect(statSync(data).mode & 0o777).toBe(0o700)
    holder.kill('SIGKILL')
    await new Promise((resolve) => holder.once('exit', resolve))
    await using db = await openDatabase(`pglite:${data}`, { migrations }) // whoever held it is dead
    expect(await db.prisma.policyDocument.count()).toBe(1) // and what it was told is committed is there
  })
})
