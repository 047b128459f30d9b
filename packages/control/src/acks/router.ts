import { z } from 'zod'
import { atsign } from '../fields.ts'
import { procedure, router } from '../trpc.ts'
import { readEffect } from './effective.ts'
import { effectInput } from './schema.ts'
import { listAcks } from './service.ts'

const page = z.strictObject({ gateway: atsign.optional(), after: z.int().min(0).optional(), limit: z.int().min(1).max(1000).optional() })

export const acksRouter = router({
  effective: procedure('acks:read')
    .input(effectInput)
    .query(({ ctx, input }) => readEffect(ctx, input)),
  list: procedure('acks:read')
    .input(page)
    .query(({ ctx, input }) => listAcks(ctx, input)),
})
