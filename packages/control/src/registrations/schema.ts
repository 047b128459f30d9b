import { z } from 'zod'
import { bytesText } from '../fields.ts'

export const registrationInput = z.strictObject({
  credential: bytesText(1023, 'credential id'),
  client_data: bytesText(4096, 'clientDataJSON'),
  attestation_object: bytesText(16_384, 'attestationObject'),
  transports: z
    .array(z.string().regex(/^[a-z][a-z-]{0,31}$/))
    .max(16)
    .optional(),
})
export const registrationAnswer = z.strictObject({
  key: bytesText(65, 'the P-256 key, 65 bytes, uncompressed'),
  credential: bytesText(1023),
  aaguid: z.string().meta({ description: 'model of the authenticator, as it says itself; zeros when it does not' }),
  synced: z.boolean().meta({ description: 'eligible for backup: it can be on more devices than one' }),
  transports: z.array(z.string()),
})
