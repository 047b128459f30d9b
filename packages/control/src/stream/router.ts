import { tracked } from '@trpc/server'
import { z } from 'zod'
import type { BusEvent } from '../bus.ts'
import { actorOf } from '../context.ts'
import { procedure, router } from '../trpc.ts'
import { isFor } from './streams.ts'

/** What the console needs of an event; it then asks for the rest. */
const shown = ({ kind, data }: BusEvent) => ({ kind, data })

export const streamRouter = router({
  /** The same events as `GET /api/v1/stream`; `tracked`, so that a browser resumes by itself. `missed` says: read everything anew. */
  events: procedure('stream:read')
    .input(
      z.strictObject({
        lastEventId: z
          .string()
          .regex(/^\d{1,16}$/)
          .nullish(),
      }),
    )
    .subscription(async function* ({ ctx, input, signal }) {
      const { bus } = ctx.control
      const actor = actorOf(ctx)
      const queue: BusEvent[] = []
      let wake = () => {}
      const stop = bus.subscribe((event) => {
        if (isFor(actor, event)) queue.push(event)
        wake()
      })
      signal?.addEventListener('abort', () => wake(), { once: true })
      try {
        let last = bus.last
        const backlog = input.lastEventId ? await bus.since(actor.org, Number(input.lastEventId)) : []
        if (!backlog) yield tracked(String(last), { kind: 'missed' as const, data: {} })
        for (const event of backlog ?? []) {
          last = event.id
          if (isFor(actor, event)) yield tracked(String(event.id), shown(event))
        }
        while (!signal?.aborted) {
          for (let event = queue.shift(); event; event = queue.shift()) {
            if (event.id > last) yield tracked(String(event.id), shown(event))
            if (queue.length > 1000) return // too slow: it resumes
          }
          const { promise, resolve } = Promise.withResolvers<void>()
          wake = resolve
          if (queue.length === 0 && !signal?.aborted) await promise
        }
      } finally {
        stop()
      }
    }),
})
