import type { Ask, AtSign, Grant, KeyResolver, MessageHeader } from '@postern/core'
import { encodeBase64url, signAsk, tokenHash, utf8, VerifyError, verifyGrant } from '@postern/core'
import { unixSeconds } from '@postern/daemon'
import type { Agent } from '../agent/agent.ts'
import type { ConnectorDeps } from '../deps.ts'
import type { Events } from '../events.ts'
import type { AgentChannel } from '../link/channel.ts'
import { ChannelLost, InTrouble, trouble } from '../trouble.ts'

/** A grant in use. Its counter is taken once per call, in the order in which calls are sent. */
export interface HeldGrant {
  readonly token: string
  /** Token hash, `gth` of calls under it. */
  readonly hash: string
  readonly grant: Grant
  /** Monotonic milliseconds, from when it came: the gateway's clock and ours need not agree. */
  readonly untilMs: number
  readonly renewAtMs: number
  /** Calls signed under it. */
  used: number
}

/** The grants of one server. */
export interface Grants {
  /** One that can be used now, without waiting. Renews it in the background when its time is nearly over. */
  held(tool: string, channel: AgentChannel): HeldGrant | undefined
  /**
   * Asks the gateway, once however many wait.
   * @throws {InTrouble} when it refuses or does not answer. {ChannelLost}
   */
  obtain(tool: string, channel: AgentChannel): Promise<HeldGrant>
  /** The gateway does not take it any more. @returns false when another one could not be had */
  drop(held: HeldGrant): boolean
  onGrant(header: MessageHeader<'GRANT'>, body: Uint8Array): void
  /** Asks on that channel will not be answered. */
  onChannelEnd(channel: AgentChannel): void
}

export interface GrantsParts {
  readonly server: string
  readonly agent: Agent
  readonly resolve: KeyResolver
  readonly deps: ConnectorDeps
  readonly events: Events
}

const answerMs = 10_000
const askSeconds = 60
/** Calls on their way when a grant ends are refused, so it is given up a little earlier. */
const marginMs = 2_000

interface Asked {
  readonly tool: string
  readonly channel: AgentChannel
  readonly promise: Promise<HeldGrant>
  resolve(grant: HeldGrant): void
  reject(error: Error): void
}

export function createGrants(parts: GrantsParts): Grants {
  return new AskedGrants(parts)
}

class AskedGrants implements Grants {
  readonly #parts: GrantsParts
  readonly #held = new Map<string, HeldGrant>()
  /** By request id, and by tool. */
  readonly #asked = new Map<string, Asked>()
  readonly #asking = new Map<string, Asked>()

  constructor(parts: GrantsParts) {
    this.#parts = parts
  }

  held(tool: string, channel: AgentChannel): HeldGrant | undefined {
    const held = this.#held.get(tool)
    if (!held) return undefined
    const now = this.#parts.deps.clock.monotonic()
    const isUsedUp = held.grant.max !== undefined && held.used >= held.grant.max
    if (now >= held.untilMs || isUsedUp || held.grant.epoch !== channel.epoch) {
      this.#held.delete(tool)
      return undefined
    }
    if (now >= held.renewAtMs && !this.#asking.has(tool)) this.obtain(tool, channel).catch(() => {}) // asked again when it is over
    return held
  }

  obtain(tool: string, channel: AgentChannel): Promise<HeldGrant> {
    const asking = this.#asking.get(tool)
    if (asking) return asking.promise
    const { deps } = this.#parts
    const rid = encodeBase64url(deps.random(12))
    const { promise, resolve, reject } = Promise.withResolvers<HeldGrant>()
    const asked: Asked = { tool, channel, promise, resolve, reject }
    this.#asked.set(rid, asked)
    this.#asking.set(tool, asked)
    const timer = deps.after(answerMs, () => reject(new InTrouble(trouble('GATEWAY_UNREACHABLE', 'no answer to the request for a grant'))))
    const settled = () => {
      timer[Symbol.dispose]()
      this.#asked.delete(rid)
      if (this.#asking.get(tool) === asked) this.#asking.delete(tool)
    }
    promise.then(settled, settled)
    this.#ask(rid, asked)
    return promise
  }

  drop(held: HeldGrant): boolean {
    for (const [tool, known] of this.#held) if (known === held) this.#held.delete(tool)
    return true
  }

  onGrant({ rid, error }: MessageHeader<'GRANT'>, body: Uint8Array): void {
    const asked = this.#asked.get(rid)
    if (!asked) return
    if (error) return asked.reject(new InTrouble({ code: error.code, why: error.message, fix: error.fix }))
    try {
      const held = this.#read(Buffer.from(body).toString(), asked)
      this.#held.set(asked.tool, held)
      this.#parts.events.grantGot()
      asked.resolve(held)
    } catch (cause) {
      if (!(cause instanceof VerifyError)) throw cause
      asked.reject(new InTrouble(trouble('GRANT_MALFORMED', `the gateway gave one that does not hold: ${cause.code}`)))
    }
  }

  onChannelEnd(channel: AgentChannel): void {
    for (const asked of [...this.#asked.values()]) if (asked.channel === channel) asked.reject(new ChannelLost())
  }

  #ask(rid: string, { tool, channel, reject }: Asked): void {
    const { agent, server, deps } = this.#parts
    const iat = unixSeconds(deps.clock)
    const { kid, secret } = agent.keys.call
    const ask: Ask = {
      ...{ v: 1, org: agent.org, iss: agent.atsign, kid, aud: channel.gateway, sub: agent.atsign },
      details: [{ type: 'mcp_tool', server, tool, args: [] }],
      ...{ jti: encodeBase64url(deps.random(16)), iat, exp: iat + askSeconds },
    }
    try {
      if (!channel.send('ASK', { rid }, utf8(signAsk(ask, secret.expose(), deps.suite)))) reject(new ChannelLost())
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      reject(new InTrouble(trouble('ASK_MALFORMED', error.message)))
    }
  }

  /** A grant for somebody else, or from somebody else, is no use even if it verifies. */
  #read(token: string, { channel }: Asked): HeldGrant {
    const { deps } = this.#parts
    const grant = readGrant(token, channel.gateway, this.#parts)
    const nowMs = deps.clock.monotonic()
    const lifeMs = (grant.exp - grant.nbf) * 1000
    const usableMs = Math.max(lifeMs - marginMs, lifeMs / 2)
    return { token, hash: tokenHash(token, deps.suite), grant, used: 0, untilMs: nowMs + usableMs, renewAtMs: nowMs + (lifeMs * 2) / 3 }
  }
}

/** @throws {VerifyError} */
export function readGrant(
  token: string,
  gateway: AtSign | undefined,
  { agent, resolve, deps }: Omit<GrantsParts, 'events' | 'server'>,
): Grant {
  const grant = verifyGrant(token, resolve, { org: agent.org, now: unixSeconds(deps.clock), suite: deps.suite })
  if (grant.sub !== agent.atsign || grant.cnf.jkt !== agent.keys.call.kid)
    throw new VerifyError('WRONG_AUDIENCE', 'a grant for somebody else')
  if (gateway !== undefined && grant.iss !== gateway) throw new VerifyError('WRONG_AUDIENCE', `a grant of ${grant.iss}, not of ${gateway}`)
  return grant
}
