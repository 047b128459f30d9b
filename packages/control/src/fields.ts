import type { JsonValue, Signature, Signed } from '@postern/core'
import { decodeSigned } from '@postern/core'
import { z } from 'zod'

// Pieces of schemas that several nouns use. Formats are checked here in form only; core decodes and verifies.

/** Base64url without padding, at most this many bytes. */
export const bytesText = (maxBytes: number, what = 'bytes') =>
  z
    .string()
    .max(Math.ceil((maxBytes * 4) / 3))
    .regex(/^[A-Za-z0-9_-]*$/)
    .meta({ description: `${what}, base64url without padding` })
export const digest = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/)
  .meta({ description: '32 bytes, base64url without padding' })
export const atsign = z.string().regex(/^@[a-z0-9][a-z0-9_-]{0,54}$/)
export const tag = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,31}$/)
export const serverName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/)
/** 128 random bits. */
export const opaqueId = z.string().regex(/^[A-Za-z0-9_-]{22}$/)
export const unixSeconds = z.int().min(0).max(253_402_300_799)
export const jws = z
  .string()
  .max(16_384)
  .regex(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/)
/** A number in a query string. */
export const queryInteger = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max))

const signature = z.strictObject({
  kid: digest,
  sig: bytesText(256, 'signature'),
  flags: z.int().min(0).max(255).optional(),
  counter: z.int().min(0).max(4_294_967_295).optional(),
  authenticator_data: bytesText(1024).optional(),
  client_data: bytesText(4096).optional(),
})
export const signatures = z.array(signature).max(64)
/** Signed bytes with detached signatures, as they travel. */
export const signedJson = z.strictObject({ bytes: bytesText(16_384, 'signed bytes'), signatures })
export type SignedText = z.output<typeof signedJson>
/** What the schema let through, as core reads it. */
export const readSigned = (text: SignedText): Signed => decodeSigned(text as JsonValue)
export const readSignatures = (text: z.output<typeof signatures>): readonly Signature[] =>
  readSigned({ bytes: '', signatures: text }).signatures
export const head = z.strictObject({ seq: z.int(), hash: digest })
