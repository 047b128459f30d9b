import { z } from 'zod'
import { atsign, digest, opaqueId, signatures, signedJson, unixSeconds } from '../fields.ts'

export const newRequestInput = signedJson
export const signInput = z.strictObject({ signatures: signatures.min(1) })
const status = z.enum(['open', 'complete', 'superseded', 'refused', 'expired'])
export const requestAnswer = z.strictObject({ id: opaqueId, status, seq: z.int(), hash: digest })
const part = z.union([
  z.strictObject({
    by: z.literal('admins'),
    ...{ class: z.string(), when: z.enum(['before', 'after']), m: z.int(), met: z.boolean() },
    ...{ missingKinds: z.array(z.string()), candidates: z.array(atsign), signed: z.array(atsign) },
  }),
  z.strictObject({ by: z.literal('key'), kid: digest, why: z.string(), met: z.boolean() }),
])
export const request = requestAnswer.extend({
  ...{ op: z.string(), ...signedJson.shape, created_by: atsign, created: unixSeconds, exp: unixSeconds, reason: z.string().optional() },
  needed: z
    .array(part)
    .optional()
    .meta({ description: 'open ones: whose signatures it needs and has, by the state it would be applied to' }),
})
export const requestList = z.strictObject({ requests: z.array(request) })
