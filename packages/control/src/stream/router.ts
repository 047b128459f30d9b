import { tracked } from '@trpc/server'
import { z } from 'zod'
import { actorOf } from '../context.ts'
import { procedure, router } from '../trpc.ts'
import { followEvents } from './follow.ts'

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
      const after = input.lastEventId ? Number(input.lastEventId) : undefined
      for await (const { id, kind, data } of followEvents(ctx.control, actorOf(ctx), { after, until: ctx.until, signal })) {
        yield tracked(String(id), { kind, data })
      }
    }),
})
