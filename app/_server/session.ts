import 'server-only'
import type { Actor } from '@postern/control'
import { principalOfCookie, startSignIn } from '@postern/control'
import { cookies, headers } from 'next/headers'
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

/** For a server action: gives this browser a nonce, and returns the link of the signing page to go to. */
export async function beginSignIn(atsign?: string): Promise<string> {
  const { url, cookie } = await startSignIn(await control(), new Headers(await headers()), atsign)
  const { name, value, seconds, isSecure } = cookie
  const jar = await cookies()
  jar.set(name, value, { path: '/', httpOnly: true, sameSite: 'lax', maxAge: seconds, secure: isSecure })
  return url
}
