import { z } from 'zod'
import { atsign, digest, unixSeconds } from '../fields.ts'
import { procedure, router } from '../trpc.ts'
import { callFacets, callStats, readCall, searchCalls } from './search.ts'
import { listReceipts } from './service.ts'

const query = z.strictObject({
  ...{
    from: unixSeconds.optional(),
    to: unixSeconds.optional(),
    cursor: z.int().min(1).optional(),
    limit: z.int().min(1).max(500).optional(),
  },
  ...{ agent: atsign.optional(), gateway: atsign.optional(), server: z.string().max(64).optional(), tool: z.string().max(128).optional() },
  ...{ decision: z.enum(['allow', 'deny']).optional(), code: z.string().max(40).optional(), cth: digest.optional() },
})

const range = { from: unixSeconds.optional(), to: unixSeconds.optional(), q: z.string().max(1000).optional() }
const id = z.int().min(0)

export const callsRouter = router({
  search: procedure('receipts:read')
    .input(z.strictObject({ ...range, cursor: id.optional(), after: id.optional(), limit: z.int().min(1).max(500).optional() }))
    .query(({ ctx, input }) => searchCalls(ctx, input)),
  stats: procedure('receipts:read')
    .input(z.strictObject({ ...range, buckets: z.int().min(1).max(60).optional() }))
    .query(({ ctx, input }) => callStats(ctx, input)),
  get: procedure('receipts:read')
    .input(z.strictObject({ id }))
    .query(({ ctx, input }) => readCall(ctx, input.id)),
  facets: procedure('receipts:read').query(({ ctx }) => callFacets(ctx)),
  list: procedure('receipts:read')
    .input(query)
    .query(({ ctx, input }) => listReceipts(ctx, input)),
})
