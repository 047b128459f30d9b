import { isActorLive } from '../auth/find-actor.ts'
import type { BusEvent } from '../bus.ts'
import type { Actor, Control } from '../context.ts'
import { isFor, PING_MS } from './streams.ts'

export interface FollowOptions {
  /** Id of the last event that was seen. */
  readonly after?: number | undefined
  /** Unix seconds: a person's session ends then. */
  readonly until?: number | undefined
  readonly signal?: AbortSignal | undefined
}
export type Followed = Pick<BusEvent, 'id' | 'data'> & { readonly kind: BusEvent['kind'] | 'missed' }

/** A reader that leaves more than this unread is cut off, and resumes. */
const MAX_WAITING = 1000

/**
 * Events for one actor, those since `after` first; ends with the actor's right to see them, or when the reader is too slow. Without
 * `after`, or when it is too long ago, `missed` comes first: what was read before the stream began may be old by then.
 */
export async function* followEvents(
  control: Pick<Control, 'bus' | 'ledger' | 'now'>,
  actor: Actor,
  options: FollowOptions,
): AsyncGenerator<Followed> {
  const { bus, ledger, now } = control
  const { after, until, signal } = options
  const waiting: BusEvent[] = []
  let wake = () => {}
  let isSignedOut = false
  const stop = bus.subscribe((event) => {
    if (event.kind === 'session' && event.data.kid === actor.kid) isSignedOut = true
    else if (isFor(actor, event)) waiting.push(event)
    wake()
  })
  const stopWatching = ledger.onChange(() => wake())
  const timer = setInterval(() => wake(), PING_MS)
  const onAbort = () => wake()
  signal?.addEventListener('abort', onAbort)
  const isOver = () =>
    signal?.aborted ||
    isSignedOut ||
    waiting.length > MAX_WAITING ||
    (until !== undefined && until <= now()) ||
    !isActorLive(ledger, actor, now())
  try {
    let last = bus.last
    const since = after === undefined ? undefined : await bus.since(actor.org, after)
    if (!since) yield { id: last, kind: 'missed', data: {} }
    for (const event of since ?? []) {
      last = event.id
      if (isFor(actor, event)) yield event
    }
    while (!isOver()) {
      const event = waiting.shift()
      if (event && event.id > last) yield event
      if (waiting.length > 0 || event) continue
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      await promise
    }
  } finally {
    stop()
    stopWatching()
    clearInterval(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}
