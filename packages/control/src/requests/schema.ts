import { z } from 'zod'
import { atsign, bytesText, digest, opaqueId, serverName, signatures, signedJson, tag, unixSeconds } from '../fields.ts'

export const MAX_DRAFTED_POLICY_BYTES = 256 * 1024

export const newRequestInput = signedJson
export const signInput = z.strictObject({
  bytes: bytesText(16_384, 'invite: the statement that the signing page made')
    .optional()
    .meta({ description: 'only for an invite, whose key is made where it is signed' }),
  signatures: signatures.min(1),
})
const kind = z.enum(['statement', 'revocation', 'invite'])
const status = z.enum(['open', 'complete', 'superseded', 'refused', 'expired'])
export const requestAnswer = z.strictObject({ id: opaqueId, status, seq: z.int().optional(), hash: digest.optional() })
export const draftBytesInput = z.strictObject({
  kind: z.enum(['statement', 'revocation']),
  bytes: bytesText(16_384, 'what is to be signed, without a signature'),
})
export const draftAnswer = z.strictObject({
  ...{ id: opaqueId, kind, seq: z.int().optional(), hash: digest.optional(), sha256: digest.optional() },
})
const part = z.union([
  z.strictObject({
    by: z.literal('admins'),
    ...{ class: z.string(), when: z.enum(['before', 'after']), m: z.int(), met: z.boolean() },
    ...{ missingKinds: z.array(z.string()), candidates: z.array(atsign), signed: z.array(atsign) },
  }),
  z.strictObject({ by: z.literal('key'), kid: digest, why: z.string(), met: z.boolean() }),
])
const tags = z.array(tag).max(32)
export const invite = z.strictObject({ kind: z.enum(['gateway', 'agent']), tags, uses: z.int().min(1).max(100), exp: unixSeconds })
export const request = requestAnswer.extend({
  ...{ kind, op: z.string(), signatures, created_by: atsign, created: unixSeconds, exp: unixSeconds, reason: z.string().optional() },
  bytes: signedJson.shape.bytes.optional().meta({ description: 'absent for an invite whose key is not made yet' }),
  sha256: digest.optional().meta({ description: 'of the bytes' }),
  invite: invite.optional(),
  policy: bytesText(MAX_DRAFTED_POLICY_BYTES, 'policy.set, one request: the document itself').optional(),
  facts: z
    .record(z.string(), z.string())
    .optional()
    .meta({ description: 'enrolling, one request: what the asker says about itself; unverified' }),
  code_by: atsign.optional().meta({ description: 'enrolling, one request: who made the code it came with' }),
  needed: z
    .array(part)
    .optional()
    .meta({ description: 'open statements: whose signatures it needs and has, by the state it would be applied to' }),
})
export const requestList = z.strictObject({ requests: z.array(request) })

/** What the console's procedures take. Bodies are read by core, strictly. */
export const draftInput = z.strictObject({
  op: z.string().max(64),
  body: z.record(z.string(), z.json()),
  policy: bytesText(MAX_DRAFTED_POLICY_BYTES, 'policy.set: the document itself').optional(),
  back: z.string().max(201).optional(),
})
export const draftRevocationInput = z.strictObject({
  targets: z
    .array(z.strictObject({ kind: z.enum(['enrolment', 'key', 'grant', 'invite']), id: digest }))
    .min(1)
    .max(64),
  reason: z.string().max(280),
  until: unixSeconds.optional(),
  back: z.string().max(201).optional(),
})
export const draftInviteInput = z.strictObject({
  kind: z.enum(['gateway', 'agent']),
  tags,
  uses: z.int().min(1).max(100),
  days: z.int().min(1).max(7),
})
export const enrolmentDecision = z.strictObject({
  tags,
  days: z.int().min(1).max(3650).optional().meta({ description: 'lease; by default a person 365, an agent 30, a gateway 180' }),
  owner: atsign.optional().meta({ description: 'agents: whom it acts for' }),
  delegation: z
    .strictObject({ agents: z.int().min(1).max(1000), servers: z.array(serverName).max(64).optional() })
    .optional()
    .meta({ description: 'people: how many agents they may enrol alone, with the same tags' }),
  admin: z.boolean().optional().meta({ description: 'people: an administrator, without a lease' }),
})
export const draftEnrolmentInput = enrolmentDecision.extend({ enrolment: z.string().max(64), back: z.string().max(201).optional() })
