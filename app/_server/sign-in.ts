import 'server-only'
import { signerOriginsOf, startSignIn } from '@postern/control'
import { signerRequestUrl } from '@postern/core'
import { cookies, headers } from 'next/headers'
import { control } from './control.ts'
import { ownOrigin } from './own-host.ts'

/** Ties a fresh nonce to this browser by a cookie, and says where the signer takes it. */
export async function signInUrl(): Promise<string> {
  const opened = await control()
  const { nonce, cookie } = await startSignIn(opened, new Headers(await headers()))
  const { name, value, seconds, isSecure } = cookie
  ;(await cookies()).set(name, value, { path: '/', httpOnly: true, sameSite: 'lax', maxAge: seconds, secure: isSecure })
  const [signer] = opened.ledger.state?.site.origins ?? signerOriginsOf(opened)
  return signerRequestUrl(signer!, { v: 1, kind: 'login', console: await ownOrigin(), org: opened.ledger.org!, nonce })
}
