import type { AtSign, AuthorityAlarm, AuthorityMirror, ControlClient, EdgeKey, PeerHead } from '@postern/core'
import { comparePeerHead, createAuthoritySync, decodeSigned, parseStrictJson, readAckedInTime, reportFork, signAck } from '@postern/core'
import type { EventStream, ServerEvent } from '@postern/daemon'
import type { GatewayDeps } from '../deps.ts'
import type { Trust } from './trust.ts'

export interface KeeperParts {
  readonly mirror: AuthorityMirror
  readonly client: ControlClient
  readonly trust: Trust
  readonly self: AtSign
  readonly receiptKey: EdgeKey
  readonly epoch: () => string
  readonly deps: GatewayDeps
  /** The event stream stands. */
  readonly onConnected: () => void
  /** A sealed ask that came over the event stream. */
  readonly onAsk: (data: string) => void
  /** Somebody's decision about a held call. */
  readonly onDecision: (data: string) => void
}

/** What a peer's log head means for its channel: serve it, or end it. */
export type Greeting = 'serve' | 'end'

/** Between two attempts while the control plane cannot be reached. */
const retrySeconds = 5
const eventLimits = { maxBytes: 1 << 20, maxDepth: 16 }

/**
 * Keeps this gateway's authority up to date: pulls, follows the event stream, takes up revocations from any carrier, says what was applied,
 * and compares heads with peers.
 */
export class Keeper implements AsyncDisposable {
  readonly #parts: KeeperParts
  readonly #sync: ReturnType<typeof createAuthoritySync>
  #stream: EventStream | undefined
  #running: Promise<boolean> | undefined
  #again = false
  #acking: Promise<void> | undefined
  #ackDue = true
  #triedMs = Number.NEGATIVE_INFINITY
  #lastAlarm = ''

