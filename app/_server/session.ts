import 'server-only'
import type { Actor } from '@postern/control'
import { principalOfCookie } from '@postern/control'
import { headers } from 'next/headers'
import { cache } from 'react'
import { control } from './control.ts'

export interface PageSession {
  readonly actor: Actor
  /** Unix seconds: when it ends. */
  readonly until: number
}

/** Who looks at this page, once per request; undefined for somebody who is not signed in. */
export const session = cache(async (): Promise<PageSession | undefined> => {
  const found = await principalOfCookie(await control(), new Headers(await headers()))
  return found && 'kid' in found.principal ? { actor: found.principal, until: found.until ?? 0 } : undefined
})
