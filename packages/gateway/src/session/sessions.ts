import type { AtSign, Beyond, RefusalCode, Suite } from '@postern/core'

import type { Environment, Log } from '@postern/daemon'
import type { AuthorityView } from '../authority/view.ts'
import type { GatewayFile } from '../config.ts'
import { childEnvironment } from '../config.ts'
import type { Channel } from '../link/channel.ts'
import type { OpenUpstream } from '../upstream/upstream.ts'
import { McpSession } from './mcp-session.ts'
import type { Offered } from './tool-lister.ts'

/** A session whose client is away lives this long, so that it can come back over a new channel. */
const awayMs = 5 * 60_000
/** Lists may be kept by clients for as long as a grant usually lives. */
const listTtlMs = 60_000
const drainStepMs = 20

export interface SessionsParts {
  readonly view: AuthorityView
  readonly config: () => Pick<GatewayFile, 'servers' | 'limits'>
  readonly environment: Environment
  readonly open: OpenUpstream
  readonly suite: Suite
  readonly log: Log
  readonly onCancelled: (session: McpSession, id: unknown) => void
  /** Nobody finds this session any more. */
  readonly onGone: (session: McpSession) => void
  /** Unix seconds. */
  readonly now: () => number
  /** Milliseconds. */
  readonly monotonic: () => number
}

export type Opened = { readonly session: McpSession } | { readonly refused: RefusalCode; readonly why?: string }

/** All sessions of this gateway: one child process per agent and session, within bounds. */
export class Sessions {
  readonly #parts: SessionsParts
  readonly #sessions = new Map<string, McpSession>()
  readonly #closing = new Set<McpSession>()

  constructor(parts: SessionsParts) {
    this.#parts = parts
  }

  get count(): number {
    return this.#sessions.size
  }

