import type { Refusal, RequestId, RpcRequest, ToolCall } from '@postern/core'
import type { HeldGrant } from '../grants/grants.ts'
import type { AgentChannel } from '../link/channel.ts'
import { trouble } from '../trouble.ts'

/** What identifies a tool call however often it is sent: the gateway runs one `id` at most once. */
export interface CallIdentity {
  readonly toolCall: ToolCall
  /** 16 random bytes each, base64url. */
  readonly id: string
  readonly salt: string
  /** Salted digest of the params, which are the same every time. */
  readonly a: string
  /** Token hashes of the calls signed for it: a receipt must name one of them. */
  readonly hashes: Set<string>
}

/** A request of the client that is not answered yet. */
export interface Pending {
  readonly request: RpcRequest
  /** As it came, UTF-8. */
  readonly body: Uint8Array
  /** For tool calls. */
  readonly call: CallIdentity | undefined
  /** Under which id it went out last: the client's own, until it has to be sent again. */
  wireId: RequestId
  /** The channel on which it was sent and may be answered. */
  sentOn: AgentChannel | undefined
  /** Waits for a grant on this channel. */
  askedOn: AgentChannel | undefined
  /** Under which it was signed last. */
  held: HeldGrant | undefined
  wasSent: boolean
  /** It went out, and what became of it was lost. A refusal afterwards says nothing about that first time. */
  mayHaveRun: boolean
  attempts: number
  /** Ends the wait for a channel. */
  timer: Disposable | undefined
}

/** 1 and "1" are two ids. */
export const keyOf = (id: RequestId): string => `${typeof id} ${id}`

export const newPending = (request: RpcRequest, body: Uint8Array, call: CallIdentity | undefined): Pending => ({
  ...{ request, body, call, wireId: request.id, sentOn: undefined, askedOn: undefined, held: undefined },
  ...{ wasSent: false, mayHaveRun: false, attempts: 0, timer: undefined },
})

/** What the client is told: a refusal that comes after a first time with unknown outcome does not undo that. */
export function toldOf({ call, mayHaveRun }: Pending, found: Refusal): Refusal {
  if (!call || !mayHaveRun || found.code === 'OUTCOME_UNKNOWN') return found
  return trouble('OUTCOME_UNKNOWN', `its answer was lost, and asking again gave ${found.code}`)
}

/** The open requests of one session, by the client's ids and by those on the wire. */
export class PendingRequests {
  readonly #open = new Map<string, Pending>()
  /** By their ids on the wire: those that had to be sent again under another one. */
  readonly #renamed = new Map<string, Pending>()

  get size(): number {
    return this.#open.size
  }

  has(id: RequestId): boolean {
    return this.#open.has(keyOf(id))
  }

  add(pending: Pending): void {
    this.#open.set(keyOf(pending.request.id), pending)
  }

  isOpen(pending: Pending): boolean {
    return this.#open.get(keyOf(pending.request.id)) === pending
  }

  /** A copy, so that its members may be forgotten meanwhile. */
  all(): readonly Pending[] {
    return [...this.#open.values()]
  }

  ofClient(id: unknown): Pending | undefined {
    return typeof id === 'string' || typeof id === 'number' ? this.#open.get(keyOf(id)) : undefined
  }

  onWire(id: RequestId): Pending | undefined {
    const key = keyOf(id)
    const own = this.#open.get(key)
    return own && own.wireId === id ? own : this.#renamed.get(key)
  }

  /** For a refusal that does not say of what, when there is only one thing it can be about. */
  onlySent(): Pending | undefined {
    const sent = this.all().filter(({ sentOn }) => sentOn !== undefined)
    return sent.length === 1 ? sent[0] : undefined
  }

  rename(pending: Pending, wireId: string): void {
    this.#renamed.delete(keyOf(pending.wireId))
    pending.wireId = wireId
    this.#renamed.set(keyOf(wireId), pending)
  }

  forget(pending: Pending): void {
    pending.timer?.[Symbol.dispose]()
    pending.timer = undefined
    this.#open.delete(keyOf(pending.request.id))
    if (pending.wireId !== pending.request.id) this.#renamed.delete(keyOf(pending.wireId))
  }
}
