import 'server-only'
import { createCaller } from '@postern/control'
import { cache } from 'react'
import { control } from './control.ts'
import { session } from './session.ts'

/** The procedures, called in process by pages, as whoever is signed in, else as `anyone`. */
export const caller = cache(async () => {
  const who = await session()
  const principal = who?.actor ?? ({ role: 'anyone' } as const)
  return createCaller({ control: await control(), principal, until: who?.until, requestId: crypto.randomUUID() })
})
