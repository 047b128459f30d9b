import { sha256 } from '@noble/hashes/sha2.js'
import { encodeBase64url } from '../bytes/base64url.ts'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { encodeCanonical } from '../bytes/canonical.ts'
import type { JsonValue } from '../bytes/json.ts'
import type { State } from './state.ts'

const LABEL = utf8('postern-state-v1\0')

/**
 * SHA-256 over the whole state in canonical JSON, maps as lists of pairs in order of their keys, base64url: equal for two edges
 * exactly when they hold the same state. For comparing and testing; nothing is signed over it, since `head` says as much.
 */
export const stateHash = (state: State): string => encodeBase64url(sha256(concatBytes(LABEL, encodeCanonical(plain(state)))))

function plain(value: unknown): JsonValue {
  if (value instanceof Map) return pairs(value)
  if (value instanceof Set) return [...(value as Set<string>)].sort()
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value as JsonValue
  const present = Object.entries(value).filter(([, item]) => item !== undefined)
  return Object.fromEntries(present.map(([name, item]) => [name, plain(item)]))
}

const pairs = (map: ReadonlyMap<string, unknown>): JsonValue =>
  [...map.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, plain(item)])
