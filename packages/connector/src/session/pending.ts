import type { RequestId, RpcRequest, ToolCall } from '@postern/core'
import type { HeldGrant } from '../grants/grants.ts'
import type { AgentChannel } from '../link/channel.ts'

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
