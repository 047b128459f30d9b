import { z } from 'zod'
import { procedure, router } from '../trpc.ts'
import { readHealth, readOverview } from './service.ts'
import { countWaiting, search } from './waiting.ts'

export const statusRouter = router({
  health: procedure('health:read').query(({ ctx }) => readHealth(ctx.control)),
  overview: procedure('health:read').query(({ ctx }) => readOverview(ctx.control)),
  waiting: procedure('session:own').query(({ ctx }) => countWaiting(ctx)),
  search: procedure('session:own')
    .input(z.strictObject({ text: z.string().max(100) }))
    .query(({ ctx, input }) => search(ctx, input)),
})
