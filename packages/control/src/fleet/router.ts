import { z } from 'zod'
import { atsign } from '../fields.ts'
import { procedure, router } from '../trpc.ts'
import { nameParams } from './schema.ts'
import { listFleet, listTools } from './service.ts'

const kind = z.enum(['person', 'gateway', 'agent'])
const query = z.strictObject({ kind: kind.optional(), after: atsign.optional(), limit: z.int().min(1).max(500).optional() })

export const fleetRouter = router({
  list: procedure('fleet:read')
    .input(query)
    .query(({ ctx, input }) => listFleet(ctx, input)),
  tools: procedure('fleet:read')
    .input(nameParams)
    .query(({ ctx, input }) => listTools(ctx, input.atsign)),
})
