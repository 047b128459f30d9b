import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { decodeUtf8, utf8 } from '../bytes/bytes.ts'
import { parseStrictJson } from '../bytes/json.ts'
import { digest, mapOf, object, oneOf } from '../bytes/shape.ts'
import { ed25519PublicKey } from '../key/ed25519.ts'
import type { KeyId, PublicKey } from '../key/public-key.ts'
import { keyIdOf } from '../key/public-key.ts'
import { x25519PublicKey } from '../key/x25519.ts'
import { EdgeError } from './errors.ts'

/** Kind of edge → its keys in the order of its enrolment request, one use each. */
export const EDGE_KEYS = {
  gateway: { issue: 'ed25519', receipt: 'ed25519', auth: 'ed25519', channel: 'x25519', seal: 'x25519' },
  agent: { call: 'ed25519', auth: 'ed25519', channel: 'x25519' },
} as const
export type EdgeKind = keyof typeof EDGE_KEYS
export type EdgeKeyUse<K extends EdgeKind = EdgeKind> = K extends EdgeKind ? keyof (typeof EDGE_KEYS)[K] & string : never

/** A secret that does not show itself when printed; what @postern/daemon's `Secret` is. */
export interface Hidden {
  expose(): Uint8Array
}
export type Hide = (bytes: Uint8Array) => Hidden

export interface EdgeKey {
  readonly kid: KeyId
  readonly public: PublicKey
  /** 32 bytes: Ed25519 seed or X25519 scalar. */
  readonly secret: Hidden
}
export type EdgeKeys<K extends EdgeKind> = { readonly [U in EdgeKeyUse<K>]: EdgeKey }

/** Name of the key file inside an edge's state directory. */
export const KEY_FILE = 'keys.json'
const fileShape = object({ v: oneOf(1), secrets: mapOf(/^[a-z]{1,16}$/, digest, 16) })

const usesOf = <K extends EdgeKind>(kind: K) => Object.keys(EDGE_KEYS[kind]) as EdgeKeyUse<K>[]

/**
 * Makes the keys of a new edge. Does NOT store them.
 * @param extra Further 32-byte secrets of this machine that are nobody's identity (`journal`).
 */
export function generateEdgeSecrets(kind: EdgeKind, random: (n: number) => Uint8Array, extra: readonly string[] = []): EdgeSecrets {
  return new Map([...usesOf(kind), ...extra].map((name) => [name, random(32)]))
}
export type EdgeSecrets = ReadonlyMap<string, Uint8Array>

/** Text of the key file. It goes into a 0600 file and nowhere else. */
export function encodeEdgeSecrets(secrets: EdgeSecrets): Uint8Array {
  const entries = [...secrets].map(([name, bytes]) => [name, encodeBase64url(bytes)])
  return utf8(`${JSON.stringify({ v: 1, secrets: Object.fromEntries(entries) }, null, 1)}\n`)
}

/** @throws {EdgeError} KEYS_INVALID, without a word of what the file holds */
export function parseEdgeSecrets(bytes: Uint8Array): EdgeSecrets {
  try {
    const { secrets } = fileShape(parseStrictJson(decodeUtf8(bytes), { maxBytes: 16_384, maxDepth: 3 }), KEY_FILE)
    return new Map(Object.entries(secrets).map(([name, text]) => [name, decodeBase64url(text)]))
  } catch {
    throw new EdgeError('KEYS_INVALID', `${KEY_FILE} is not a key file of this version`)
  }
}

/**
 * The keys of an edge of this kind.
 * @throws {EdgeError} KEYS_INVALID when one is missing
 */
export function edgeKeysOf<K extends EdgeKind>(kind: K, secrets: EdgeSecrets, hide: Hide): EdgeKeys<K> {
  const made = usesOf(kind).map((use) => [use, edgeKeyOf(kind, use, secretOf(secrets, use), hide)] as const)
  return Object.fromEntries(made) as unknown as EdgeKeys<K>
}

/** @throws {EdgeError} KEYS_INVALID */
export function secretOf(secrets: EdgeSecrets, name: string): Uint8Array {
  const secret = secrets.get(name)
  if (!secret) throw new EdgeError('KEYS_INVALID', `${KEY_FILE} has no ${name} key`)
  return secret
}

function edgeKeyOf<K extends EdgeKind>(kind: K, use: EdgeKeyUse<K>, secret: Uint8Array, hide: Hide): EdgeKey {
  const alg = (EDGE_KEYS[kind] as Record<string, 'ed25519' | 'x25519'>)[use]!
  const raw = alg === 'ed25519' ? ed25519PublicKey(secret) : x25519PublicKey(secret)
  const key: PublicKey = { use: use as PublicKey['use'], alg, key: encodeBase64url(raw) }
  return { kid: keyIdOf(key), public: key, secret: hide(secret) }
}
