import type { RpcMessage } from '@postern/core'

/** The client's side of a session. `body` is the message's own bytes, with the client's own id in it. */
export interface ClientEnd {
  deliver(message: RpcMessage, body: Uint8Array): void
}

/** A session as the local endpoint sees it. Every request that is given to it is answered, if only with why not. */
export interface ClientSession {
  /** One message of the client, parsed, and as it came. */
  receive(message: RpcMessage, body: Uint8Array): void
  /** Resolves when nothing is open any more. */
  drained(): Promise<void>
  close(): void
}

export interface SessionOpener {
  openSession(client: ClientEnd): ClientSession
}
