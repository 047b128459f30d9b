import { z } from 'zod'
import { bytesText, digest, head, queryInteger, signedJson } from '../fields.ts'

export const MAX_POLICY_BYTES = 256 * 1024

export const appendInput = z.strictObject({
  entry: signedJson,
  secret: z.string().max(256).optional().meta({ description: 'genesis only: what stands after # in the genesis link' }),
  policy: bytesText(MAX_POLICY_BYTES, 'policy.set: the document itself').optional(),
})
export const appendAnswer = head

export const readQuery = z.strictObject({
  from: queryInteger(0, 2 ** 31 - 1).optional(),
  limit: queryInteger(1, 1000).optional(),
  enrolment: z.string().max(64).optional().meta({ description: 'instead of a signature: the id of an enrolment request' }),
  request: z.string().max(64).optional().meta({ description: 'instead of a signature: the id of a statement that wants signatures' }),
  invite: z.string().max(64).optional().meta({ description: 'instead of a signature: the key id of an open invite' }),
  approval: z.string().max(64).optional().meta({ description: 'instead of a signature: the id of a held call' }),
})
export const readAnswer = z.strictObject({
  org: digest,
  entries: z.array(signedJson.extend({ seq: z.int() })),
  head: head.nullable(),
  next: z.int().nullable().meta({ description: 'where to go on, or null at the end' }),
})
