import { z } from 'zod'
import { atsign, digest, jws, queryInteger, unixSeconds } from '../fields.ts'

export const ingestInput = z.strictObject({ acks: z.array(jws).min(1).max(100) })
export const refused = z.array(z.strictObject({ index: z.int(), code: z.string() }))
export const ingestAnswer = z.strictObject({ stored: z.int(), known: z.int(), refused })
export const listQuery = z.strictObject({
  gateway: atsign.optional().meta({ description: 'the history of one gateway; without it the latest ack of each' }),
  after: queryInteger(0, Number.MAX_SAFE_INTEGER).optional(),
  limit: queryInteger(1, 1000).optional(),
})
const ack = z.strictObject({
  ...{ id: z.int(), gateway: atsign, seq: z.int(), head: digest, epoch: z.string(), at: unixSeconds },
  revocations: z.strictObject({ count: z.int(), digest }),
  received_ms: z.int().meta({ description: 'when it came in here, in milliseconds since 1970' }),
  jws,
})
export const listAnswer = z.strictObject({ acks: z.array(ack) })
