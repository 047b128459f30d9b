import { setTimeout } from 'node:timers/promises'
import type { Database } from '../db/open.ts'

/** Remembers nonces of signed requests in the database, so that neither a restart nor another replica accepts one twice. */
export interface NonceStore {
  /** True the first time, false ever after (until the signature is too old anyway). */
  claim(kid: string, nonce: string, expiresAt: number): Promise<boolean>
}

interface Waiting {
  readonly kid: string
  readonly nonce: string
  readonly expiresAt: number
  readonly answer: PromiseWithResolvers<boolean>
}
const MAX_BATCH = 500
/** How long a busy store waits for company: the embedded database blocks this process while it writes, so fewer, larger writes. */
const GATHER_MS = 2

/** One INSERT for all requests that arrive close together: alone, a request does not wait; the cost per request falls as load grows. */
export function createNonceStore(db: Database): NonceStore {
  const waiting: Waiting[] = []
  let isWriting = false
  let isBusy = false
  const write = async () => {
    isWriting = true
    while (waiting.length > 0) {
      if (isBusy) await setTimeout(GATHER_MS)
      const batch = waiting.splice(0, MAX_BATCH)
      isBusy = batch.length > 1 || waiting.length > 0
      try {
        await claimAll(db, batch)
      } catch (error) {
        for (const { answer } of batch) answer.reject(error)
      }
    }
    isWriting = false
  }
  return {
    claim(kid, nonce, expiresAt) {
      const answer = Promise.withResolvers<boolean>()
      waiting.push({ kid, nonce, expiresAt, answer })
      if (!isWriting) void write()
      return answer.promise
    },
  }
}

/** Of two equal ones in a batch the first wins: ON CONFLICT DO NOTHING returns each inserted row once. */
async function claimAll(db: Database, batch: readonly Waiting[]) {
  const { rows } = await db.pool.query<{ kid: string; nonce: string }>({
    name: 'claim-nonces',
    text: `INSERT INTO used_nonces (kid, nonce, expires_at)
      SELECT kid, nonce, to_timestamp(expires) FROM unnest($1::text[], $2::text[], $3::float8[]) AS n(kid, nonce, expires)
      ON CONFLICT DO NOTHING RETURNING kid, nonce`,
    values: [batch.map((w) => w.kid), batch.map((w) => w.nonce), batch.map((w) => w.expiresAt)],
  })
  const fresh = new Set(rows.map((row) => `${row.kid}.${row.nonce}`))
  for (const { kid, nonce, answer } of batch) answer.resolve(fresh.delete(`${kid}.${nonce}`))
}
