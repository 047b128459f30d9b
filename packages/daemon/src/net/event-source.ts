import type { Backoff } from '../backoff.ts'
import { createBackoff } from '../backoff.ts'
import { OperationError } from '../errors.ts'
import type { ServerEvent } from './event-parser.ts'
import { createEventParser } from './event-parser.ts'
import { networkFailure, refusalOf } from './request.ts'

export interface EventSourceOptions {
  /** Made anew for each connection: this is where the request is signed. */
  headers?(request: { method: string; url: string; body: Uint8Array }): Record<string, string>
  /** One event, in order. Awaited before the next, so a slow receiver slows the stream. A throw ends this connection; the event comes again. */
  onEvent(event: ServerEvent): void | Promise<void>
  /** The server accepted and events may follow. What was missed before is asked for with the last event's id, nothing else is certain. */
  onOpen?(): void
  /** A connection ended, or an attempt failed; the next comes by itself, `retryInMs` later. */
  onDown?(reason: OperationError, retryInMs: number): void
  /** Where to resume. */
  readonly lastEventId?: string
  readonly backoff?: Backoff
  /** Silence, comments included, after which the line counts as dead. Default 45 s: three of the server's pings. */
  readonly deadAfterMs?: number
  readonly connectTimeoutMs?: number
  /** Default 1 MiB. A longer event ends the connection. */
  readonly maxEventBytes?: number
}

export interface EventStream extends AsyncDisposable {
  readonly isOpen: boolean
  /** Unix milliseconds of the last byte heard, comments included; 0 before the first. */
  readonly lastHeardMs: number
  close(): Promise<void>
}

/** Follows a server-sent event stream for as long as it is open: reconnects with back-off and resumes after the last event it handled. */
export function openEventSource(url: string | (() => string), options: EventSourceOptions): EventStream {
  return new FollowedStream(typeof url === 'string' ? () => url : url, options)
}

const NOTHING = new Uint8Array(0)
/** A connection that held this long was no failure. */
const SETTLED_MS = 5000

class FollowedStream implements EventStream {
  isOpen = false
  lastHeardMs = 0
  readonly #url: () => string
  readonly #options: EventSourceOptions
  readonly #backoff: Backoff
  readonly #stop = new AbortController()
  readonly #done: Promise<void>
  #lastEventId: string | undefined

  constructor(url: () => string, options: EventSourceOptions) {
    this.#url = url
    this.#options = options
    this.#backoff = options.backoff ?? createBackoff()
    this.#lastEventId = options.lastEventId
    this.#done = this.#follow()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#done
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #follow(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const reason = await this.#connectOnce()
      this.isOpen = false
      if (this.#stop.signal.aborted) return
      const delay = this.#backoff.next()
      this.#options.onDown?.(reason, delay)
      await this.#pause(delay)
    }
  }

  /** One connection from dialling to its end; the result says why it ended. */
  async #connectOnce(): Promise<OperationError> {
    let url = 'the event stream'
    const line = new AbortController()
    const { connectTimeoutMs = 10_000, deadAfterMs = 45_000 } = this.#options
    let timedOut = `no answer within ${connectTimeoutMs / 1000} s`
    let timer = setTimeout(() => line.abort(), connectTimeoutMs)
    try {
      url = this.#url()
      const response = await this.#request(url, AbortSignal.any([line.signal, this.#stop.signal]))
      clearTimeout(timer)
      timedOut = `nothing heard for ${deadAfterMs / 1000} s`
      timer = setTimeout(() => line.abort(), deadAfterMs)
      await this.#read(response, timer)
      return new OperationError('UNREACHABLE', 'the server ended the stream', { retryable: true })
    } catch (error) {
      return networkFailure(url, error, line.signal.aborted ? timedOut : undefined)
    } finally {
      clearTimeout(timer)
      line.abort()
    }
  }

  async #request(url: string, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { accept: 'text/event-stream', 'cache-control': 'no-store' }
    if (this.#lastEventId !== undefined) headers['last-event-id'] = this.#lastEventId
    const made = this.#options.headers?.({ method: 'GET', url, body: NOTHING }) ?? {}
    const response = await fetch(url, { headers: { ...headers, ...made }, redirect: 'manual', signal })
    if (!response.ok) throw refusalOf(response, await startOf(response), { url })
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
      throw new OperationError('BAD_ANSWER', `${new URL(url).host} answered something that is not an event stream`, { retryable: true })
    }
    return response
  }

  async #read(response: Response, timer: NodeJS.Timeout): Promise<void> {
    const parser = createEventParser(this.#options.maxEventBytes ?? 1 << 20)
    const openedMs = performance.now()
    this.isOpen = true
    this.#options.onOpen?.()
    for await (const chunk of response.body ?? []) {
      this.lastHeardMs = Date.now()
      timer.refresh()
      if (performance.now() - openedMs > SETTLED_MS) this.#backoff.reset()
      for (const event of parser.push(chunk)) {
        await this.#handle(event)
        this.#backoff.reset()
        timer.refresh()
        if (event.id !== undefined) this.#lastEventId = event.id
        if (this.#stop.signal.aborted) return
      }
    }
  }

  async #handle(event: ServerEvent): Promise<void> {
    try {
      await this.#options.onEvent(event)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new OperationError('BAD_ANSWER', `the event ${event.event} could not be handled: ${why}`, { retryable: true, cause })
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#stop.signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer)
          resolve()
        },
        { once: true },
      )
    })
  }
}

/** As much of a refusal as an error message may need. */
async function startOf(response: Response): Promise<Uint8Array> {
  for await (const chunk of response.body ?? []) return chunk
  return NOTHING
}