  constructor(parts: KeeperParts) {
    const { mirror, client, deps, self } = parts
    this.#parts = parts
    this.#sync = createAuthoritySync({
      ...{ mirror, client, suite: deps.suite, wantsPolicy: true },
      lookAgain: (entries) => readAckedInTime({ mirror, client, self, ...deps }, entries),
      alarm: (alarm) => this.#alarm(alarm),
    })
    mirror.onChange(() => {
      this.#ackDue = true
      void this.#ack()
    })
  }

  get isConnected(): boolean {
    return this.#stream?.isOpen ?? false
  }

  /** Follows the event stream; each connection begins with a whole round. */
  follow(): void {
    const { client, deps } = this.#parts
    this.#stream = deps.net.openEventSource(client.url('/api/v1/stream'), {
      headers: (request) => client.sign(request),
      onOpen: () => {
        this.#parts.onConnected()
        void this.sync()
      },
      onEvent: (event) => this.#event(event),
      onDown: (reason, retryInMs) => deps.log.warn({ code: reason.code, why: reason.message, retry_ms: retryInMs }, 'event stream is down'),
    })
  }

  /** A whole round; one at a time. @returns whether it was complete. Never rejects. */
  sync(): Promise<boolean> {
    if (this.#running) {
      this.#again = true
      return this.#running.then(() => this.#running ?? this.#parts.trust.age() !== undefined)
    }
    this.#running = this.#round().finally(() => {
      this.#running = undefined
      if (!this.#again) return
      this.#again = false
      void this.sync()
    })
    return this.#running
  }

  /** Repeats what failed, and a whole round every `syncSeconds`. Call every second or so. */
  tick(syncSeconds: number): void {
    const { trust, deps } = this.#parts
    const age = trust.age()
    const sinceTried = (deps.clock.monotonic() - this.#triedMs) / 1000
    if ((age === undefined || age > syncSeconds) && sinceTried > Math.min(retrySeconds, syncSeconds)) void this.sync()
    if (this.#ackDue && sinceTried > 1) void this.#ack()
  }

  /** Compares a peer's head with ours; fetches what it is ahead by before anything of it is served. */
  async greet(peer: PeerHead): Promise<Greeting> {
    const { mirror, deps, trust } = this.#parts
    const first = comparePeerHead(mirror, peer, deps.suite)
    if (first.kind === 'same') return 'serve'
    if (first.kind === 'ahead') await this.sync()
    const verdict = first.kind === 'ahead' ? comparePeerHead(mirror, peer, deps.suite) : first
    if (verdict.kind === 'same') return 'serve'
    if (verdict.kind === 'forked') await this.#stop(peer)
    if (verdict.kind === 'ahead' && verdict.proven) {
      trust.behind(peer.log.seq)
      deps.log.error({ seq: peer.log.seq }, 'ALARM: a peer holds a signed statement that the control plane keeps back')
      return 'serve' // it hears why from every refusal
    }
    return 'end'
  }

  /** A revocation from any carrier. @throws {VerifyError} when it does not count */
  async revoke(text: string | Uint8Array): Promise<boolean> {
    return await this.#parts.mirror.addRevocation(decodeSigned(parseStrictJson(text, eventLimits)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream?.close()
    await this.#running
    await this.#acking
  }

  async #round(): Promise<boolean> {
    const { trust, deps } = this.#parts
    const began = deps.clock.monotonic()
    this.#triedMs = began
    try {
      if (!(await this.#sync.run())) return false
      trust.completed(began)
      if (this.#ackDue) void this.#ack()
      return true
    } catch (error) {
      deps.log.warn(
        { code: (error as { code?: string }).code ?? 'INTERNAL', why: (error as Error).message },
        'authority could not be synchronised',
      )
      return false
    }
  }

  async #event({ event, data }: ServerEvent): Promise<void> {
    if (event === 'ask') this.#parts.onAsk(data)
    else if (event === 'decision') this.#parts.onDecision(data)
    else if (event === 'revocation') await this.#revocationEvent(data)
    else if (event === 'log' || event === 'ready') void this.sync()
  }

  /** On sight: what it stops must not wait for a round. One that does not count (yet) is looked at again by the round. */
  async #revocationEvent(data: string): Promise<void> {
    try {
      await this.revoke(data)
    } catch (error) {
      this.#parts.deps.log.info({ code: (error as { code?: string }).code ?? 'INTERNAL' }, 'a revocation does not count yet')
      void this.sync()
    }
  }

  async #stop(peer: PeerHead): Promise<void> {
    const { mirror, deps, trust } = this.#parts
    trust.fork()
    await reportFork({ mirror, suite: deps.suite, alarm: (alarm) => this.#alarm(alarm) }, peer.log.seq, decodeSigned(peer.head))
  }

  #alarm(alarm: AuthorityAlarm): void {
    const { trust, deps } = this.#parts
    if (alarm.kind === 'FORKED' && alarm.proven) trust.fork()
    const text = JSON.stringify(alarm)
    if (text === this.#lastAlarm) return // every round finds it again
    this.#lastAlarm = text
    deps.log.error({ alarm }, 'ALARM: the authority log is not in order')
  }

  /** Says what was applied. What is said is true when it is signed; later changes are said next. */
  #ack(): Promise<void> {
    this.#acking ??= this.#postAcks().finally(() => {
      this.#acking = undefined
    })
    return this.#acking
  }

  async #postAcks(): Promise<void> {
    await Promise.resolve() // several changes in one turn are one ack
    while (this.#ackDue) {
      const token = this.#signAck()
      if (!token) return
      this.#ackDue = false
      try {
        await this.#parts.client.call('/api/v1/acks', { json: { acks: [token] } })
      } catch (error) {
        this.#ackDue = true
        this.#parts.deps.log.debug({ code: (error as { code?: string }).code }, 'ack could not be posted')
        return
      }
    }
  }

  #signAck(): string | undefined {
    const { mirror, self, receiptKey, epoch, trust, deps } = this.#parts
    const { state } = mirror.snapshot
    if (!state) return undefined
    const claims = { v: 1, org: mirror.org, iss: self, kid: receiptKey.kid } as const
    const said = { seq: state.seq, head: state.head, revocations: mirror.revocationsDigest(), at: trust.now(), epoch: epoch() }
    return signAck({ ...claims, ...said }, receiptKey.secret.expose(), deps.suite)
  }
}
