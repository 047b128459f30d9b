import type { Database, Transaction } from './db/open.ts'
import { dateOf } from './time.ts'

/** What happened, for event streams: ids and small facts, never contents. */
export const EVENT_KINDS = [
  'log',
  'revocation',
  'request',
  'enrolment',
  'receipt',
  'presence',
  'ack',
  'session',
  'grant',
  'tools',
  'label',
  'approval',
  'decision',
  'draft',
] as const
export type EventKind = (typeof EVENT_KINDS)[number]

export interface BusEvent {
  readonly id: number
  readonly org: string
  readonly kind: EventKind
  /** The atSigns it is for, separated by spaces (administrators see it too); undefined: everybody who receives this kind. */
  readonly to?: string
  readonly data: Readonly<Record<string, unknown>>
}
export type NewEvent = Omit<BusEvent, 'id'>

/** How long a stream can be away and still resume. */
export const EVENT_RETENTION_SECONDS = 24 * 3600
const CHANNEL = 'postern_events'
/** Taken until commit, so that ids become visible in order and nobody who reads "after id n" misses one that commits late. */
const ORDER_LOCK = 72707370
const BATCH = 500
const MAX_MISSED = 5000

/**
 * One bus for all replicas: a row in `events` and a NOTIFY in the same transaction as the change itself. Subscribers of this
 * process are called in the order of ids, each event once; after a lost database connection, with what they missed.
 */
export interface Bus extends AsyncDisposable {
  /**
   * Serialises writers from here to commit, so that rows become visible in the order of their ids. Call it before inserting rows that
   * readers page through by id; `publish` does it itself.
   */
  order(tx: Transaction): Promise<void>
  /** Call it last in the transaction. */
  publish(tx: Transaction, event: NewEvent, now: number): Promise<void>
  subscribe(subscriber: (event: BusEvent) => void): () => void
  /** Events after `id`, oldest first; undefined when some are gone already, or when they are so many that starting over is less work. */
  since(org: string, id: number): Promise<readonly BusEvent[] | undefined>
  /** Highest id delivered to subscribers of this process. */
  readonly last: number
}

interface Row {
  id: string
  org: string
  kind: EventKind
  to: string | null
  data: Record<string, unknown>
}
const eventOf = ({ id, org, kind, to, data }: Row): BusEvent => ({ id: Number(id), org, kind, data, ...(to ? { to } : {}) })

export async function openBus(db: Database, onError: (error: unknown) => void): Promise<Bus> {
  const subscribers = new Set<(event: BusEvent) => void>()
  const read = async (where: string, values: unknown[], limit = BATCH) =>
    (await db.pool.query<Row>(`SELECT id, org, kind, "to", data FROM events WHERE ${where} ORDER BY id LIMIT ${limit}`, values)).rows.map(
      eventOf,
    )
  const bounds = async () => {
    const { rows } = await db.pool.query<{ first: string | null; last: string }>(
      `SELECT (SELECT min(id) FROM events) AS first, (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM events_id_seq) AS last`,
    )
    return { first: Number(rows[0]!.first ?? Number(rows[0]!.last) + 1), last: Number(rows[0]!.last) }
  }
  let last = (await bounds()).last
  const deliver = async () => {
    for (let events = await read('id > $1', [last]); events.length > 0; events = await read('id > $1', [last])) {
      for (const event of events) {
        last = event.id
        for (const subscriber of subscribers) subscriber(event)
      }
    }
  }
  const wake = createSingleFlight(deliver, onError)
  const stop = await db.listen(CHANNEL, wake)
  const order = async (tx: Transaction) => void (await tx.$executeRaw`SELECT pg_advisory_xact_lock(${ORDER_LOCK})`)
  return {
    order,
    async publish(tx, { org, kind, to, data }, now) {
      await order(tx)
      await tx.$executeRaw`WITH e AS (INSERT INTO events (org, kind, "to", data, at)
        VALUES (${org}, ${kind}, ${to ?? null}, ${JSON.stringify(data)}::jsonb, ${dateOf(now)}) RETURNING id)
        SELECT pg_notify(${CHANNEL}, id::text) FROM e`
    },
    subscribe(subscriber) {
      subscribers.add(subscriber)
      return () => void subscribers.delete(subscriber)
    },
    async since(org, id) {
      const { first, last: newest } = await bounds()
      if (id < first - 1 || id > newest) return undefined
      const events = await read('org = $1 AND id > $2', [org, id], MAX_MISSED + 1)
      return events.length > MAX_MISSED ? undefined : events
    },
    get last() {
      return last
    },
    [Symbol.asyncDispose]: async () => stop(),
  }
}

const RETRY_MS = 1000

/** Runs `work` once at a time; a wake-up during a run means one more run after it, a failure another one in a second. */
export function createSingleFlight(work: () => Promise<void>, onError: (error: unknown) => void): () => void {
  let isRunning = false
  let isWanted = false
  const run = async () => {
    isRunning = true
    while (isWanted) {
      isWanted = false
      await work().catch((error) => {
        onError(error)
        setTimeout(wake, RETRY_MS).unref()
      })
    }
    isRunning = false
  }
  const wake = () => {
    isWanted = true
    if (!isRunning) void run()
  }
  return wake
}
