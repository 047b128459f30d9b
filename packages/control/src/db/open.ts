import { resolve } from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { PrismaClient } from './generated/client.ts'
import type { Listen } from './listen.ts'
import { listenOnPool, listenOnServer } from './listen.ts'
import { lockDirectory } from './lock.ts'
import { applyMigrations } from './migrate.ts'
import { pglitePool } from './pglite-pool.ts'

/** One open database. Everything above this line is the same on PostgreSQL and on PGlite. */
export interface Database extends AsyncDisposable {
  readonly kind: 'postgres' | 'pglite'
  readonly prisma: PrismaClient
  /** For the few hot statements that are written by hand. */
  readonly pool: pg.Pool
  readonly listen: Listen
  /** Resolves when the database answers within `timeoutMs`, rejects otherwise. */
  ping(timeoutMs: number): Promise<void>
}
/** A client inside a transaction: use it alone there; on PGlite another one would wait for the transaction it is in. */
export type Transaction = Parameters<Parameters<PrismaClient['$transaction']>[0]>[0]

export interface OpenOptions {
  /** Directory of Prisma's migrations, applied before anything else. */
  migrations: string
  /** PGlite only, in memory: start from this data directory instead of an empty one. */
  snapshot?: Blob
}

/**
 * @param url `postgresql://…` for a server; `pglite:<directory>` or `pglite:memory` for the built-in database.
 * @throws {DirectoryInUse} when another process works on the PGlite directory; the driver's own errors when PostgreSQL is unreachable.
 */
export async function openDatabase(url: string, options: OpenOptions): Promise<Database> {
  const isEmbedded = url.startsWith('pglite:')
  const { pool, listener, close } = isEmbedded ? await openPGlite(url.slice('pglite:'.length), options.snapshot) : openPostgres(url)
  const closeAll = async () => {
    await listener.close()
    await pool.end()
    await close()
  }
  try {
    await applyMigrations(pool, options.migrations)
  } catch (error) {
    await closeAll()
    throw error
  }
  const prisma = new PrismaClient({
    adapter: new PrismaPg(pool),
    errorFormat: 'minimal',
    transactionOptions: { maxWait: 5000, timeout: 15_000 },
  })
  return {
    kind: isEmbedded ? 'pglite' : 'postgres',
    prisma,
    pool,
    listen: listener.listen,
    ping: (timeoutMs) => answerWithin(pool.query('SELECT 1'), timeoutMs),
    async [Symbol.asyncDispose]() {
      await prisma.$disconnect()
      await closeAll()
    },
  }
}

async function openPGlite(where: string, snapshot?: Blob) {
  const { PGlite } = await import('@electric-sql/pglite')
  const unlock = where === 'memory' ? async () => {} : await lockDirectory(resolve(where))
  try {
    const db = where === 'memory' ? new PGlite(snapshot ? { loadDataDir: snapshot } : {}) : new PGlite(resolve(where))
    await db.waitReady
    const close = async () => {
      await db.close()
      await unlock()
    }
    return { ...listenOnPool((onConnect) => pglitePool(db, { onConnect })), close }
  } catch (error) {
    await unlock()
    throw error
  }
}

/** Time limits, so that a connection that was cut without a word becomes an error instead of a wait. */
function openPostgres(url: string) {
  const pool = new pg.Pool({ connectionString: url, max: 10, connectionTimeoutMillis: 4000, query_timeout: 10_000, keepAlive: true })
  pool.on('error', () => {}) // an idle connection broke: the pool drops it, the next query opens another or says why not
  pool.on('connect', (client) => void client.on('error', () => {}))
  return { pool, listener: listenOnServer(url), close: async () => {} }
}

async function answerWithin(query: Promise<unknown>, timeoutMs: number): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer from the database within ${timeoutMs} ms`)), timeoutMs)
  query.catch(() => {}) // it may fail long after we stopped waiting
  await Promise.race([query, promise]).finally(() => clearTimeout(timer))
}
