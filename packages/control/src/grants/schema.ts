import { z } from 'zod'
import { atsign, bytesText, opaqueId, queryInteger, unixSeconds } from '../fields.ts'

/** A token of 16,384 characters, sealed. */
export const MAX_SEALED_BYTES = 16_384 + 1024

export const askInput = z.strictObject({ gateway: atsign, ask: bytesText(MAX_SEALED_BYTES, 'the ask, sealed to the gateway') })
export const askAnswer = z.strictObject({ answer: bytesText(MAX_SEALED_BYTES, 'what the gateway answered, sealed to the asker') })
const answer = bytesText(MAX_SEALED_BYTES, 'the answer, sealed to the asker').min(1)
export const answerInput = z.strictObject({ answer })
export const answersInput = z.strictObject({
  answers: z
    .array(z.strictObject({ id: opaqueId, answer }))
    .min(1)
    .max(64),
})
export const answersAnswer = z.strictObject({ delivered: z.int(), late: z.array(opaqueId) })
export const listQuery = z.strictObject({ limit: queryInteger(1, 500).optional(), before: queryInteger(0, 2 ** 40).optional() })
export const listAnswer = z.strictObject({
  grants: z.array(
    z.strictObject({
      ...{ id: opaqueId, agent: atsign, gateway: atsign, at: unixSeconds, outcome: z.enum(['answered', 'unreachable']) },
      ...{ ask_bytes: z.int(), answer_bytes: z.int().optional(), ms: z.int() },
    }),
  ),
})
