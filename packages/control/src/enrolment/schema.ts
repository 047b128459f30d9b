import { z } from 'zod'
import { atsign, bytesText, opaqueId, queryInteger, serverName, signatures, tag, unixSeconds } from '../fields.ts'

const kind = z.enum(['person', 'gateway', 'agent'])
const fact = z.string().max(128)

export const newCodeInput = z.strictObject({ kind, tags: z.array(tag).max(32).optional(), minutes: z.int().min(1).max(60).optional() })
export const newCodeAnswer = z.strictObject({ id: opaqueId, code: z.string(), exp: unixSeconds })
export const codeList = z.strictObject({
  codes: z.array(
    z.strictObject({
      ...{ id: opaqueId, kind, tags: z.array(tag), created_by: atsign, exp: unixSeconds, used: z.boolean() },
      request: z
        .strictObject({ id: opaqueId, atsign, status: z.enum(['pending', 'enrolled', 'refused', 'expired']) })
        .optional()
        .meta({ description: 'what it was used for' }),
    }),
  ),
})
/** The console's: a code, and the link at which the signing page shows what the other side needs. */
export const newJoinInput = newCodeInput.extend({
  ...{ name: atsign.optional(), server: serverName.optional() },
  client: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/)
    .optional(),
})
export const idParams = z.strictObject({ id: z.string().max(64) })
export const followParams = z.strictObject({
  id: z.string().max(64).meta({ description: 'of the request; or SHA-256 of its bytes, base64url, for whoever made it' }),
})

export const submitInput = z.strictObject({
  code: z.string().max(32),
  request: bytesText(8192, 'the enrolment request as it was signed'),
  proofs: signatures,
  facts: z
    .strictObject({ host: fact.optional(), os: fact.optional(), version: fact.optional(), client: fact.optional() })
    .optional()
    .meta({ description: 'what the machine says about itself; unverified' }),
})
export const submitAnswer = z.strictObject({ id: opaqueId, exp: unixSeconds })

export const followQuery = z.strictObject({ wait: queryInteger(0, 25).optional().meta({ description: 'seconds to wait for a decision' }) })
const status = z.enum(['pending', 'enrolled', 'refused', 'expired'])
export const followAnswer = z.strictObject({ status, seq: z.int().optional(), reason: z.string().optional() })

export const queueAnswer = z.strictObject({
  enrolments: z.array(
    z.strictObject({
      id: opaqueId,
      ...{ kind, atsign, owner: atsign.optional(), tags: z.array(tag) },
      request: bytesText(8192),
      proofs: signatures,
      facts: z.record(z.string(), z.string()),
      ...{ invited_by: atsign, created: unixSeconds, exp: unixSeconds },
    }),
  ),
})
export const refuseInput = z.strictObject({ reason: z.string().min(1).max(200) })
export const done = z.strictObject({ ok: z.literal(true) })
