import { z } from 'zod'
import { digest } from '../fields.ts'
import { draftGrantStop } from '../fleet/drafts.ts'
import { reason } from '../fleet/schema.ts'
import { procedure, router } from '../trpc.ts'
import { listGrantsOut } from './out.ts'
import { listGrants } from './service.ts'

const out = z.strictObject({
  direction: z.literal('forward').optional(), // what a browser's infinite query says
  ...{ q: z.string().max(1000).optional(), past: z.boolean().optional(), cursor: z.string().max(400).optional() },
  limit: z.int().min(1).max(500).optional(),
})

export const grantsRouter = router({
  list: procedure('grants:read')
    .input(z.strictObject({ limit: z.int().min(1).max(500).optional(), before: z.int().min(0).optional() }))
    .query(({ ctx, input }) => listGrants(ctx, input)),
  draftStop: procedure('requests:draft')
    .input(z.strictObject({ hashes: z.array(digest).min(1).max(64), reason }))
    .mutation(({ ctx, input }) => draftGrantStop(ctx, input)),
  out: procedure('grants:read')
    .input(out)
    .query(({ ctx, input: { direction: _, ...input } }) => listGrantsOut(ctx, input)),
})
