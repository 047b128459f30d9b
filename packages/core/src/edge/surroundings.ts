// What an edge (gateway, connector, CLI) takes from its surroundings. The shapes are those of @postern/daemon, which core does not
// import: processes pass them in, tests pass an in-memory network and a clock of their own.
import type { Suite } from '../key/suite.ts'

/** Milliseconds. `wall` may be set by people and time servers, `monotonic` only ever passes. */
export interface EdgeClock {
  wall(): number
  monotonic(): number
}

/** One outgoing request as it will be sent; `headers` of a request are made from it. */
export interface SentRequest {
  readonly method: string
  readonly url: string
  readonly body: Uint8Array
}
export interface EdgeRequest {
  readonly url: string
  readonly method?: string
  readonly json?: unknown
  readonly body?: Uint8Array | undefined
  readonly contentType?: string
  readonly headers?: (request: SentRequest) => Record<string, string>
  readonly timeoutMs?: number
  readonly maxResponseBytes?: number
  /** The platform's AbortSignal; core only passes it on. */
  readonly signal?: unknown
}

/** A connection that comes back by itself. `send` throws when there is none now. */
export interface EdgeSocket {
  readonly isOpen: boolean
  send(bytes: Uint8Array): void
  drained(): Promise<void>
  drop(reason: string): void
  close(): Promise<void>
}
export interface EdgeSocketOptions {
  onOpen(): void
  onMessage(bytes: Uint8Array): void
  onDown?(reason: { readonly code: string; readonly message: string }, retryInMs: number): void
  readonly maxBufferedBytes?: number
  /** Everything sent is ciphertext, so it needs no mask against proxies that read it. */
  readonly isSealed?: boolean
}

/** The only ways out of an edge. Every failure is an error with a string `code`; a refusal by the server has its HTTP `status` too. */
export interface EdgeNet {
  requestJson<T>(request: EdgeRequest): Promise<{ readonly status: number; readonly body: T }>
  requestBytes(request: EdgeRequest): Promise<{ readonly status: number; readonly body: Uint8Array }>
  openSocket(url: string, options: EdgeSocketOptions): EdgeSocket
}

export interface EdgeSurroundings {
  readonly clock: EdgeClock
  readonly random: (n: number) => Uint8Array
  readonly suite: Suite
  readonly net: EdgeNet
}

/** Files of one edge that survive it. Writing is durable when it returns; `readPrivate` refuses a file that others can read. */
export interface EdgeFiles {
  read(name: string): Promise<Uint8Array | undefined>
  readPrivate(name: string): Promise<Uint8Array | undefined>
  write(name: string, bytes: Uint8Array | string): Promise<void>
  /** A file that only grows; what stands behind `truncateTo` is cut off first. */
  openAppend(name: string, options: { readonly truncateTo: number }): Promise<EdgeAppendFile>
}
export interface EdgeAppendFile {
  /** Resolves once the record is on disk. */
  appendDurably(record: string): Promise<void>
  close(): Promise<void>
}

export const nowSeconds = (clock: EdgeClock): number => Math.floor(clock.wall() / 1000)
