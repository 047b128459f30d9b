import { z } from 'zod'
import { digest, signedJson } from '../fields.ts'
import { procedure, router } from '../trpc.ts'
import { getRevocation, listRevocations, revoke } from './service.ts'

export const revocationsRouter = router({
  list: procedure('revocations:read')
    .input(z.strictObject({ after: z.int().min(0).optional(), limit: z.int().min(1).max(500).optional() }))
    .query(({ ctx, input }) => listRevocations(ctx, input)),
  get: procedure('revocations:read')
    .input(z.strictObject({ hash: digest }))
    .query(({ ctx, input }) => getRevocation(ctx, input.hash)),
  add: procedure('revocations:write')
    .input(signedJson)
    .mutation(({ ctx, input }) => revoke(ctx, input)),
})
