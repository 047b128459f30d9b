import { resolve } from 'node:path'
import type { Environment } from '@postern/daemon'
import { fromEnvironment, readConfig } from '@postern/daemon'
import { z } from 'zod'

const list = (value: string) => value.split(',').map((part) => part.trim())
const url = (protocols: RegExp) => z.url({ protocol: protocols })
const origin = url(/^https?$/).refine((value) => new URL(value).origin === value.replace(/\/$/, ''), 'must be an origin, without a path')

const schema = z.strictObject({
  /**
   * `postgresql://…`, or `pglite:<directory>` for the embedded database, relative to the working directory. Wrong: the server
   * runs, answers 503 and says why at `/api/health`.
   */
  databaseUrl: z.string().regex(/^(postgres(ql)?:\/\/|pglite:)./, 'must begin with postgresql:// or pglite:'),
  /**
   * The origins under which people and edges reach this control plane, separated by commas, the first one for display. Wrong:
   * every signed request is refused with WRONG_AUTHORITY, because a signature names the host it was meant for.
   */
  publicUrl: z.string().transform(list).pipe(z.array(origin).min(1)),
  /** Where edges find relays, separated by commas. A hint: a wrong one is denial of service and nothing else. */
  relayUrls: z
    .string()
    .transform(list)
    .pipe(z.array(url(/^wss?$/)).min(1)),
  /**
   * The origins of the signing page, separated by commas, the first one for links. They may read REST answers (CORS), beside those that
   * the authority log names, and passkeys are checked against them before there is a log. Wrong: people cannot sign in the browser.
   */
  signerOrigins: z
    .string()
    .transform((value) => list(value).map((part) => part.replace(/\/$/, '')))
    .pipe(z.array(origin).min(1)),
  /**
   * SHA-256 (hex) of the secret that lets its holder post the first statement here; it counts for 15 minutes after each start, while
   * there is no organisation. Missing: nobody can found one. Its holder gets no other right: authority comes from the statement.
   */
  genesisSecretHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits')
    .optional(),
  /**
   * Instead of the hash: a file with `<SHA-256, hex> <Unix seconds>`, the secret and until when it counts. Read with every attempt, so that
   * a link can be renewed while this runs. Missing or unreadable: nobody can found an organisation.
   */
  genesisRecord: z.string().optional(),
  /** Wrong (older than the code): start fails and names the migration. */
  migrations: z.string(),
  /** Says on every page that this is an invented organisation. Set by `postern up --seed-demo`; it changes nothing else. */
  demo: z.enum(['true', 'false']).transform((value) => value === 'true'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']),
})
export type Config = z.output<typeof schema>

const DEFAULTS = {
  databaseUrl: 'pglite:./.data/pg',
  publicUrl: 'http://localhost:3000',
  relayUrls: 'ws://localhost:3002/relay',
  signerOrigins: 'http://localhost:3001',
  demo: 'false',
  migrations: resolve('prisma/migrations'),
  logLevel: 'info',
}
const OURS = new Set(Object.keys(schema.shape))

/**
 * `DATABASE_URL`, and `POSTERN_PUBLIC_URL`, `POSTERN_RELAY_URLS`, `POSTERN_GENESIS_SECRET_HASH`,
 * `POSTERN_GENESIS_RECORD`, `POSTERN_LOG_LEVEL`, `POSTERN_DEMO`, `POSTERN_MIGRATIONS`; each also as `…_FILE`. Other `POSTERN_` variables belong to other processes and are left alone.
 * @throws {OperationError} CONFIG_INVALID, with all problems
 */
export function readControlConfig(environment: Environment = process.env): Config {
  const postern = Object.entries(fromEnvironment('POSTERN_', environment)).filter(([option]) => OURS.has(option))
  const database = fromEnvironment('DATABASE_', environment).url
  const given = { ...DEFAULTS, ...Object.fromEntries(postern), ...(database ? { databaseUrl: database } : {}) }
  return readConfig(schema, given, (option) =>
    option === 'databaseUrl' ? 'DATABASE_URL' : `POSTERN_${option.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase()}`,
  )
}
