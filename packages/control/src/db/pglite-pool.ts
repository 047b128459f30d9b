// Speaks PostgreSQL's wire protocol to an in-process PGlite through node-postgres, so that the official
// @prisma/adapter-pg (and any other user of `pg`) works unchanged. One session, so one pooled client.
import { Duplex } from 'node:stream'
import type { PGlite } from '@electric-sql/pglite'
import pg from 'pg'

/** Message types after which the server answers: Sync, Query, Flush, password. The startup packet has no type. */
const ANSWERED = new Set(['startup', 'S', 'Q', 'H', 'p'])

class PGliteStream extends Duplex {
  #pending: Buffer = Buffer.alloc(0)
  #started = false
  readonly #db: PGlite

  constructor(db: PGlite) {
    super()
    this.#db = db
  }

  // What node-postgres calls on its socket.
  connect() {
    queueMicrotask(() => this.emit('connect'))
    return this
  }
  setNoDelay() {
    return this
  }
  setKeepAlive() {
    return this
  }
  ref() {
    return this
  }
  unref() {
    return this
  }

  override _read() {}
  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void) {
    this.#feed(chunk).then(() => done(), done)
  }
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void) {
    this.#feed(Buffer.concat(chunks.map((c) => c.chunk))).then(() => done(), done)
  }
  override _destroy(error: Error | null, done: (error: Error | null) => void) {
    done(error)
  }

  async #feed(chunk: Buffer) {
    this.#pending = this.#pending.length ? Buffer.concat([this.#pending, chunk]) : chunk
    const first = !this.#started
    const end = this.#endOfAnswered()
    if (end === 'closed') {
      this.push(null)
      return
    }
    if (end === 0) return
    if (first) await this.#clearSession()
    const message = new Uint8Array(this.#pending.subarray(0, end))
    this.#pending = this.#pending.subarray(end)
    await this.#db.runExclusive(() => this.#db.execProtocolRawStream(message, { onRawData: (data) => void this.push(Buffer.from(data)) }))
  }

  /** Where the last complete message ends that expects an answer; only whole exchanges are handed to PGlite. */
  #endOfAnswered(): number | 'closed' {
    let end = 0
    for (let at = 0; this.#pending.length - at >= 5; ) {
      const length = this.#started ? 1 + this.#pending.readInt32BE(at + 1) : this.#pending.readInt32BE(at)
      if (this.#pending.length - at < length) break
      const type = this.#started ? String.fromCharCode(this.#pending.readUInt8(at)) : 'startup'
      if (type === 'X') return 'closed'
      this.#started = true
      at += length
      if (ANSWERED.has(type)) end = at
    }
    return end
  }

  /** A new "connection" to the one session there is: drop what the previous one left behind. */
  async #clearSession() {
    await this.#db.waitReady
    if (this.#db.isInTransaction()) await this.#db.exec('ROLLBACK')
    await this.#db.exec('DISCARD ALL')
  }
}

/** A pool of exactly one client on `db`. Inside a transaction use only its own client, or the query waits for itself. */
export function pglitePool(db: PGlite, extra: pg.PoolConfig = {}): pg.Pool {
  return new pg.Pool({
    ...extra,
    max: 1,
    idleTimeoutMillis: 0,
    user: 'postgres',
    database: 'postgres',
    ssl: false,
    stream: (() => new PGliteStream(db)) as never,
  })
}
