const MAX_URL = 8192
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const HOST = new RegExp(`^(?:${LABEL}\\.)*(${LABEL})$`)
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/
/** URL parsers read a host that ends in such a label as an IPv4 address, in forms such as 127.1 and 0x7f.1. */
const NUMERIC = /^(?:\d+|0x[0-9a-f]*)$/
const URL_START = /^https?:\/\//
/** White space, controls and backslash are dropped or turned into slashes by some parsers. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const ODD_IN_URL = /[\x00-\x20\x7f-\xa0\\\u2028\u2029\ufeff]/

/** Lower-case ASCII host name of letters, digits and hyphens (A-labels included), at most 253 characters, or a dotted IPv4. */
export function isHost(text: string): boolean {
  if (text.length > 253) return false
  if (IPV4.test(text)) return true
  const last = HOST.exec(text)?.[1]
  return last !== undefined && !NUMERIC.test(last)
}

/**
 * The host of a host name or of an `https:` or `http:` URL, or `undefined` when parsers could disagree about it: user info, any
 * port, IPv6, upper case, a dot at the end, percent-encoding or other than ASCII in the authority, numeric forms of IPv4,
 * backslash, white space or controls anywhere. Everything behind the authority is free, redirects and DNS are not looked at.
 * @see packages/core/spec/policy.md §5.7
 */
export function hostOf(text: string): string | undefined {
  if (text.length > MAX_URL || ODD_IN_URL.test(text)) return undefined
  const start = URL_START.exec(text)?.[0].length ?? 0
  const end = start === 0 ? -1 : text.slice(start).search(/[/?#]/)
  const host = end === -1 ? text.slice(start) : text.slice(start, start + end)
  return isHost(host) ? host : undefined
}

/** Whether `host` is `domain` or a name below it, by whole labels; an IPv4 address only itself. Both must pass `isHost`. */
export const isAtOrBelow = (domain: string, host: string): boolean => host === domain || (!IPV4.test(domain) && host.endsWith(`.${domain}`))
