import pg from 'pg'

/** Called with the payload of each notification, and with `undefined` after a break: something may have been missed. */
export type Listening = (payload: string | undefined) => void
export type Listen = (channel: string, listener: Listening) => Promise<() => void>

/**
 * LISTEN on one long-lived connection: PGlite's only one (from its pool), or one of our own to a server.
 * A lost connection comes back by itself, with a growing wait, and each listener is told to catch up.
 */
export function createListener(source: { pool: pg.Pool } | { url: string }): { listen: Listen; close(): Promise<void> } {
  const channels = new Map<string, Set<Listening>>()
  const deliver = (message: pg.Notification) => {
    for (const listener of channels.get(message.channel) ?? []) listener(message.payload ?? '')
  }
  const connection = 'pool' in source ? onPool(source.pool, channels, deliver) : onServer(source.url, channels, deliver)
  return {
    async listen(channel, listener) {
      const isNew = !channels.has(channel)
      const listeners = channels.get(channel) ?? new Set()
      channels.set(channel, listeners.add(listener))
      if (isNew) await connection.listen(channel)
      return () => void listeners.delete(listener)
    },
    close: connection.close,
  }
}

type Channels = ReadonlyMap<string, ReadonlySet<Listening>>
interface Connection {
  listen(channel: string): Promise<void>
  close(): Promise<void>
}

function catchUp(channels: Channels) {
  for (const listeners of channels.values()) for (const listener of listeners) listener(undefined)
}

/** PGlite: notifications arrive on the pool's one client; a new client (after an error) has to listen again. */
function onPool(pool: pg.Pool, channels: Channels, deliver: (message: pg.Notification) => void): Connection {
  const adopt = (client: pg.PoolClient) => {
    client.on('notification', deliver)
    for (const channel of channels.keys()) void client.query(`LISTEN "${channel}"`).catch(() => {})
    catchUp(channels)
  }
  pool.on('connect', adopt)
  return {
    listen: async (channel) => void (await pool.query(`LISTEN "${channel}"`)),
    close: async () => void pool.off('connect', adopt),
  }
}

/** A connection that a firewall forgot says nothing; asking it does. */
const HEARTBEAT_MS = 15_000

function onServer(url: string, channels: Channels, deliver: (message: pg.Notification) => void): Connection {
  let client: pg.Client | undefined
  let connecting: Promise<void> | undefined
  let isClosed = false
  let waitMs = 100
  let timer: NodeJS.Timeout | undefined

  const connect = async () => {
    const next = new pg.Client({ connectionString: url, connectionTimeoutMillis: 4000, query_timeout: 5000, keepAlive: true })
    next.on('notification', deliver)
    next.on('error', () => lost(next))
    next.on('end', () => lost(next))
    await next.connect()
    for (const channel of channels.keys()) await next.query(`LISTEN "${channel}"`)
    client = next
    waitMs = 100
    catchUp(channels)
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
      waitMs = Math.min(waitMs * 2, 5000)
      connecting = connect().catch(retry)
    }, waitMs)
    timer.unref()
  }
  const heartbeat = setInterval(() => {
    const asked = client
    asked?.query('SELECT 1').catch(() => lost(asked))
  }, HEARTBEAT_MS)
  heartbeat.unref()
  return {
    async listen(channel) {
      connecting ??= connect()
      await connecting
      await client?.query(`LISTEN "${channel}"`) // when it is lost just now, the next connection listens to all channels
    },
    async close() {
      isClosed = true
      clearInterval(heartbeat)
      clearTimeout(timer)
      await client?.end().catch(() => {})
    },
  }
}
