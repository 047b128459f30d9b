import type { ChannelMessage, Refusal } from '@postern/core'
import type { Agent } from './agent/agent.ts'
import type { AgentAuthority } from './agent/authority.ts'
import type { ConnectorDeps } from './deps.ts'
import type { Events } from './events.ts'
import type { Grants } from './grants/grants.ts'
import { createGrants } from './grants/grants.ts'
import type { AgentChannel } from './link/channel.ts'
import type { LineListener } from './link/line.ts'
import { Line } from './link/line.ts'
import type { RelayBook } from './link/relays.ts'
import type { Calls } from './session/calls.ts'
import { createCalls } from './session/calls.ts'
import type { ClientEnd, SessionOpener } from './session/client-session.ts'
import { McpSession } from './session/session.ts'

export interface ConnectionParts {
  readonly server: string
  readonly agent: Agent
  readonly authority: AgentAuthority
  readonly relays: RelayBook
  readonly deps: ConnectorDeps
  readonly events: Events
  readonly waitMs: number
  readonly approvalWaitMs: number
  /** Instead of grants that are asked for. */
  readonly given: Grants | undefined
}

/** Everything between the local endpoint and the gateway of one server: the line, the grants, and the sessions that use them. */
export class Connection implements LineListener, SessionOpener {
  readonly #parts: ConnectionParts
  readonly #sessions = new Set<McpSession>()
  readonly #grants: Grants
  readonly #calls: Calls
  readonly #line: Line

  constructor(parts: ConnectionParts) {
    this.#parts = parts
    const { resolve } = parts.authority
    this.#grants = parts.given ?? createGrants({ ...parts, resolve })
    this.#calls = createCalls({ ...parts, resolve })
    this.#line = new Line(parts, this)
  }

  open(): void {
    this.#line.open()
  }

  /** A client has come. */
  openSession(client: ClientEnd): McpSession {
    const { server, deps, events, waitMs, approvalWaitMs } = this.#parts
    const onClosed = (session: McpSession) => this.#sessions.delete(session)
    const parts = {
      server,
      deps,
      events,
      waitMs,
      approvalWaitMs,
      client,
      onClosed,
      line: this.#line,
      grants: this.#grants,
      calls: this.#calls,
    }
    const session = new McpSession(parts)
    this.#sessions.add(session)
    return session
  }

  get gateway(): string | undefined {
    return this.#line.channel?.gateway
  }

  get trouble(): Refusal | undefined {
    return this.#line.trouble
  }

  get sessionCount(): number {
    return this.#sessions.size
  }

  get pendingCount(): number {
    return [...this.#sessions].reduce((sum, { pendingCount }) => sum + pendingCount, 0)
  }

  async close(): Promise<void> {
    for (const session of [...this.#sessions]) session.close()
    await this.#line.close()
  }

  onReady(): void {
    for (const session of [...this.#sessions]) session.onReady()
  }

  onEnd(channel: AgentChannel): void {
    this.#grants.onChannelEnd(channel)
    for (const session of [...this.#sessions]) session.onChannelEnd(channel)
  }

  onTrouble(found: Refusal, isFinal: boolean): void {
    for (const session of [...this.#sessions]) session.onTrouble(found, isFinal)
  }

  isBusy(channel: AgentChannel): boolean {
    return [...this.#sessions].some((session) => session.isBusyOn(channel))
  }

  onMessage(channel: AgentChannel, message: ChannelMessage): void {
    const { type, header, body } = message
    if (type === 'GRANT') return this.#grants.onGrant(header, body)
    if (type === 'REFUSED' && header.rid !== undefined) {
      const { rid, code, message: why, fix } = header
      return this.#grants.onGrant({ rid, error: { code, message: why, ...(fix === undefined ? {} : { fix }) } }, body)
    }
    if (!('sid' in header) || header.sid === undefined) return
    const session = channel.users.get(header.sid)
    if (!session) return
    if (type === 'RESULT') session.onResult(header, body, channel)
    else if (type === 'MESSAGE') session.onMessage(body)
    else if (type === 'REFUSED') session.onRefused(header, body)
    else if (type === 'HELD') session.onHeld(header)
    else if (type === 'OPENED') session.onOpened(header)
    else if (type === 'CLOSE') session.onClose(header)
  }
}
