import { arch, hostname, platform, release } from 'node:os'
import type { ControlClient } from '@postern/core'
import { createControlClient, encodeBase64url } from '@postern/core'
import type { Agent } from '../agent/agent.ts'
import type { AgentAuthority } from '../agent/authority.ts'
import type { ConnectorDeps } from '../deps.ts'
import type { Asked, JoinOrder } from './asked.ts'
import { endAsked, readOrAsk } from './asked.ts'

/** How it stands with an agent that is not enrolled yet. Everything but the words is the control plane's word. */
export type JoinStatus =
  | { readonly kind: 'waiting'; readonly words: readonly string[] }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'expired' }
  /** The code of the join string was used by somebody else, or its time is over. */
  | { readonly kind: 'spent' }
  | { readonly kind: 'unreachable'; readonly why: string }

export interface JoinerParts {
  readonly agent: Agent
  readonly authority: AgentAuthority
  readonly order: JoinOrder
  readonly deps: ConnectorDeps
  readonly version: string
  /** What the MCP client calls itself, once it has; it is shown to those who approve. */
  readonly clientName: () => Promise<string | undefined>
  readonly onStatus: (status: JoinStatus) => void
  readonly signal: AbortSignal
}

const longPollSeconds = 25
const retryMs = 3_000
/** Nothing comes of the request any more; an administrator may still enrol the keys in another way. */
const restMs = 30_000

/** Asks to be let in, and resolves when our own verified log says that we are; never, when it is stopped before. */
export async function untilEnrolled(parts: JoinerParts): Promise<void> {
  const { authority, signal, onStatus } = parts
  const client = createControlClient(parts.order.join.control, undefined, parts.deps)
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    if (!authority.isEnrolled) await authority.refresh()
    if (authority.isEnrolled) return
    const status = await step(parts, client, isFirst ? 0 : longPollSeconds).catch(unreachable)
    if (status) onStatus(status)
    if (!isFirst || status?.kind !== 'waiting') await pause(parts, status?.kind === 'waiting' ? 0 : status ? pauseOf(status) : 200)
  }
  await new Promise<never>(() => {})
}

const unreachable = (error: unknown): JoinStatus => ({ kind: 'unreachable', why: (error as Error).message })
const pauseOf = ({ kind }: JoinStatus): number => (kind === 'unreachable' ? retryMs : restMs)

function pause({ deps, signal }: JoinerParts, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = deps.after(ms, resolve)
    signal.addEventListener('abort', () => {
      timer[Symbol.dispose]()
      resolve()
    })
  })
}

/** @returns undefined: it is approved, says the control plane; our log decides */
async function step(parts: JoinerParts, client: ControlClient, waitSeconds: number): Promise<JoinStatus | undefined> {
  const asked = await readOrAsk(parts.agent, parts.order, parts.deps)
  if (asked.isOver) return { kind: 'spent' }
  const found = (await follow(parts, client, asked, waitSeconds)) ?? (await post(parts, client, asked))
  if (found.status === 'enrolled') return undefined
  if (found.status === 'pending') return { kind: 'waiting', words: asked.words }
  await endAsked(parts.agent, asked)
  if (found.status === 'refused') return { kind: 'refused', reason: found.reason ?? 'no reason given' }
  return { kind: found.status }
}

interface Followed {
  readonly status: 'pending' | 'enrolled' | 'refused' | 'expired' | 'spent'
  readonly reason?: string
}

/** By the hash of the request, which only those know who have it: so nothing is lost when a start ends before it hears its answer. */
async function follow({ deps, signal }: JoinerParts, client: ControlClient, { request }: Asked, waitSeconds: number) {
  const id = encodeBase64url(deps.suite.sha256(request))
  try {
    return await client.call<Followed>(`/api/v1/enrolments/${id}?wait=${waitSeconds}`, { timeoutMs: 40_000, signal })
  } catch (error) {
    if ((error as { status?: number }).status === 404) return undefined
    throw error
  }
}

async function post(parts: JoinerParts, client: ControlClient, asked: Asked): Promise<Followed> {
  const { join, request, proofs } = asked
  const name = await parts.clientName()
  const machine = { host: hostname(), os: `${platform()} ${release()} ${arch()}`, version: parts.version }
  const facts = { ...machine, ...(name === undefined ? {} : { client: name.slice(0, 128) }) }
  try {
    await client.call('/api/v1/enrolments', { json: { code: join.code, request: encodeBase64url(request), proofs, facts } })
    return { status: 'pending' }
  } catch (error) {
    const { code } = error as { code?: string }
    if (code !== 'BAD_CODE' && code !== 'REPLAYED') throw error
    return (await follow(parts, client, asked, 0)) ?? { status: 'spent' } // another process of ours may have been faster
  }
}
