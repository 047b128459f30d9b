import { isActorLive } from '../auth/find-actor.ts'
import type { Ledger } from '../authority/ledger.ts'
import type { Bus, BusEvent, EventKind } from '../bus.ts'
import type { Actor } from '../context.ts'
import type { Sink } from './sse.ts'
import { createSink, encodeEvent, PING, SSE_HEADERS } from './sse.ts'

/** What each role receives. `session` stays inside. */
const RECEIVES: Record<Actor['role'], ReadonlySet<EventKind>> = {
  agent: new Set<EventKind>(['log', 'revocation']),
  gateway: new Set<EventKind>(['log', 'revocation', 'decision']),
  // not `receipt`: it counts everybody's calls, and people read those of their own agents
  person: new Set<EventKind>([
    'log',
    'revocation',
    'enrolment',
    'request',
    'approval',
    'draft',
    'presence',
    'ack',
    'grant',
    'tools',
    'label',
  ]),
  admin: new Set<EventKind>([
    'log',
    'revocation',
    'enrolment',
    'approval',
    'request',
    'receipt',
    'presence',
    'ack',
    'grant',
    'tools',
    'label',
    'draft',
  ]),
}
/** Whether an event is for this actor: its kind, and, when it names somebody, one of those or an administrator. */
export const isFor = (actor: Actor, { org, kind, to }: BusEvent): boolean =>
  org === actor.org &&
  RECEIVES[actor.role].has(kind) &&
  (to === undefined || to.split(' ').includes(actor.atsign) || actor.role === 'admin')

export interface SealedAsk {
  readonly id: string
  readonly sealed: string
}
/** One open event stream of this process. */
interface Stream {
  readonly actor: Actor
  readonly sink: Sink
  /** Unix seconds: a person's session ends then. */
  readonly until: number | undefined
  /** Bus events up to here were sent or are older than the stream. */
  sent: number
  /** While the backlog is read, live events wait. */
  held: BusEvent[] | undefined
}

export const PING_MS = 15_000
const MAX_STREAMS_PER_KEY = 4

export interface Streams extends AsyncDisposable {
  /** @param lastEventId what the reader saw last, to resume after it */
  open(actor: Actor, until: number | undefined, lastEventId: number | undefined, signal: AbortSignal): Response
  /** Hands an ask to the gateway's newest stream here; without an ask, says only whether there is one. */
  offer(org: string, gateway: string, ask: SealedAsk | undefined): boolean
  /** atSigns with a stream here. */
  attached(org: string): readonly string[]
  onAttach(listener: (actor: Actor, isAttached: boolean) => void): void
}
interface Deps {
  readonly bus: Bus
  readonly ledger: Ledger
  now(): number
  onError(error: unknown): void
}

export function createStreams({ bus, ledger, now, onError }: Deps): Streams {
  const streams = new Set<Stream>()
  /** The same streams, in the order they came, by whose they are. */
  const byName = new Map<string, Set<Stream>>()
  const listeners = new Set<(actor: Actor, isAttached: boolean) => void>()
  const nameOf = ({ org, atsign }: Pick<Actor, 'org'> & { atsign: string }) => `${org} ${atsign}`
  const add = (stream: Stream) => {
    streams.add(stream)
    const name = nameOf(stream.actor)
    byName.set(name, (byName.get(name) ?? new Set()).add(stream))
  }
  const remove = (stream: Stream) => {
    streams.delete(stream)
    const others = byName.get(nameOf(stream.actor))
    others?.delete(stream)
    if (others?.size === 0) byName.delete(nameOf(stream.actor))
  }

  const send = (stream: Stream, event: BusEvent) => {
    if (event.id <= stream.sent) return
    stream.sent = event.id
    if (isFor(stream.actor, event)) stream.sink.write(encodeEvent(event.kind, event.data, event.id))
  }
  const endDead = () => {
    for (const { actor, until, sink } of streams) {
      if (!isActorLive(ledger, actor, now()) || (until !== undefined && until <= now())) sink.close()
    }
  }
  const onEvent = (event: BusEvent) => {
    for (const stream of streams) {
      if (stream.held) stream.held.push(event)
      else send(stream, event)
      if (event.kind === 'session' && event.data.kid === stream.actor.kid) stream.sink.close()
    }
  }
  const start = async (stream: Stream, lastEventId: number | undefined) => {
    const missed = lastEventId === undefined ? undefined : await bus.since(stream.actor.org, lastEventId)
    const head = ledger.head()
    const ready = { head, revocations: ledger.revocationCount(), resumed: missed !== undefined }
    stream.sink.write(encodeEvent('ready', ready, missed ? lastEventId : stream.sent))
    if (missed) stream.sent = lastEventId!
    for (const event of missed ?? []) send(stream, event)
    for (const event of stream.held ?? []) send(stream, event)
    stream.held = undefined
    for (const listener of listeners) listener(stream.actor, true)
  }
  const stops = [bus.subscribe(onEvent), ledger.onChange(endDead)]
  const timer = setInterval(() => {
    endDead()
    for (const { sink } of streams) sink.write(PING)
  }, PING_MS)
  timer.unref()

  return {
    open(actor, until, lastEventId, signal) {
      const { sink, body } = createSink(() => {
        remove(stream)
        for (const listener of listeners) listener(actor, byName.has(nameOf(actor)))
      })
      const stream: Stream = { actor, sink, until, sent: bus.last, held: [] }
      const own = [...(byName.get(nameOf(actor)) ?? [])].filter((other) => other.actor.kid === actor.kid)
      for (const oldest of own.slice(0, Math.max(0, own.length - MAX_STREAMS_PER_KEY + 1))) oldest.sink.close()
      add(stream)
      signal.addEventListener('abort', () => sink.close(), { once: true })
      start(stream, lastEventId).catch((error) => {
        onError(error)
        sink.close()
      })
      return new Response(body, { headers: SSE_HEADERS })
    },
    offer(org, gateway, ask) {
      const found = [...(byName.get(nameOf({ org, atsign: gateway })) ?? [])].at(-1)
      if (!found || !ask) return found !== undefined
      return found.sink.write(encodeEvent('ask', ask))
    },
    attached: (org) => [...byName.keys()].filter((name) => name.startsWith(`${org} `)).map((name) => name.slice(org.length + 1)),
    onAttach: (listener) => void listeners.add(listener),
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      for (const stop of stops) stop()
      for (const { sink } of [...streams]) sink.close()
    },
  }
}
