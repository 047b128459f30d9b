import { encodeBase64url } from '@postern/core'
import type { Log } from '@postern/daemon'
import type { Database } from '../db/open.ts'
import { ControlError } from '../errors.ts'
import type { Streams } from '../stream/streams.ts'
import { dateOf } from '../time.ts'

/** How long an agent waits for its gateway. */
export const ANSWER_TIMEOUT_MS = 10_000
/** A gateway whose stream looks alive here may in truth have moved to another replica: ask there too after this time. */
const ELSEWHERE_MS = 1000
const MAX_PENDING_PER_AGENT = 64
const MAX_PENDING = 10_000
const ASKED = 'postern_asked'
const ANSWERED = 'postern_answered'

export interface Asker {
  readonly org: string
  readonly agent: string
  readonly gateway: string
}
export interface Exchanged {
  readonly id: string
  /** Sealed bytes, base64url; absent when the gateway kept silent. */
  readonly answer?: string
  readonly tookMs: number
}

/**
 * Carries a sealed ask to the gateway over the gateway's own event stream and the sealed answer back. Both ends usually meet in this
 * process and nothing is written; otherwise a short-lived row and NOTIFY carry them between replicas. It can read neither.
 */
export interface GrantExchange extends AsyncDisposable {
  /** @throws {ControlError} TOO_MANY */
  ask(from: Asker, sealed: string, signal: AbortSignal): Promise<Exchanged>
  /** False when nobody waits for it (any more), or it is not this gateway's to answer. */
  answer(org: string, gateway: string, id: string, answer: string): Promise<boolean>
  /** Hands a gateway that has just connected what waits for it. */
  deliverWaiting(org: string, gateway: string): Promise<void>
}

interface Pending extends Asker {
  resolve(answer: string): void
}
interface Deps {
  readonly db: Database
  readonly streams: Pick<Streams, 'offer'>
  readonly log: Log
  now(): number
  random(bytes: number): Uint8Array
  readonly answerTimeoutMs: number
}

export async function openGrantExchange(deps: Deps): Promise<GrantExchange> {
  const { db, streams, log } = deps
  const pending = new Map<string, Pending>()
  const perAgent = new Map<string, number>()
  const elsewhere = createElsewhere(deps)

  const onAsked = async (payload: string | undefined) => {
    const [id = '', org = '', gateway = ''] = (payload ?? '').split(' ')
    if (!streams.offer(org, gateway, undefined)) return // not connected here
    const sealed = await elsewhere.askOf(id)
    if (sealed) streams.offer(org, gateway, { id, sealed })
  }
  const onAnswered = async (id: string | undefined) => {
    const waiting = id ? pending.get(id) : undefined
    const answer = waiting && (await elsewhere.answerOf(id!))
    if (answer) waiting.resolve(answer)
  }
  const report = (error: unknown) => log.warn({ err: error }, 'carrying a grant between replicas failed')
  const stops = [
    await db.listen(ASKED, (payload) => void onAsked(payload).catch(report)),
    await db.listen(ANSWERED, (payload) => void onAnswered(payload).catch(report)),
  ]

  const count = (agent: string, by: number) => {
    const next = (perAgent.get(agent) ?? 0) + by
    if (next > 0) perAgent.set(agent, next)
    else perAgent.delete(agent)
  }
  return {
    async ask(from, sealed, signal) {
      if (pending.size >= MAX_PENDING || (perAgent.get(from.agent) ?? 0) >= MAX_PENDING_PER_AGENT) {
        throw new ControlError('TOO_MANY', 'too many grant requests wait for an answer', { fix: 'wait for some of them' })
      }
      const id = encodeBase64url(deps.random(16))
      const started = performance.now()
      const { promise, resolve } = Promise.withResolvers<string | undefined>()
      pending.set(id, { ...from, resolve })
      count(from.agent, 1)
      let carrying: Promise<void> | undefined
      const carry = () => {
        carrying = elsewhere.carry(id, from, sealed).catch(report)
      }
      const isHere = streams.offer(from.org, from.gateway, { id, sealed })
      const timers = [setTimeout(carry, isHere ? ELSEWHERE_MS : 0), setTimeout(() => resolve(undefined), deps.answerTimeoutMs)]
      const onAbort = () => resolve(undefined)
      signal.addEventListener('abort', onAbort)
      try {
        const answer = await promise
        return { id, tookMs: Math.round(performance.now() - started), ...(answer ? { answer } : {}) }
      } finally {
        for (const timer of timers) clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        pending.delete(id)
        count(from.agent, -1)
        if (carrying) void carrying.then(() => elsewhere.forget(id)).catch(report)
      }
    },
    async answer(org, gateway, id, answer) {
      const waiting = pending.get(id)
      if (!waiting) return elsewhere.answer(org, gateway, id, answer)
      if (waiting.org !== org || waiting.gateway !== gateway) return false
      waiting.resolve(answer)
      return true
    },
    async deliverWaiting(org, gateway) {
      for (const ask of await elsewhere.waitingFor(org, gateway)) streams.offer(org, gateway, ask)
    },
    [Symbol.asyncDispose]: async () => {
      for (const stop of stops) stop()
      for (const { resolve } of pending.values()) resolve('')
    },
  }
}

/** The way through the database, for a gateway that is connected to another replica or not yet connected. */
function createElsewhere({ db, now }: Deps) {
  const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'base64url'))
  const text = (value: Uint8Array | null | undefined) => value && Buffer.from(value).toString('base64url')
  return {
    async carry(id: string, { org, agent, gateway }: Asker, sealed: string) {
      const expiresAt = dateOf(now() + 30)
      await db.prisma.grantRelay.create({ data: { id, org, agent, gateway, ask: bytes(sealed), expiresAt } })
      await db.pool.query('SELECT pg_notify($1, $2)', [ASKED, `${id} ${org} ${gateway}`])
    },
    async askOf(id: string) {
      const row = await db.prisma.grantRelay.findUnique({ where: { id }, select: { ask: true } })
      return text(row?.ask)
    },
    async answerOf(id: string) {
      const row = await db.prisma.grantRelay.findUnique({ where: { id }, select: { answer: true } })
      return text(row?.answer)
    },
    async waitingFor(org: string, gateway: string) {
      const where = { org, gateway, answer: null, expiresAt: { gt: dateOf(now()) } }
      const rows = await db.prisma.grantRelay.findMany({ where, select: { id: true, ask: true }, take: 256 })
      return rows.map(({ id, ask }) => ({ id, sealed: text(ask)! }))
    },
    async answer(org: string, gateway: string, id: string, answer: string) {
      const where = { id, org, gateway, answer: null, expiresAt: { gt: dateOf(now()) } }
      const { count } = await db.prisma.grantRelay.updateMany({ where, data: { answer: bytes(answer) } })
      if (count > 0) await db.pool.query('SELECT pg_notify($1, $2)', [ANSWERED, id])
      return count > 0
    },
    async forget(id: string) {
      await db.prisma.grantRelay.deleteMany({ where: { id } })
    },
  }
}
