import type { AtSign, HeldCall, RequestId } from '@postern/core'
import type { ApprovedBy, Asked, No } from '../authorise/candidate.ts'
import { no } from '../authorise/candidate.ts'
import type { KnownCall } from '../authorise/world.ts'
import type { McpSession } from '../session/mcp-session.ts'

/** What became of a held call. `quiet`: its client has said that it waits no more, and gets no answer. */
export type Ending =
  | { readonly kind: 'approved'; readonly approval: ApprovedBy }
  | { readonly kind: 'refused'; readonly approval: ApprovedBy; readonly no: No }
  | { readonly kind: 'timed_out'; readonly no: No }
  | { readonly kind: 'ended'; readonly no: No; readonly quiet?: true }

/** A call that waits for a person. */
export interface Held {
  readonly id: string
  readonly asked: Asked
  /** What a decision has to be about. */
  readonly about: HeldCall
  readonly session: McpSession
  readonly rpcId: RequestId
  /** Of the message that waits, so that many large ones are seen. */
  readonly bytes: number
  /** Unix seconds. */
  readonly since: number
  /** The client's, when it wants to hear that something goes on. */
  readonly progressToken: RequestId | undefined
  readonly ending: Promise<Ending>
  /** Decisions that did not count: whoever sends them without end is not listened to. */
  misses: number
  /** Unix seconds: when the client is to hear again that it waits. */
  nextProgress: number
  /** Called at once, before anything else learns of it: the channel of an agent that is stopped ends in the same turn. */
  onEnd: ((ending: Ending) => void) | undefined
}

export interface HeldLimits {
  /** Calls that wait for a person, of one agent and in all, and their bytes. */
  readonly maxPerAgent: number
  readonly max: number
  readonly maxBytes: number
}

/** How long what became of a held call is kept for a retry of it, in seconds; and of how many. */
const keptSeconds = 900
const maxKept = 4_096

interface Kept extends KnownCall {
  readonly ending: Promise<Ending>
  /** Unix seconds; infinite while it is held. */
  until: number
  /** While it is held. */
  held: Held | undefined
}

/**
 * The calls of this run that wait for a person, in memory only: a restart ends them all. Each ends once, and whoever takes an ending first
 * decides which. The same call again (by its id) joins the one that is held, or gets what became of it.
 */
export class HeldCalls {
  readonly #limits: HeldLimits
  readonly #open = new Map<string, { readonly held: Held; readonly kept: Kept; resolve(ending: Ending): void }>()
  readonly #kept = new Map<string, Kept>()

  constructor(limits: HeldLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#open.size
  }

  all(): readonly Held[] {
    return [...this.#open.values()].map(({ held }) => held)
  }

  get(id: string): Held | undefined {
    return this.#open.get(id)?.held
  }

  /** What is known of a call of this id: held now, or held a while ago. */
  find(agent: AtSign, callId: string): Kept | undefined {
    return this.#kept.get(keyOf(agent, callId))
  }

  /** Whether there is room for one more. */
  refusal(agent: AtSign, bytes: number): No | undefined {
    const open = this.all()
    const { maxPerAgent, max, maxBytes } = this.#limits
    if (open.filter(({ asked }) => asked.about.agent === agent).length >= maxPerAgent)
      return no('BUSY', 'too many calls of this agent wait for a person')
    const total = open.reduce((sum, held) => sum + held.bytes, bytes)
    return open.length >= max || total > maxBytes ? no('BUSY', 'too many calls wait for a person') : undefined
  }

  add(parts: Omit<Held, 'ending' | 'misses' | 'nextProgress' | 'onEnd'>): Held {
    const { promise: ending, resolve } = Promise.withResolvers<Ending>()
    const held: Held = { ...parts, ending, misses: 0, nextProgress: parts.since, onEnd: undefined }
    const { permit, about } = held.asked
    const { a, id, server, tool } = permit.call
    const kept: Kept = { server, tool, a, salt: permit.salt, ending, until: Number.POSITIVE_INFINITY, held }
    this.#open.set(held.id, { held, kept, resolve })
    this.#kept.set(keyOf(about.agent, id), kept)
    return held
  }

  /** @returns whether this was what ended it. @param now Unix seconds. */
  end(held: Held, ending: Ending, now: number): boolean {
    const open = this.#open.get(held.id)
    if (!open) return false
    this.#open.delete(held.id)
    open.kept.until = now + keptSeconds
    open.kept.held = undefined
    held.onEnd?.(ending)
    open.resolve(ending)
    return true
  }

  /** Forgets endings that nobody asks for any more. */
  sweep(now: number): void {
    for (const [key, { until }] of this.#kept) {
      if (until > now && (this.#kept.size <= maxKept || until === Number.POSITIVE_INFINITY)) continue
      this.#kept.delete(key)
    }
  }
}

const keyOf = (agent: string, id: string) => `${agent} ${id}`
