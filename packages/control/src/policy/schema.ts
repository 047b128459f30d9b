import { POLICY_TEMPLATES } from '@postern/core'
import { z } from 'zod'
import { MAX_POLICY_BYTES } from '../authority/schema.ts'
import { digest } from '../fields.ts'

/** Of a draft; the same form as a policy's own name. */
const name = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/)
const revision = z.int().min(1)
const seq = z.int().min(1)

export const draftParams = z.strictObject({ name })
export const documentInput = z.strictObject({ sha256: digest })
export const versionInput = z.strictObject({ seq })
export const rolloutInput = z.strictObject({ sha256: digest.optional() })
export const openInput = z.strictObject({
  name,
  from: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('version'), seq }),
    z.strictObject({ kind: z.literal('template'), template: z.enum(POLICY_TEMPLATES) }),
    z.strictObject({ kind: z.literal('receipt'), id: z.int().min(1) }),
  ]),
  /** The revision of the draft that this may take the place of. */
  replace: revision.optional(),
})
export const saveInput = z.strictObject({ name, revision, text: z.string().max(MAX_POLICY_BYTES) })
export const revisionInput = z.strictObject({ name, revision })
