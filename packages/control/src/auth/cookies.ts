import type { Control } from '../context.ts'

/** A cookie of this control plane: its name depends on whether the browser reached it over https. */
export interface CookieJar {
  readonly session: string
  readonly login: string
  readonly isSecure: boolean
}

/**
 * Over https a name with `__Host-` can only have been set here, over https, for all paths; `http://localhost` cannot have that.
 * @param host the Host header
 */
export function cookieJarOf({ config }: Pick<Control, 'config'>, host: string | null): CookieJar {
  const own = config.publicUrl.filter((url) => new URL(url).host === host)
  const isSecure = (own.length > 0 ? own : config.publicUrl.slice(0, 1)).some((url) => url.startsWith('https:'))
  return isSecure
    ? { session: '__Host-postern', login: '__Host-postern_login', isSecure }
    : { session: 'postern_session', login: 'postern_login', isSecure }
}

/** The value of a cookie; undefined when it is not there, or there twice: then somebody else may have set one. */
export function readCookie(header: string | null, name: string): string | undefined {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
  return values.length === 1 && /^[A-Za-z0-9_-]{43}$/.test(values[0]!) ? values[0] : undefined
}

export interface CookieOptions {
  readonly sameSite: 'Strict' | 'Lax'
  readonly seconds: number
  readonly isSecure: boolean
}

/** One Set-Cookie header; with 0 seconds it takes the cookie away. */
export const setCookie = (name: string, value: string, { sameSite, seconds, isSecure }: CookieOptions): string =>
  `${name}=${value}; Path=/; HttpOnly; SameSite=${sameSite}; Max-Age=${seconds}${isSecure ? '; Secure' : ''}`
