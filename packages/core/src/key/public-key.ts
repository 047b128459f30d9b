import { sha256 } from '@noble/hashes/sha2.js'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import type { Shape } from '../bytes/shape.ts'
import { digest } from '../bytes/shape.ts'

declare const brand: unique symbol
/** SHA-256 of the raw public key, base64url. Says nothing about algorithm or use: one key has one of each, in the log. */
export type KeyId = string & { readonly [brand]: 'KeyId' }

export const KEY_USES = ['sign', 'recovery', 'seal', 'issue', 'receipt', 'auth', 'call', 'channel', 'invite'] as const
export type KeyUse = (typeof KEY_USES)[number]

export const KEY_ALGS = ['ed25519', 'x25519', 'ssh-ed25519', 'sk-ssh-ed25519', 'sk-ecdsa-p256', 'webauthn-es256'] as const
export type KeyAlg = (typeof KEY_ALGS)[number]

/**
 * A public key as enrolled: one key, one use. `key` is the raw key in base64url (32 bytes; P-256 65, uncompressed).
 * @see packages/core/spec/key.md §2
 */
export type PublicKey = {
  readonly use: KeyUse
  readonly alg: KeyAlg
  readonly key: string
  /** FIDO application of an `sk-` key, e.g. `ssh:`. */
  readonly app?: string
  /** Credential id of a passkey, base64url: which one to ask the authenticator for. */
  readonly credential?: string
  /** The passkey was enrolled as bound to its device: not eligible for backup. */
  readonly device_bound?: boolean
}

export const keyId = (raw: Uint8Array): KeyId => encodeBase64url(sha256(raw)) as KeyId
export const rawKey = (key: PublicKey): Uint8Array => decodeBase64url(key.key)
export const keyIdOf = (key: PublicKey): KeyId => keyId(rawKey(key))
export const keyIdShape: Shape<KeyId> = (value, path) => digest(value, path) as KeyId
