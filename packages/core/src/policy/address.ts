/** Printable ASCII with a scheme, at most 2048 characters: no space, quote, backslash or control character. */
const ADDRESS = /^[a-zA-Z][a-zA-Z0-9+.-]*:[!#-[\]^_`a-z{|}~]+$/
const MAX_LENGTH = 2048

export const isPlainAddress = (uri: string): boolean => uri.length <= MAX_LENGTH && ADDRESS.test(uri)

/**
 * Whether an address is the one named, or lies below it by whole segments. What lies below may have nothing in it that a server could
 * resolve to somewhere else: no empty segment, no segment of dots, no percent sign, query or fragment.
 * @see packages/core/spec/policy.md §11
 */
export function isAtOrBelow(uri: string, named: string): boolean {
  if (uri === named) return true
  if (!isPlainAddress(uri)) return false
  const base = named.endsWith('/') ? named : `${named}/`
  if (!uri.startsWith(base)) return false
  const rest = uri.slice(base.length)
  return !/[%?#]/.test(rest) && rest.split('/').every((segment) => !/^\.*$/.test(segment))
}

/** Methods whose fate is not in the hands of `methods`: those of a connection, and those that other parts of a policy decide. */
const decidedOtherwise: ReadonlySet<string> = new Set([
  ...['server/discover', 'logging/setLevel', 'tools/list', 'tools/call', 'subscriptions/listen', 'completion/complete'],
  ...['resources/list', 'resources/templates/list', 'resources/read', 'resources/subscribe', 'resources/unsubscribe'],
  ...['prompts/list', 'prompts/get'],
])
export const isDecidedOtherwise = (method: string): boolean => decidedOtherwise.has(method)
