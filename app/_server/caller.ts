import 'server-only'
import { createCaller } from '@postern/control'
import { cache } from 'react'
import { control } from './control.ts'

/** The procedures, called in process by pages. Nobody signs in here yet, so a page asks as `anyone`. */
export const caller = cache(async () =>
  createCaller({ control: await control(), principal: { role: 'anyone' }, requestId: crypto.randomUUID() }),
)
