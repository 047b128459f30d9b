import { z } from 'zod'
import { digest, queryInteger, signedJson } from '../fields.ts'

export const addAnswer = z.strictObject({ hash: digest })
export const listQuery = z.strictObject({
  after: queryInteger(0, Number.MAX_SAFE_INTEGER).optional().meta({ description: '`next` of the page before' }),
  limit: queryInteger(1, 500).optional(),
})
export const listAnswer = z.strictObject({
  revocations: z.array(signedJson.extend({ hash: digest })),
  next: z.int().nullable().meta({ description: 'where to go on, or null at the end' }),
})
