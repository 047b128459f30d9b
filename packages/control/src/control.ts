import { randomBytes } from 'node:crypto'
import type { Suite } from '@postern/core'
import type { Log } from '@postern/daemon'
import { createLog, Disposers, native, unixSeconds } from '@postern/daemon'
import { createNonceStore } from './auth/nonces.ts'
import { openLedger } from './authority/ledger.ts'
import { openBus } from './bus.ts'
import { startCleaner } from './cleaner.ts'
import type { Config } from './config.ts'
import type { Control } from './context.ts'
import type { OpenOptions } from './db/open.ts'
import { openDatabase } from './db/open.ts'
import { isDatabaseDown, refusalOf } from './errors.ts'
import { keepAttendance } from './fleet/attendance.ts'
import { ANSWER_TIMEOUT_MS, openGrantExchange } from './grants/exchange.ts'
import { createGrantLog } from './grants/log.ts'
import { createLimiter } from './limiter.ts'
import { createStreams } from './stream/streams.ts'

export interface OpenControlOptions extends Pick<OpenOptions, 'snapshot'> {
  /** Unix seconds. */
  readonly now?: () => number
  readonly random?: (bytes: number) => Uint8Array
  readonly suite?: Suite
  readonly log?: Log
  /** How long an agent waits for its gateway. */
  readonly answerTimeoutMs?: number
}

/**
 * Opens the database, brings its schema up to date, verifies the stored log, and starts what runs beside requests. Holds no key.
 * @throws {OperationError} DATABASE_IN_USE; the driver's error when PostgreSQL is unreachable
 */
export async function openControl(config: Config, options: OpenControlOptions = {}): Promise<Control> {
  const { now = unixSeconds, random = (n: number) => new Uint8Array(randomBytes(n)), suite = native } = options
  const { answerTimeoutMs = ANSWER_TIMEOUT_MS } = options
  const log = options.log ?? createLog('control', { level: config.logLevel })
  const disposers = new Disposers()
  try {
    const db = disposers.use(await openDatabase(config.databaseUrl, { migrations: config.migrations, ...options }))
    const warn = (message: string) => (error: unknown) =>
      log.warn(isDatabaseDown(error) ? { code: 'DATABASE_UNAVAILABLE' } : { err: error }, message)
    const bus = disposers.use(await openBus(db, warn('events were not read')))
    const ledger = disposers.use(await openLedger(db, bus, suite, warn('the log was not read')))
    const streams = disposers.use(createStreams({ bus, ledger, now, onError: warn('a stream was cut') }))
    const exchange = disposers.use(await openGrantExchange({ db, streams, log, now, random, answerTimeoutMs }))
    const grantLog = disposers.use(createGrantLog(db, warn('rows about grants were not written')))
    streams.onAttach(({ role, org, atsign }, isAttached) => {
      if (role === 'gateway' && isAttached) exchange.deliverWaiting(org, atsign).catch(warn('waiting grants were not delivered'))
    })
    disposers.use(keepAttendance({ db, bus, streams, ledger, now, log }))
    disposers.use(startCleaner(db, now, warn('expired rows were not deleted')))
    if (ledger.broken) log.error({ ...ledger.broken }, 'the stored log does not verify')
    return {
      ...{ config, db, bus, ledger, streams, exchange, grantLog, suite, log, now, random },
      nonces: createNonceStore(db),
      hosts: new Set(config.publicUrl.map((url) => new URL(url).host)),
      limits: limitsOf(),
      startedAt: now(),
      [Symbol.asyncDispose]: () => disposers.dispose(),
    }
  } catch (error) {
    await disposers.dispose().catch(() => {})
    const { status, code } = refusalOf(error)
    if (status === 503) log.warn({ code, reason: error instanceof Error ? error.message : undefined }, 'the database could not be opened')
    else log.error({ err: error }, 'could not open')
    throw error
  }
}

/** Per minute. Honest use stays far below; they bound what strangers can make this process do. */
function limitsOf(): Control['limits'] {
  const nowMs = () => performance.now()
  return { guesses: createLimiter(600, nowMs), strangers: createLimiter(120, nowMs), lookups: createLimiter(6000, nowMs) }
}
