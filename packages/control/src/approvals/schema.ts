import { MAX_APPROVERS, MAX_HOLD_KEYS, MAX_SEALED_HOLD_BYTES, RISK_CLASSES, SEALED_HOLD_KEY_BYTES } from '@postern/core'
import { z } from 'zod'
import { atsign, bytesText, digest, jws, opaqueId, queryInteger, serverName, signedJson, unixSeconds } from '../fields.ts'

/** The body of a hold: its content, base64url, and keys. */
export const MAX_HOLD_BODY_BYTES = Math.ceil((MAX_SEALED_HOLD_BYTES * 4) / 3) + MAX_HOLD_KEYS * 256 + 8_192

/**
 * Where a held call stands. `waiting` for a decision → `decided`: one was signed and is on its way → `approved` or `refused`: the gateway
 * has verified it → `executed`. Else `timed_out`, or `ended`: the gateway holds it no more (restart, client gone, agent suspended…), `code` says why.
 */
export const APPROVAL_STATUSES = ['waiting', 'decided', 'approved', 'refused', 'timed_out', 'ended', 'executed'] as const
const status = z.enum(APPROVAL_STATUSES)
const outcome = z.enum(['ok', 'error', 'unknown', 'not_run']).meta({ description: 'executed ones: as the receipt says it' })
const code = z.string().regex(/^[A-Z][A-Z0-9_]{0,39}$/)

const sealed = z
  .array(z.strictObject({ kid: digest, bytes: bytesText(SEALED_HOLD_KEY_BYTES, 'the content key, sealed to that seal key') }))
  .min(1)
  .max(MAX_HOLD_KEYS)
const content = bytesText(MAX_SEALED_HOLD_BYTES, 'hold, parameters and salt, encrypted')
/** What a decision has to be about, besides organisation and gateway. Digests of tokens and of salted parameters: no contents. */
const about = {
  ...{ epoch: opaqueId, agent: atsign, server: serverName, tool: z.string().min(1).max(128), risk: z.enum(RISK_CLASSES) },
  ...{ rule: z.string().min(1).max(64), gth: digest, cth: digest, schema: digest, a: digest, deadline: unixSeconds },
  approvers: z.array(atsign).min(1).max(MAX_APPROVERS),
}
export const holdInput = z.strictObject({ id: opaqueId, ...about, content, sealed })

/** One held call as people see it: who, what, until when. Arguments are sealed. */
export const approval = z.strictObject({
  ...{ id: opaqueId, gateway: atsign, owner: atsign.optional(), ...about, held: unixSeconds, status },
  by: atsign.optional().meta({ description: 'who decided; verified by the gateway once the status is past `decided`' }),
  reason: z.string().optional().meta({ description: 'of a refusal, as it was signed' }),
  code: code.optional().meta({ description: 'why it ended, or why the gateway did not take the last decision' }),
  outcome: outcome.optional(),
  ms: z.int().optional().meta({ description: 'how long the call ran' }),
  ended: unixSeconds.optional(),
})
export const listQuery = z.strictObject({
  status: z.enum(['open', 'all']).optional().meta({ description: 'default `open`: waiting or decided' }),
  limit: queryInteger(1, 500).optional(),
})
export const listInput = z.strictObject({ status: z.enum(['open', 'all']).optional(), limit: z.int().min(1).max(500).optional() })
export const approvalList = z.strictObject({ approvals: z.array(approval) })

export const followQuery = z.strictObject({
  wait: queryInteger(0, 25).optional().meta({ description: 'seconds to wait for another status than `seen`' }),
  seen: status.optional(),
})
/** With what is sealed, while it waits: absent once it is over. Then with the gateway's receipt, by which whoever decided can check what is said. */
export const followAnswer = approval.extend({ content: content.optional(), sealed, receipt: jws.optional() })

export const decisionInput = z.strictObject({ decision: signedJson })
export const decisionAnswer = z.strictObject({ id: opaqueId, status, by: atsign })

const stage = z.strictObject({
  id: opaqueId,
  status: z.enum(['waiting', 'approved', 'refused', 'timed_out', 'ended', 'executed']),
  ...{ by: atsign.optional(), code: code.optional(), outcome: outcome.optional(), ms: z.int().min(0).max(2_147_483_647).optional() },
})
export const stagesInput = z.strictObject({ stages: z.array(stage).min(1).max(64) })
export const stagesAnswer = z.strictObject({ taken: z.int() })

export const heldInput = z.strictObject({ epoch: opaqueId, ids: z.array(opaqueId).max(1_024) })
export const heldAnswer = z.strictObject({ decisions: z.array(z.strictObject({ id: opaqueId, decision: signedJson })) })
