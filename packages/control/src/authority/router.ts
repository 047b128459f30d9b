import { z } from 'zod'
import { procedure, router } from '../trpc.ts'
import { readOrganisation } from './organisation.ts'
import { appendInput } from './schema.ts'
import { appendStatement, readLog } from './service.ts'

const page = z.strictObject({ from: z.int().min(0).optional(), limit: z.int().min(1).max(1000).optional() })

export const authorityRouter = router({
  append: procedure('log:append')
    .input(appendInput) // a signer made it; control carries what it could not write
    .mutation(({ ctx, input }) => appendStatement(ctx, input)),
  organisation: procedure('session:own').query(({ ctx }) => readOrganisation(ctx)),
  read: procedure('log:read')
    .input(page)
    .query(({ ctx, input }) => readLog(ctx, input)),
})
