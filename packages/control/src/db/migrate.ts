// Applies prisma/migrations/*/migration.sql and records them in Prisma's own `_prisma_migrations` table, so that the
// regular Prisma CLI agrees afterwards. Needs only node-postgres: no schema engine, no download.
import { createHash, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type pg from 'pg'

/** The advisory lock id Prisma Migrate itself uses: two starting replicas, or a replica and the CLI, take turns. */
const LOCK = 72707369
const TABLE = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id"                    VARCHAR(36) PRIMARY KEY NOT NULL,
    "checksum"              VARCHAR(64) NOT NULL,
    "finished_at"           TIMESTAMPTZ,
    "migration_name"        VARCHAR(255) NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        TIMESTAMPTZ,
    "started_at"            TIMESTAMPTZ NOT NULL DEFAULT now(),
    "applied_steps_count"   INTEGER NOT NULL DEFAULT 0
)`

interface Applied {
  migration_name: string
  checksum: string
  finished_at: Date | null
}

/**
 * Brings the database to the newest schema and returns the names of what was applied now.
 * Refuses when a migration failed earlier or was edited after it was applied. Does NOT look at migrations the database
 * has and the directory lacks (an older build on a newer database).
 */
export async function applyMigrations(pool: pg.Pool, dir: string): Promise<string[]> {
  const client = await pool.connect()
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK])
    await client.query(TABLE)
    const { rows } = await client.query<Applied>(
      'SELECT migration_name, checksum, finished_at FROM "_prisma_migrations" WHERE rolled_back_at IS NULL',
    )
    return await applyMissing(client, dir, rows)
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [LOCK]).catch(() => {})
    client.release()
  }
}

async function applyMissing(client: pg.PoolClient, dir: string, rows: readonly Applied[]): Promise<string[]> {
  const failed = rows.find((row) => !row.finished_at)
  if (failed) throw new Error(`migration ${failed.migration_name} failed earlier: resolve it first (npm run prisma -- migrate resolve)`)
  const done = new Map(rows.map((row) => [row.migration_name, row.checksum]))
  const applied: string[] = []
  for (const name of migrationNames(dir)) {
    const sql = readFileSync(join(dir, name, 'migration.sql'), 'utf8')
    const checksum = createHash('sha256').update(sql).digest('hex')
    const before = done.get(name)
    if (before === checksum) continue
    if (before) throw new Error(`migration ${name} was edited after it was applied`)
    await applyOne(client, name, sql, checksum)
    applied.push(name)
  }
  return applied
}

export function migrationNames(dir: string): string[] {
  const entries = readdirSync(dir, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
}

async function applyOne(client: pg.PoolClient, name: string, sql: string, checksum: string) {
  const id = randomUUID()
  await client.query('INSERT INTO "_prisma_migrations" (id, checksum, migration_name) VALUES ($1, $2, $3)', [id, checksum, name])
  try {
    await client.query(sql) // simple protocol: all statements, one implicit transaction
  } catch (error) {
    await client.query('UPDATE "_prisma_migrations" SET logs = $2 WHERE id = $1', [id, String(error)])
    throw error
  }
  await client.query('UPDATE "_prisma_migrations" SET finished_at = now(), applied_steps_count = 1 WHERE id = $1', [id])
}
