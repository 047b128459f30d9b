import type { MessageHeader, Refusal, RequestId, RpcRequest, ToolCall } from '@postern/core'
import { canonicalText } from '@postern/core'
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

/** What a held call waits for: the gateway's name for it, until when, and whom. */
export type HeldAt = Pick<MessageHeader<'HELD'>, 'id' | 'until' | 'approvers'>

/** A request of the client that is not answered yet. */
export interface Pending {
  /** As it went out, however often. */
  readonly request: RpcRequest
  /** As it came, UTF-8. */
  readonly body: Uint8Array
  /** For tool calls. */
  readonly call: CallIdentity | undefined
  /** Who gets the answer: the request itself, or the same call made again later. Undefined: the client has been told to ask again. */
  asker: RpcRequest | undefined
  /** The gateway has said that it waits for a person. */
  heldAt: HeldAt | undefined
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
  /** Ends the wait for a channel, or that of a client for a person. */
  timer: Disposable | undefined
}

/** 1 and "1" are two ids. */
export const keyOf = (id: RequestId): string => `${typeof id} ${id}`

export const newPending = (request: RpcRequest, body: Uint8Array, call: CallIdentity | undefined): Pending => ({
  ...{ request, body, call, asker: request, heldAt: undefined, wireId: request.id, sentOn: undefined, askedOn: undefined, held: undefined },
  ...{ wasSent: false, mayHaveRun: false, attempts: 0, timer: undefined },
})

/** What the client is told: a refusal that comes after a first time with unknown outcome does not undo that. */
export function toldOf({ call, mayHaveRun }: Pending, found: Refusal): Refusal {
  if (!call || !mayHaveRun || found.code === 'OUTCOME_UNKNOWN' || saysItNeverRan.has(found.code)) return found
  return trouble('OUTCOME_UNKNOWN', `its answer was lost, and asking again gave ${found.code}`)
}

/** What a gateway says of a call id only after it has looked in its journal: that call has not run. */
const saysItNeverRan: ReadonlySet<string> = new Set(['APPROVAL_REFUSED', 'APPROVAL_TIMED_OUT', 'APPROVAL_ENDED'])

/** The open requests of one session, by the client's ids and by those on the wire. */
export class PendingRequests {
  readonly #open = new Map<string, Pending>()
  /** By their ids on the wire: those that went out under another id than the one that waits now. */
  readonly #renamed = new Map<string, Pending>()
  /** Nobody waits for them now; the same call made again does. */
  readonly #parked = new Set<Pending>()

  /** What the gateway has not answered. */
  get size(): number {
    return this.#open.size + this.#parked.size
  }

  /** What may be answered soon: not what a person is asked about. */
  get waiting(): number {
    return [...this.#open.values()].filter(({ heldAt }) => !heldAt).length
  }

  get parked(): number {
    return this.#parked.size
  }

  has(id: RequestId): boolean {
    return this.#open.has(keyOf(id)) || this.#renamed.has(keyOf(id))
  }

  add(pending: Pending): void {
    this.#open.set(keyOf(pending.request.id), pending)
  }

  isOpen(pending: Pending): boolean {
    return this.#parked.has(pending) || (pending.asker !== undefined && this.#open.get(keyOf(pending.asker.id)) === pending)
  }

  /** A copy, so that its members may be forgotten meanwhile. */
  all(): readonly Pending[] {
    return [...this.#open.values(), ...this.#parked]
  }

  ofClient(id: unknown): Pending | undefined {
    return typeof id === 'string' || typeof id === 'number' ? this.#open.get(keyOf(id)) : undefined
  }

  ofCall(id: string): Pending | undefined {
    return this.all().find(({ call }) => call?.id === id)
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

  /** The client is told to ask again; the call goes on to wait under its id on the wire. */
  park(pending: Pending): void {
    if (pending.asker) this.#open.delete(keyOf(pending.asker.id))
    pending.asker = undefined
    this.#renamed.set(keyOf(pending.wireId), pending)
    this.#parked.add(pending)
  }

  /** The same call was made again: it gets the answer. */
  unpark(pending: Pending, asker: RpcRequest): void {
    this.#parked.delete(pending)
    pending.asker = asker
    this.#open.set(keyOf(asker.id), pending)
  }

  /** A call that waits for a person, and is the one that this would be. */
  parkedLike({ toolCall }: CallIdentity): Pending | undefined {
    const same = sameAs(toolCall)
    return [...this.#parked].find(({ call }) => call && sameAs(call.toolCall) === same)
  }

  forget(pending: Pending): void {
    pending.timer?.[Symbol.dispose]()
    pending.timer = undefined
    if (pending.asker) this.#open.delete(keyOf(pending.asker.id))
    this.#parked.delete(pending)
    if (this.#renamed.get(keyOf(pending.wireId)) === pending) this.#renamed.delete(keyOf(pending.wireId))
  }
}

/** What makes two tool calls the same one, made again: everything but `_meta`. */
export const sameAs = ({ name, arguments: args, inputResponses = null, requestState = null }: ToolCall): string =>
  canonicalText([name, args, inputResponses, requestState])
