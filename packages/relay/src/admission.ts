import { requestJson } from '@postern/daemon'

/** `unknown`: the control plane did not answer, and nothing recent says otherwise. */
export type Verdict = 'admitted' | 'refused' | 'unknown'

export interface AdmissionOptions {
  readonly controlUrl: string
  /** Milliseconds, monotonic. */
  readonly now?: () => number
  readonly onFailure?: (error: unknown) => void
}

const ASK_WITHIN_MS = 5
/** At most 80 requests a second: strangers who make up organisations must not use up what the control plane answers. */
const MS_PER_REQUEST = 12.5
const MAX_REQUESTS = 8
const MAX_IDS = 256
const MAX_TTL_SECONDS = 60
/** Short, because people enrol a gateway and start it the next moment. */
const REFUSED_TTL_MS = 2000
const TIMEOUT_MS = 5000
const SWEEP_ABOVE = 10_000

interface Question {
  readonly promise: Promise<Verdict>
  readonly answer: (verdict: Verdict) => void
}

/**
 * Asks the control plane which keys an organisation has enrolled: many at once, and not twice within a minute. This keeps strangers
 * out and is NOT authority: a wrong answer denies service or lets somebody in whom no peer will understand.
 */
export class Admission {
  readonly #url: string
  readonly #now: () => number
  readonly #onFailure: (error: unknown) => void
  readonly #known = new Map<string, { verdict: Verdict; until: number }>()
  /** org → kid → who waits for the answer. */
  readonly #asked = new Map<string, Map<string, Question>>()
  #batch: NodeJS.Timeout | undefined
  #pending = new Map<string, Set<string>>()
  #nextBatchAt = 0
  /** Organisations in which somebody was admitted; asked about before those that may be made up. */
  readonly #real = new Set<string>()
  /** True after the last request failed. */
  isFailing = false

  constructor({ controlUrl, now = () => performance.now(), onFailure = () => {} }: AdmissionOptions) {
    this.#url = new URL('/api/v1/relay/admitted', controlUrl).href
    this.#now = now
    this.#onFailure = onFailure
  }

  /** @param org @param kid base64url, 43 characters each. */
  ask(org: string, kid: string): Promise<Verdict> {
    const known = this.#known.get(org + kid)
    if (known && known.until > this.#now()) return Promise.resolve(known.verdict)
    return this.#question(org, kid).promise
  }

  close(): void {
    clearTimeout(this.#batch)
    for (const questions of this.#asked.values()) for (const { answer } of questions.values()) answer('unknown')
    this.#asked.clear()
  }

  #question(org: string, kid: string): Question {
    const ofOrg = entry(this.#asked, org, () => new Map<string, Question>())
    return entry(ofOrg, kid, () => {
      entry(this.#pending, org, () => new Set<string>()).add(kid)
      this.#schedule()
      const { promise, resolve } = Promise.withResolvers<Verdict>()
      return { promise, answer: resolve }
    })
  }

  #schedule(): void {
    this.#batch ??= setTimeout(() => this.#send(), Math.max(ASK_WITHIN_MS, this.#nextBatchAt - this.#now()))
  }

  #send(): void {
    this.#batch = undefined
    if (this.#known.size > SWEEP_ABOVE) this.#forgetExpired()
    const orgs = [...this.#pending.keys()].sort((a, b) => Number(this.#real.has(b)) - Number(this.#real.has(a)))
    for (const org of orgs.slice(0, MAX_REQUESTS)) this.#askFor(org)
    this.#nextBatchAt = this.#now() + Math.min(orgs.length, MAX_REQUESTS) * MS_PER_REQUEST
    if (this.#pending.size > 0) this.#schedule()
  }

  #askFor(org: string): void {
    const ids = [...this.#pending.get(org)!]
    this.#pending.delete(org)
    for (let at = 0; at < ids.length; at += MAX_IDS) void this.#askAbout(org, ids.slice(at, at + MAX_IDS))
  }

  async #askAbout(org: string, ids: readonly string[]): Promise<void> {
    const answer = await this.#request(org, ids)
    if (answer && answer.admitted.size > 0) this.#real.add(org)
    for (const kid of ids) {
      const verdict = !answer ? 'unknown' : answer.admitted.has(kid) ? 'admitted' : 'refused'
      if (answer) this.#known.set(org + kid, { verdict, until: this.#now() + (verdict === 'admitted' ? answer.ttlMs : REFUSED_TTL_MS) })
      this.#settle(org, kid, verdict)
    }
  }

  async #request(org: string, ids: readonly string[]): Promise<{ admitted: Set<string>; ttlMs: number } | undefined> {
    try {
      const { body } = await requestJson<{ admitted?: unknown; ttl_seconds?: unknown }>({
        url: this.#url,
        json: { org, ids },
        timeoutMs: TIMEOUT_MS,
      })
      if (!Array.isArray(body?.admitted)) throw new TypeError('the answer has no list `admitted`')
      this.isFailing = false
      const seconds = typeof body.ttl_seconds === 'number' ? body.ttl_seconds : MAX_TTL_SECONDS
      return { admitted: new Set(body.admitted), ttlMs: Math.min(Math.max(seconds, 1), MAX_TTL_SECONDS) * 1000 }
    } catch (error) {
      this.isFailing = true
      this.#onFailure(error)
      return undefined
    }
  }

  #settle(org: string, kid: string, verdict: Verdict): void {
    const questions = this.#asked.get(org)
    questions?.get(kid)?.answer(verdict)
    questions?.delete(kid)
    if (questions?.size === 0) this.#asked.delete(org)
  }

  #forgetExpired(): void {
    const now = this.#now()
    for (const [key, { until }] of this.#known) if (until <= now) this.#known.delete(key)
  }
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
