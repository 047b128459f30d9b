import type { JsonObject, RequestId, RpcNotification, RpcRequest, RpcResponse } from '@postern/core'
import { utf8 } from '@postern/core'

/**
 * How a client of the legacy era began its session. When the session has to be opened anew, the server may be another process, which
 * would answer nothing before it was greeted; so the greeting is said again in the client's place, and its answers go nowhere. A server
 * that was kept running hears it twice, which it may refuse: that changes nothing.
 */
export class Greeting {
  #initialize: JsonObject | undefined
  #isAccepted = false
  #initialized: Uint8Array | undefined
  #level: JsonObject | undefined
  /** Ids of what was said in the client's place. */
  readonly #own = new Set<RequestId>()
  readonly #newId: () => string

  constructor(newId: () => string) {
    this.#newId = newId
  }

  /** The client believes that its session goes on. */
  get isOver(): boolean {
    return this.#isAccepted && this.#initialized !== undefined
  }

  /** The server has answered a request of the client. */
  noteAnswer({ method, json }: RpcRequest, { result }: RpcResponse): void {
    if (!result) return
    if (method === 'logging/setLevel') this.#level = json
    if (method !== 'initialize') return
    this.#initialize = json
    this.#isAccepted = true
  }

  /** @returns true when it need not be kept for later, since it is part of what is said again. */
  noteNotification({ method }: RpcNotification, body: Uint8Array): boolean {
    if (method !== 'notifications/initialized') return false
    this.#initialized = body
    return this.#isAccepted
  }

  /** What is to be said first on a new connection; undefined: nothing. */
  first(): Uint8Array | undefined {
    this.#own.clear()
    return this.#isAccepted && this.#initialize ? this.#inPlace(this.#initialize) : undefined
  }

  /** What follows once that is answered. */
  rest(): Uint8Array[] {
    return [...(this.#initialized ? [this.#initialized] : []), ...(this.#level ? [this.#inPlace(this.#level)] : [])]
  }

  /** Whether this answers something that was said in the client's place. */
  takes({ id }: RpcResponse): boolean {
    return this.#own.delete(id)
  }

  #inPlace(json: JsonObject): Uint8Array {
    const id = this.#newId()
    this.#own.add(id)
    return utf8(JSON.stringify({ ...json, id }))
  }
}
