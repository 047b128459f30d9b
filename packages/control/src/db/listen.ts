import pg from 'pg'

/** Called with the payload of each notification, and with `undefined` after a break: something may have been missed. */
export type Listening = (payload: string | undefined) => void
/** @returns stops listening */
export type Listen = (channel: string, listener: Listening) => Promise<() => void>

/** A connection that listens: PGlite's only one, or one of our own to a server. */
interface Connection {
  listen(channel: string): Promise<void>
  close(): Promise<void>
}
export interface Listener {
  readonly listen: Listen
  close(): Promise<void>
}

/** Who listens to what, whichever connection it is. */
class Channels {
  readonly #listeners = new Map<string, Set<Listening>>()

  names(): string[] {
    return [...this.#listeners.keys()]
  }
  /** True when nobody listened to this channel before. */
  add(channel: string, listener: Listening): boolean {
    const isNew = !this.#listeners.has(channel)
    const listeners = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, listeners.add(listener))
    return isNew
  }
  remove(channel: string, listener: Listening) {
    this.#listeners.get(channel)?.delete(listener)
  }
  readonly deliver = ({ channel, payload }: pg.Notification) => {
    for (const listener of this.#listeners.get(channel) ?? []) listener(payload ?? '')
  }
  catchUp() {
    for (const listeners of this.#listeners.values()) for (const listener of listeners) listener(undefined)
  }
}

const createListener = (channels: Channels, connection: Connection): Listener => ({
  async listen(channel, listener) {
    if (channels.add(channel, listener)) await connection.listen(channel)
    return () => channels.remove(channel, listener)
  },
  close: connection.close,
})

/**
 * PGlite: notifications arrive on the pool's one client, and a new client (after an error) has to listen again.
 * @param openPool Makes the pool with this hook for each new client.
 */
export function listenOnPool(openPool: (onConnect: (client: pg.ClientBase) => Promise<void>) => pg.Pool): {
  pool: pg.Pool
  listener: Listener
} {
  const channels = new Channels()
  const pool = openPool(async (client) => {
    client.on('notification', channels.deliver)
    for (const channel of channels.names()) await client.query(`LISTEN "${channel}"`)
    channels.catchUp()
  })
  const listen = async (channel: string) => void (await pool.query(`LISTEN "${channel}"`))
  return { pool, listener: createListener(channels, { listen, close: async () => {} }) }
}

/** A connection that a firewall forgot says nothing; asking it does. */
const HEARTBEAT_MS = 15_000
const LONGEST_WAIT_MS = 5000

/** A server: one long-lived connection, which comes back by itself, with a growing wait, and then tells listeners to catch up. */
export function listenOnServer(url: string): Listener {
  const channels = new Channels()
  let client: pg.Client | undefined
  let connecting: Promise<void> | undefined
  let isClosed = false
  let waitMs = 100
  let timer: NodeJS.Timeout | undefined

  const connect = async () => {
    const next = new pg.Client({ connectionString: url, connectionTimeoutMillis: 4000, query_timeout: 5000, keepAlive: true })
    next.on('notification', channels.deliver)
    next.on('error', () => lost(next))
    next.on('end', () => lost(next))
    await next.connect()
    for (const channel of channels.names()) await next.query(`LISTEN "${channel}"`)
    client = next
    waitMs = 100
    channels.catchUp()
  }
  const lost = (from: pg.Client) => {
    if (client !== from) return
    client = undefined
    void from.end().catch(() => {})
    retry()
  }
  const retry = () => {
    if (isClosed || timer) return
    timer = setTimeout(() => {
      timer = undefined
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)
      connecting = connect().catch(retry)
    }, waitMs)
    timer.unref()
  }
  const heartbeat = setInterval(() => {
    const asked = client
    asked?.query('SELECT 1').catch(() => lost(asked))
  }, HEARTBEAT_MS)
  heartbeat.unref()

  const listen = async (channel: string) => {
    connecting ??= connect()
    await connecting
    await client?.query(`LISTEN "${channel}"`) // when it is lost just now, the next connection listens to all channels
  }
  const close = async () => {
    isClosed = true
    clearInterval(heartbeat)
    clearTimeout(timer)
    await client?.end().catch(() => {})
  }
  return createListener(channels, { listen, close })
}
