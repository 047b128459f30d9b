import type { ServerResponse } from 'node:http'
import type { JsonObject, RpcMessage, RpcResponse } from '@postern/core'

const keepAliveMs = 15_000
const sseHeaders = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' }
const lineEnd = /[\r\n]/

/** Sends events to one client until it goes. */
export class EventStream {
  readonly #response: ServerResponse
  readonly #timer: NodeJS.Timeout

  constructor(response: ServerResponse, headers: Readonly<Record<string, string>> = {}) {
    this.#response = response
    response.writeHead(200, { ...sseHeaders, ...headers })
    response.flushHeaders()
    this.#timer = setInterval(() => response.write(': keepalive\n\n'), keepAliveMs)
    response.once('close', () => clearInterval(this.#timer))
  }

  send(message: RpcMessage, body: Uint8Array): void {
    this.#response.write(`event: message\ndata: ${textOf(message, body)}\n\n`)
  }

  end(): void {
    clearInterval(this.#timer)
    this.#response.end()
  }
}

/** JSON on one line: a line break in it would end the event. */
function textOf({ json }: RpcMessage, body: Uint8Array): string {
  const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString()
  return lineEnd.test(text) ? JSON.stringify(json) : text
}

/** How the modern era wants some JSON-RPC errors seen by who reads only HTTP. */
const statusByCode = new Map([
  [-32_601, 404],
  [-32_020, 400],
  [-32_021, 400],
  [-32_022, 400],
])
export const statusOf = ({ error }: RpcResponse): number => statusByCode.get(error?.code as number) ?? 200

/** The answer to one POST that carries a request: JSON when nothing comes before the response, else an event stream. */
export class PostReply {
  /** Asked for log messages in this request (modern era). */
  wantsLog = false
  /** Asked for the list of tools. */
  isToolList = false
  readonly #response: ServerResponse
  #stream: EventStream | undefined
  #isOver = false

  /** @param onGone The client went before it was answered. */
  constructor(response: ServerResponse, onGone: (reply: PostReply) => void) {
    this.#response = response
    response.once('close', () => {
      if (this.#isOver) return
      this.#isOver = true
      onGone(this)
    })
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** A notification, or a question of the server, that belongs to the request. */
  send(message: RpcMessage, body: Uint8Array): void {
    if (this.#isOver) return
    this.#stream ??= new EventStream(this.#response)
    this.#stream.send(message, body)
  }

  finish(message: RpcMessage, body: Uint8Array, status = 200, headers: Readonly<Record<string, string>> = {}): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#stream) {
      this.#stream.send(message, body)
      return this.#stream.end()
    }
    this.#response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length, ...headers }).end(body)
  }
}

/** A refusal at the level of HTTP, in the form that MCP clients know. */
export function refuse(response: ServerResponse, status: number, error: JsonObject, headers: Readonly<Record<string, string>> = {}): void {
  const body = JSON.stringify(error)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers }).end(body)
}
