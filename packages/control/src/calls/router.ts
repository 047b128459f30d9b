import { z } from 'zod'
import { atsign, digest, unixSeconds } from '../fields.ts'
import { procedure, router } from '../trpc.ts'
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

export const callsRouter = router({
  list: procedure('receipts:read')
    .input(query)
    .query(({ ctx, input }) => listReceipts(ctx, input)),
})
