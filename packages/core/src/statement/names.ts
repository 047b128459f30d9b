import type { Shape } from '../bytes/shape.ts'
import { integer, list, oneOf, pattern, refuse, text } from '../bytes/shape.ts'

/** Set by people with `server.pin`, never taken from what a server says about its tools. */
export const RISK_CLASSES = ['read', 'write', 'external', 'destructive', 'financial', 'credential'] as const
export type RiskClass = (typeof RISK_CLASSES)[number]
export const riskClass: Shape<RiskClass> = oneOf(...RISK_CLASSES)

/** What an atSign can be. It never changes. */
export const IDENTITY_KINDS = ['person', 'gateway', 'agent'] as const
export type IdentityKind = (typeof IDENTITY_KINDS)[number]
export const identityKind: Shape<IdentityKind> = oneOf(...IDENTITY_KINDS)

/** `dev`, `eu-west`: written `tag:dev` in policies. */
export const tagName: Shape<string> = pattern(/^[a-z0-9][a-z0-9_-]{0,31}$/, 'a tag (a-z, 0-9, _ and -, at most 32)')

/** Name of an MCP server, unique in the organisation: `fs`, `crm.eu`. */
export const serverName: Shape<string> = pattern(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'a server name (a-z, 0-9, ., _ and -, at most 64)')

/** A tool's exact name as its server gives it; `*` is no name, because `server.pin` uses it for "all". */
export const toolName: Shape<string> = (value, path) => {
  const name = text(128, 1)(value, path)
  return name === '*' ? refuse(path, '* is not the name of a tool') : name
}

/** Lists that stand for sets have one form: sorted by UTF-16 code units, nothing twice. */
export function sortedSet(shape: Shape<string>, max: number, min = 0): Shape<readonly string[]> {
  const plain = list(shape, max, min)
  return (value, path) => {
    const items = plain(value, path)
    items.forEach((item, i) => {
      if (i > 0 && items[i - 1]! >= item) refuse(`${path}[${i}]`, 'not in order, or twice')
    })
    return items
  }
}

export const tags: Shape<readonly string[]> = sortedSet(tagName, 32)

/** Highest number of distinct people a threshold may ask for, and of administrators there can be. */
export const MAX_ADMINS = 32
export const threshold = integer(1, MAX_ADMINS)
