import { encodeBase64url, utf8 } from '@postern/core'
import type { Control } from '../context.ts'
import { ControlError } from '../errors.ts'
import { dateOf, secondsOf } from '../time.ts'
import type { Authenticated } from './authenticate.ts'
import { cookieJarOf, readCookie, setCookie } from './cookies.ts'
import { personOf } from './find-actor.ts'

/** A cookie is replaced by a new one when it has been in use for so long. */
const ROTATE_SECONDS = 3600
/** How long the one before it still counts: requests that were on their way. */
const GRACE_SECONDS = 60

export const secretHash = ({ suite }: Pick<Control, 'suite'>, secret: string): string => encodeBase64url(suite.sha256(utf8(secret)))
export const newSecret = ({ random }: Pick<Control, 'random'>): string => encodeBase64url(random(32))

/** Whose browser this is, and the Set-Cookie header of a session whose cookie is due for a new one. */
export interface FromBrowser extends Authenticated {
  readonly rotate?: () => Promise<string | undefined>
}

/**
 * Says whose browser a cookie belongs to: a session that has not ended, of a person in good standing, opened by a key that still counts.
 * Counts for pages and the console's door, never for `/api/v1`. Does NOT say that the request was made by a page of ours: `requireOwnPage`.
 */
export async function principalOfCookie(control: Control, headers: Headers): Promise<FromBrowser | undefined> {
  const jar = cookieJarOf(control, headers.get('host'))
  const secret = readCookie(headers.get('cookie'), jar.session)
  if (!secret || !control.ledger.org) return undefined
  const { prisma } = control.db
  const hash = secretHash(control, secret)
  const now = control.now()
  const row =
    (await prisma.browserSession.findUnique({ where: { hash } })) ??
    (await prisma.browserSession.findFirst({ where: { previous: hash, rotatedAt: { gt: dateOf(now - GRACE_SECONDS) } } }))
  if (!row || row.org !== control.ledger.org || row.endedAt || row.expiresAt <= dateOf(now)) return undefined
  const actor = personOf(control.ledger, { atsign: row.atsign, signedBy: row.signedBy, kid: row.id }, now)
  if (!actor) return undefined
  const isDue = row.hash === hash && row.rotatedAt <= dateOf(now - ROTATE_SECONDS)
  const rotate = async () => {
    const next = newSecret(control)
    const data = { hash: secretHash(control, next), previous: hash, rotatedAt: dateOf(now) }
    const { count } = await prisma.browserSession.updateMany({ where: { id: row.id, hash }, data })
    const seconds = secondsOf(row.expiresAt) - now
    return count === 1 ? setCookie(jar.session, next, { sameSite: 'Strict', seconds, isSecure: jar.isSecure }) : undefined
  }
  return { principal: actor, until: secondsOf(row.expiresAt), ...(isDue ? { rotate } : {}) }
}

/**
 * A request that a cookie speaks for must come from one of our own pages. SameSite=Strict keeps other sites out already; this keeps out
 * other ports and names of the same site, which the signing page is one of.
 * @throws {ControlError} WRONG_ORIGIN
 */
export function requireOwnPage({ config }: Pick<Control, 'config'>, { method, headers }: Pick<Request, 'method' | 'headers'>): void {
  const origin = headers.get('origin')
  const site = headers.get('sec-fetch-site')
  const isOwn = origin === null ? method === 'GET' : config.publicUrl.some((url) => new URL(url).origin === origin)
  if (isOwn && (site === null || site === 'same-origin' || site === 'none')) return
  throw new ControlError('WRONG_ORIGIN', `this was not sent by a page of ${config.publicUrl[0]}`)
}
