import { z } from 'zod'
import { refused } from '../acks/schema.ts'
import { atsign, digest, jws, queryInteger, unixSeconds } from '../fields.ts'

export const ingestInput = z.strictObject({ receipts: z.array(jws).min(1).max(500) })
export const ingestAnswer = z.strictObject({ stored: z.int(), known: z.int(), refused })

export const MAX_RANGE_SECONDS = 31 * 86_400
const seconds = queryInteger(0, 253_402_300_799)
export const listQuery = z.strictObject({
  from: seconds.optional().meta({ description: 'when the call began; default: a day before `to`; at most 31 days before it' }),
  to: seconds.optional(),
  cursor: queryInteger(1, Number.MAX_SAFE_INTEGER).optional(),
  limit: queryInteger(1, 500).optional(),
  ...{ agent: atsign.optional(), gateway: atsign.optional(), server: z.string().max(64).optional(), tool: z.string().max(128).optional() },
  ...{ decision: z.enum(['allow', 'deny']).optional(), code: z.string().max(40).optional(), cth: digest.optional() },
})
const receipt = z.strictObject({
  ...{ id: z.int(), gateway: atsign, epoch: z.string(), rseq: z.int(), agent: atsign, server: z.string(), tool: z.string().optional() },
  ...{ decision: z.enum(['allow', 'deny']), code: z.string(), rule: z.string().optional(), status: z.string() },
  ...{ gth: digest.optional(), cth: digest.optional(), pol: digest.optional(), t0: unixSeconds, t1: unixSeconds, ms: z.int().optional() },
  jws,
})
export const listAnswer = z.strictObject({ receipts: z.array(receipt), next: z.int().nullable() })
