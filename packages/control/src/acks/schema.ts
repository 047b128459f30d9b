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

export const effectInput = z
  .strictObject({ seq: z.int().min(0).optional(), hash: digest.optional() })
  .refine(({ seq, hash }) => (seq === undefined) !== (hash === undefined), 'either seq or hash')
export const effectQuery = z
  .strictObject({ seq: queryInteger(0, Number.MAX_SAFE_INTEGER).optional(), hash: digest.optional() })
  .refine(({ seq, hash }) => (seq === undefined) !== (hash === undefined), 'either seq or hash')
const gatewayEffect = z.strictObject({
  ...{ gateway: atsign, online: z.boolean(), applied: z.boolean(), seen: unixSeconds.optional() },
  ms: z.int().optional().meta({ description: 'from when it came in here to when the gateway’s ack came in' }),
  grants_until: unixSeconds
    .optional()
    .meta({ description: 'where it is not applied: when the last grant that this gateway reported ends' }),
})
export const effectAnswer = z.strictObject({
  ...{ kind: z.enum(['statement', 'revocation']), hash: digest, seq: z.int().optional(), at: unixSeconds, received_ms: z.int() },
  ...{ gateways: z.array(gatewayEffect), on: z.int(), of: z.int(), effective: z.boolean(), ms: z.int().optional() },
})
