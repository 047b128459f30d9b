// The databases that tests run on: the embedded one always, a PostgreSQL server where there is one, the same tests on both.
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import pg from 'pg'
import { applyMigrations, migrationNames } from '../../../packages/control/src/db/migrate.ts'
import { pglitePool } from '../../../packages/control/src/db/pglite-pool.ts'
import { skipped } from '../../skipped.ts'
import { migrations } from './migrations.ts'

const root = join(import.meta.dirname, '../../..')

/** An empty, migrated database of its own; disposing it removes it. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string
  readonly snapshot?: Blob
}
export interface DatabaseKind {
  readonly name: 'PGlite' | 'PostgreSQL'
  create(): Promise<TestDatabase>
}

const pglite: DatabaseKind = {
  name: 'PGlite',
  create: async () => ({ url: 'pglite:memory', snapshot: await snapshot(), [Symbol.asyncDispose]: async () => {} }),
}

/** A migrated data directory, made once (3 s) and loaded in a fifth of a second afterwards. */
async function snapshot(): Promise<Blob> {
  const hash = createHash('sha256')
  for (const name of migrationNames(migrations)) hash.update(readFileSync(join(migrations, name, 'migration.sql')))
  const directory = join(root, 'node_modules/.cache/postern')
  const file = join(directory, `${hash.digest('hex').slice(0, 16)}.tar`)
  if (!existsSync(file)) await makeSnapshot(directory, file)
  return new Blob([readFileSync(file)])
}

/** The control plane's own PGlite: another tool may have brought one with another version of PostgreSQL. */
const { PGlite } = createRequire(join(root, 'packages/control/package.json'))('@electric-sql/pglite')

async function makeSnapshot(directory: string, file: string) {
  const db = new PGlite()
  const pool = pglitePool(db)
  await applyMigrations(pool, migrations)
  await pool.end()
  const tar = await db.dumpDataDir('none')
  await db.close()
  mkdirSync(directory, { recursive: true })
  const aside = `${file}.${randomBytes(4).toString('hex')}`
  writeFileSync(aside, Buffer.from(await tar.arrayBuffer()))
  renameSync(aside, file)
}

export const serverUrl = process.env.TEST_DATABASE_URL ?? 'postgresql://postgres@127.0.0.1:5432/postgres'

async function onServer(run: (client: pg.Client) => Promise<unknown>) {
  const client = new pg.Client({ connectionString: serverUrl, connectionTimeoutMillis: 3000 })
  await client.connect()
  try {
    await run(client)
  } finally {
    await client.end()
  }
}

const postgres: DatabaseKind = {
  name: 'PostgreSQL',
  async create() {
    const name = `postern_test_${randomBytes(6).toString('hex')}`
    await onServer((client) => client.query(`CREATE DATABASE ${name}`))
    const url = new URL(serverUrl)
    url.pathname = `/${name}`
    return {
      url: url.href,
      [Symbol.asyncDispose]: () => onServer((client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`)),
    }
  },
}

/** Why PostgreSQL is not there, or undefined when it is. */
export const withoutPostgres: string | undefined = await onServer(async () => {}).then(
  () => undefined,
  (error) => `no server at ${serverUrl.replace(/:[^:@/]*@/, '@')} (${error.code ?? error.message})`,
)
if (withoutPostgres) skipped('PostgreSQL', withoutPostgres)

export const databases: readonly DatabaseKind[] = withoutPostgres ? [pglite] : [pglite, postgres]
export { migrations, pglite, postgres }