  /** Calls that servers are working on. */
  get running(): number {
    return [...this.#sessions.values()].reduce((sum, session) => sum + session.running, 0)
  }

  get(agent: AtSign, sid: string): McpSession | undefined {
    return this.#sessions.get(keyOf(agent, sid))
  }

  /** Opens a session for a client, or gives it the one it had over an earlier channel. */
  open(channel: Channel, sid: string, server: string): Opened {
    const known = this.get(channel.agent, sid)
    if (known)
      return known.server === server
        ? this.#resume(known, channel)
        : { refused: 'MESSAGE_MALFORMED', why: 'the session is open on another server' }
    const refused = this.#refusal(channel.agent, server) ?? this.#makeRoom(channel.agent)
    if (refused) return refused
    const session = this.#start(channel, sid, server)
    this.#sessions.set(keyOf(channel.agent, sid), session)
    return { session }
  }

  /** Its client has done with it. */
  close(agent: AtSign, sid: string): void {
    const session = this.get(agent, sid)
    if (!session) return
    session.channel = undefined
    this.#end(session, 'closed')
  }

  /** Its client has gone, perhaps to come back. */
  leave(channel: Channel): void {
    for (const session of this.#sessions.values()) {
      if (session.channel !== channel) continue
      session.channel = undefined
      session.lastUsedMs = this.#parts.monotonic()
    }
  }

  isBusy(channel: Channel): boolean {
    return [...this.#sessions.values()].some((session) => session.channel === channel && session.isBusy)
  }

  /** Ends what its agent may not have any more, what nobody came back to, and calls that took too long. */
  sweep(): void {
    const now = this.#parts.monotonic()
    for (const session of this.#sessions.values()) {
      session.sweep()
      const isAway = !session.channel && !session.isBusy && now - session.lastUsedMs > awayMs
      if (isAway || !this.#parts.view.agent(session.agent, this.#parts.now())) this.#end(session, 'its agent is gone')
    }
  }

  /** The agents that are not live any more lose their servers now. Call after each change of authority. */
  closeInadmissible(): void {
    for (const session of this.#sessions.values()) {
      if (!this.#parts.view.agent(session.agent, this.#parts.now())) this.#end(session, 'its agent is gone')
    }
  }

  /** Waits until no call runs, but not for ever. */
  async drain(ms: number): Promise<void> {
    for (let waited = 0; waited < ms && [...this.#sessions.values()].some((session) => session.isBusy); waited += drainStepMs) {
      await new Promise((resolve) => setTimeout(resolve, drainStepMs))
    }
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#sessions.values(), ...this.#closing].map((session) => session.close()))
  }

  #resume(session: McpSession, channel: Channel): Opened {
    session.channel = channel
    session.lastUsedMs = this.#parts.monotonic()
    return { session }
  }

  /** Default deny: nothing is started for an agent that no rule lets call anything on this server. */
  #refusal(atsign: AtSign, server: string): Opened | undefined {
    const { view, config, now } = this.#parts
    if (!Object.hasOwn(config().servers, server)) return { refused: 'SERVER_UNKNOWN' }
    const agent = view.agent(atsign, now())
    if (!agent) return { refused: 'REVOKED' }
    const trouble = view.trouble('read', now())
    if (trouble) return { refused: trouble.code, ...(trouble.why === undefined ? {} : { why: trouble.why }) }
    if (!view.fronts(server)) return { refused: 'TOOL_NOT_PINNED', why: 'no tool of this server has been pinned' }
    if (!view.policy) return { refused: 'NO_POLICY' }
    if (!view.pinnedTools(server).some((tool) => view.mayEverCall(agent, server, tool))) return { refused: 'POLICY_DENIED' }
    return undefined
  }

  /** The agent's own oldest idle session goes first; then the oldest idle one of anybody. */
  #makeRoom(agent: AtSign): Opened | undefined {
    const { limits } = this.#parts.config()
    const own = [...this.#sessions.values()].filter((session) => session.agent === agent)
    if (own.length >= limits.sessions_per_agent && !this.#evict(own))
      return { refused: 'BUSY', why: 'too many sessions of this agent are busy' }
    if (this.#sessions.size >= limits.children && !this.#evict([...this.#sessions.values()])) return { refused: 'BUSY' }
    return undefined
  }

  #evict(candidates: readonly McpSession[]): boolean {
    const idle = candidates.filter((session) => !session.isBusy).sort((a, b) => a.lastUsedMs - b.lastUsedMs)[0]
    if (!idle) return false
    this.#end(idle, 'another session took its place')
    return true
  }

  #start(channel: Channel, sid: string, server: string): McpSession {
    const { view, config, environment, open, suite, log, monotonic, now, onCancelled } = this.#parts
    const { servers, limits } = config()
    const entry = servers[server]!
    const command = { command: entry.command, args: entry.args, cwd: entry.cwd, environment: childEnvironment(entry, environment) }
    const parts = {
      ...{ id: sid, agent: channel.agent, server, command, open, suite, listTtlMs, onCancelled, now: monotonic },
      log: log.child({ server, agent: channel.agent }),
      maxCalls: limits.calls_in_flight,
      callMs: limits.call_seconds * 1000,
      permits: (wanted: Beyond) => view.mayUse(channel.agent, server, wanted, now()),
      isVisible: ({ name }: { name: string }, digest: string) => {
        const agent = view.agent(channel.agent, now())
        return agent !== undefined && view.pin(server, name)?.digest === digest && view.mayEverCall(agent, server, name)
      },
      onOffered: (offered: Offered) => this.#compare(server, offered),
      onEnd: (session: McpSession, reason: string) => this.#forget(session, reason),
    }
    return new McpSession(parts, channel)
  }

  /** Whoever looks after the tools has to hear of a change before a user does. */
  #compare(server: string, offered: Offered): void {
    const changed = this.#parts.view.pinnedTools(server).filter((tool) => {
      const digest = offered.get(tool)
      return digest !== undefined && digest !== this.#parts.view.pin(server, tool)?.digest
    })
    if (changed.length > 0)
      this.#parts.log.warn({ code: 'TOOL_CHANGED', server, tools: changed.length }, 'ALARM: a server describes pinned tools differently')
  }

  /** Nobody finds it any more, however long its server takes to go. */
  #end(session: McpSession, reason: string): void {
    this.#forget(session, reason)
    this.#closing.add(session)
    void session.close().finally(() => this.#closing.delete(session))
  }

  #forget(session: McpSession, reason: string): void {
    const key = keyOf(session.agent, session.id)
    if (this.#sessions.get(key) !== session) return
    this.#sessions.delete(key)
    this.#parts.onGone(session)
    session.channel?.send('CLOSE', { sid: session.id, reason: reason.slice(0, 200) })
    session.channel = undefined
  }
}

const keyOf = (agent: AtSign, sid: string) => `${agent} ${sid}`
