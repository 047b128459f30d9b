import { procedure, router } from '../trpc.ts'
import { readHealth, readOverview } from './service.ts'

export const statusRouter = router({
  health: procedure('health:read').query(({ ctx }) => readHealth(ctx.control)),
  overview: procedure('health:read').query(({ ctx }) => readOverview(ctx.control)),
})
