import { z } from 'zod'
import { atsign, digest, signedJson, unixSeconds } from '../fields.ts'

export const loginInput = z.strictObject({ login: signedJson })
export const loginAnswer = z.strictObject({ atsign, role: z.enum(['person', 'admin']), expires: unixSeconds })
export const whoami = z.strictObject({ org: digest, atsign, role: z.enum(['person', 'admin']), kid: digest, expires: unixSeconds })
export const sessionList = z.strictObject({
  sessions: z.array(
    z.strictObject({
      kid: digest.meta({ description: 'names the session: the key of a CLI, the id of a browser’s' }),
      ...{ atsign, created: unixSeconds, expires: unixSeconds, current: z.boolean() },
      kind: z.enum(['cli', 'browser']),
      client: z.string().optional().meta({ description: 'what the browser said it is; unverified' }),
    }),
  ),
})
export const kidParams = z.strictObject({ kid: digest })
