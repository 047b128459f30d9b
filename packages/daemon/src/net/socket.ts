import type { Writable } from 'node:stream'
import WebSocket from 'ws'
import type { Backoff } from '../backoff.ts'
import { createBackoff } from '../backoff.ts'
import { OperationError } from '../errors.ts'
import { gather } from './gather.ts'

export interface SocketOptions {
  /** A new connection stands: send its first bytes here. What was sent on an older one is not repeated. */
  onOpen(): void
  /** One binary message. The bytes are the receiver's to keep. A throw closes this connection (code 1011) and a new one is tried. */
  onMessage(bytes: Uint8Array): void
  /** A connection ended, or an attempt failed; called once each. The next attempt comes by itself, `retryInMs` later. */
  onDown?(reason: OperationError, retryInMs: number): void
  readonly backoff?: Backoff
  /** Silence after which we probe. Default 10 s: dead connections are noticed, and boxes in between keep the line open. */
  readonly probeAfterMs?: number
  /** Silence after a probe that means the line is dead. Default 5 s. */
  readonly deadAfterMs?: number
  /** From dialling to an open connection. Default 10 s. */
  readonly connectTimeoutMs?: number
  /** A connection must hold this long before the back-off starts anew, or a peer that accepts and hangs up is dialled in a hurry. Default 5 s. */
  readonly settledAfterMs?: number
  /**
   * Everything sent is ciphertext. WebSocket masks what clients send so that a page cannot choose the bytes on the wire, which nobody can
   * who does not know the key; masking with zeros then saves a pass over every byte at both ends. Default false.
   */
  readonly isSealed?: boolean
  /** Default 1 MiB. A longer message ends the connection. */
  readonly maxMessageBytes?: number
  /** Bytes that may wait to be sent. Default 4 MiB. */
  readonly maxBufferedBytes?: number
}

/** A WebSocket that comes back by itself. */
export interface Socket extends AsyncDisposable {
  readonly isOpen: boolean
  /**
   * Queues one binary message; the bytes must not change afterwards.
   * @throws {OperationError} `NOT_CONNECTED`, `BUFFER_FULL` (await `drained()` before sending much)
   */
  send(bytes: Uint8Array): void
  /** Resolves when at most half the buffer is in use, at once if it is; rejects with `NOT_CONNECTED` when the connection ends first. */
  drained(): Promise<void>
  /** Gives this connection up and dials anew, after back-off. For peers that misbehave. */
  drop(reason: string): void
  close(): Promise<void>
}

/** `ws` skips masking when the mask is zero. */
const zeroMask = (mask: Buffer) => void mask.fill(0)
const NORMAL_CLOSURE = 1000
const INTERNAL_ERROR = 1011

/** Dials now and again whenever the connection is lost; returns without waiting for it. `url` is asked anew for each attempt. */
export function openSocket(url: string | (() => string | Promise<string>), options: SocketOptions): Socket {
  return new ReconnectingSocket(typeof url === 'string' ? () => url : url, options)
}

class ReconnectingSocket implements Socket {
  readonly #url: () => string | Promise<string>
  readonly #options: SocketOptions
  readonly #backoff: Backoff
  readonly #maxBufferedBytes: number
  #socket: WebSocket | undefined
  #closed = false
  #retry: NodeJS.Timeout | undefined
  #settle: NodeJS.Timeout | undefined
  #liveness: NodeJS.Timeout | undefined
  #isProbing = false
  #reason = ''
  #waiting: { resolve: () => void; reject: (error: OperationError) => void }[] = []

  constructor(url: () => string | Promise<string>, options: SocketOptions) {
    this.#url = url
    this.#options = options
    this.#backoff = options.backoff ?? createBackoff()
    this.#maxBufferedBytes = options.maxBufferedBytes ?? 4 << 20
    void this.#dial()
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN
  }

