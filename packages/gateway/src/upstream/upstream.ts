/** A connection to one MCP server, for one session. Messages are raw JSON-RPC, UTF-8 without a line break, unread by the transport. */
export interface Upstream {
  /** @returns false when the server is gone or does not read: the caller refuses instead of queueing without bound. */
  send(message: string): boolean
  /** Ends it kindly, then not. Resolves when it is gone; may be called again. */
  close(): Promise<void>
}

export interface UpstreamEvents {
  onMessage(message: Buffer): void
  /** Exactly once, whoever ended it. `reason` has no word of the server's own. */
  onClosed(reason: string): void
}

/** How one configured server is reached. The command comes from the gateway's own file, never from the wire. */
export interface ServerCommand {
  command: string
  args: readonly string[]
  cwd?: string | undefined
  /** The whole environment of the child. */
  environment: Readonly<Record<string, string>>
}

/** Opens a connection to a server; each transport implements it, and `upstream.conformance.ts` runs against all of them. */
export type OpenUpstream = (server: ServerCommand, events: UpstreamEvents) => Upstream
