import { z } from 'zod'
import { signedJson } from '../fields.ts'
import { procedure, router } from '../trpc.ts'
import { listRevocations, revoke } from './service.ts'

export const revocationsRouter = router({
  list: procedure('revocations:read')
    .input(z.strictObject({ after: z.int().min(0).optional(), limit: z.int().min(1).max(500).optional() }))
    .query(({ ctx, input }) => listRevocations(ctx, input)),
  add: procedure('revocations:write')
    .input(signedJson)
    .mutation(({ ctx, input }) => revoke(ctx, input)),
})