  send(bytes: Uint8Array): void {
    const socket = this.#socket
    if (socket?.readyState !== WebSocket.OPEN) throw notConnected()
    if (socket.bufferedAmount + bytes.length > this.#maxBufferedBytes) {
      throw new OperationError('BUFFER_FULL', `${socket.bufferedAmount} bytes already wait to be sent`, { retryable: true })
    }
    gather(wireOf(socket))
    socket.send(bytes, this.#onWritten)
  }

  drained(): Promise<void> {
    if (!this.isOpen) return Promise.reject(notConnected())
    if (this.#isDrained()) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  drop(reason: string): void {
    this.#reason = reason
    this.#socket?.terminate()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#retry)
    const socket = this.#socket
    if (!socket || socket.readyState === WebSocket.CLOSED) return
    const gone = new Promise((resolve) => socket.once('close', resolve))
    socket.close(NORMAL_CLOSURE)
    const impatient = setTimeout(() => socket.terminate(), 1000)
    await gone
    clearTimeout(impatient)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #dial(): Promise<void> {
    let url: string
    try {
      url = await this.#url()
      if (this.#closed) return
      this.#attach(
        new WebSocket(url, {
          perMessageDeflate: false,
          followRedirects: false,
          ...(this.#options.isSealed ? { generateMask: zeroMask } : {}),
          maxPayload: this.#options.maxMessageBytes ?? 1 << 20,
          handshakeTimeout: this.#options.connectTimeoutMs ?? 10_000,
        }),
      )
    } catch (error) {
      this.#scheduleRetry(unreachable((error as Error).message, error))
    }
  }

  #attach(socket: WebSocket): void {
    this.#socket = socket
    this.#reason = ''
    let failure: Error | undefined
    socket.on('open', () => this.#opened(socket))
    socket.on('error', (error) => {
      failure = error
    })
    socket.on('message', (data: Buffer, isBinary) => this.#received(data, isBinary))
    socket.on('pong', () => this.#heard())
    socket.on('ping', () => this.#heard())
    socket.on('close', (code, reason) => this.#ended(socket, failure, code, reason.toString()))
  }

  #opened(socket: WebSocket): void {
    if (this.#closed) return socket.terminate()
    this.#settle = setTimeout(() => this.#backoff.reset(), this.#options.settledAfterMs ?? 5000)
    this.#isProbing = false
    this.#liveness = setTimeout(() => this.#silent(), this.#options.probeAfterMs ?? 10_000)
    this.#guarded(() => this.#options.onOpen())
  }

  #received(data: Buffer, isBinary: boolean): void {
    this.#heard()
    if (!isBinary) return this.drop('the other side sent text')
    this.#guarded(() => this.#options.onMessage(new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.length)))
  }

  /** What the callbacks throw is about this connection, not about the process. */
  #guarded(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#reason = (error as Error).message
      this.#socket?.close(INTERNAL_ERROR)
      this.#socket?.terminate()
    }
  }

  #heard(): void {
    if (this.#isProbing) {
      this.#isProbing = false
      clearTimeout(this.#liveness)
      this.#liveness = setTimeout(() => this.#silent(), this.#options.probeAfterMs ?? 10_000)
    } else this.#liveness?.refresh()
  }

  #silent(): void {
    if (this.#isProbing) return this.drop('no answer to a probe')
    this.#isProbing = true
    this.#socket?.ping()
    this.#liveness = setTimeout(() => this.#silent(), this.#options.deadAfterMs ?? 5000)
  }

  #ended(socket: WebSocket, failure: Error | undefined, code: number, said: string): void {
    if (socket !== this.#socket) return
    clearTimeout(this.#settle)
    clearTimeout(this.#liveness)
    this.#liveness = undefined
    for (const { reject } of this.#waiting.splice(0)) reject(notConnected())
    if (this.#closed) return
    this.#scheduleRetry(unreachable(this.#reason || failure?.message || said || `the connection ended (code ${code})`, failure))
  }

  #scheduleRetry(reason: OperationError): void {
    if (this.#closed) return
    const delay = this.#backoff.next()
    this.#retry = setTimeout(() => void this.#dial(), delay)
    this.#options.onDown?.(reason, delay)
  }

  #isDrained = () => (this.#socket?.bufferedAmount ?? 0) <= this.#maxBufferedBytes / 2

  #onWritten = () => {
    if (this.#waiting.length > 0 && this.isOpen && this.#isDrained()) for (const { resolve } of this.#waiting.splice(0)) resolve()
  }
}

const notConnected = () => new OperationError('NOT_CONNECTED', 'there is no connection now', { retryable: true })
const unreachable = (message: string, cause: unknown) => new OperationError('UNREACHABLE', message, { retryable: true, cause })

/** The stream below: `ws` writes each message by itself, with a system call each. */
const wireOf = (socket: WebSocket) => (socket as unknown as { _socket: Writable })._socket
