import { z } from 'zod'
import { procedure, router } from '../trpc.ts'
import { listGrants } from './service.ts'

export const grantsRouter = router({
  list: procedure('grants:read')
    .input(z.strictObject({ limit: z.int().min(1).max(500).optional(), before: z.int().min(0).optional() }))
    .query(({ ctx, input }) => listGrants(ctx, input)),
})
