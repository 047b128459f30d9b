import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Why a request is turned away before its body is looked at. */
export interface Denial {
  readonly status: 401 | 403 | 404
  readonly message: string
}

/** Looks at each request first. @returns undefined when it may go on */
export type Guard = (request: IncomingMessage) => Denial | undefined

const path = '/mcp'
const digestOf = (text: string) => createHash('sha256').update(text).digest()

/**
 * Lets in whoever dialled us by our own loopback name and knows the token: as `Authorization: Bearer …`, or as the segment behind `/mcp/`
 * for clients that can send no header; never in the query, which ends up in histories and logs. A page of another site can know neither,
 * and its Origin or the name it dialled (DNS rebinding) gives it away besides.
 */
export function createGuard(port: number, token: string): Guard {
  const names = [`127.0.0.1:${port}`, `localhost:${port}`]
  const hosts = new Set(port === 80 ? [...names, '127.0.0.1', 'localhost'] : names)
  const origins = new Set([...hosts].map((host) => `http://${host}`))
  const expected = digestOf(token)
  return ({ headers, url = '' }) => {
    if (!hosts.has(headers.host?.toLowerCase() ?? '')) return { status: 403, message: 'Host is not this endpoint' }
    if (headers.origin !== undefined && !origins.has(headers.origin)) return { status: 403, message: 'Origin is not this endpoint' }
    const [pathname = ''] = url.split('?', 1)
    const secret = pathname.startsWith(`${path}/`) ? pathname.slice(path.length + 1) : undefined
    if (secret === undefined && pathname !== path) return { status: 404, message: `there is nothing here but ${path}` }
    const shown = bearerOf(headers.authorization) ?? secret
    const isKnown = shown !== undefined && timingSafeEqual(digestOf(shown), expected)
    return isKnown ? undefined : { status: 401, message: 'the token is missing or wrong: Authorization: Bearer <token>' }
  }
}

const bearerOf = (header: string | undefined): string | undefined => /^Bearer +([^\s]+) *$/i.exec(header ?? '')?.[1]
