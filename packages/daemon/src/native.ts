import type { KeyObject } from 'node:crypto'
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  hash,
  sign,
  verify,
} from 'node:crypto'

/** DER up to the 32 raw bytes (RFC 8410): the one key import that every Node version has. */
const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex')
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_X25519 = Buffer.from('302a300506032b656e032100', 'hex')
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex')
const MAX_PUBLIC_KEYS = 4096
const KEY_BYTES = 32
const TAG_BYTES = 16

const publicKeys = new Map<string, KeyObject>()
const privateKeys: Cache = new WeakMap()
/** Ciphers take a key object in a third of the time that raw bytes take them. */
const cipherKeys: Cache = new WeakMap()
const exchangeKeys: Cache = new WeakMap()

/**
 * Node's own cryptography in the shape that the pure library takes for its fast paths: same answers as its portable one, several
 * times quicker. `verifyEd25519` is OpenSSL's check alone, NOT the whole acceptance rule for keys and signatures: only that rule
 * may call it. Results are plain `Uint8Array`, never `Buffer`, whose `slice` would share memory.
 */
export const native = {
  verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    return publicKey.length === KEY_BYTES && verify(null, message, publicKeyObject(publicKey), signature)
  },

  signEd25519(seed: Uint8Array, message: Uint8Array): Uint8Array {
    return plain(sign(null, message, held(privateKeys, seed, privateKeyObject).key))
  },

  sha256(message: Uint8Array): Uint8Array {
    return plain(hash('sha256', message, 'buffer'))
  },

  sha256Text: (message: Uint8Array | string): string => hash('sha256', message, 'base64url'),

  /** ChaCha20-Poly1305 (RFC 8439): ciphertext, then the 16-byte tag. */
  sealChaCha(key: Uint8Array, nonce12: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const cipher = createCipheriv('chacha20-poly1305', held(cipherKeys, key, createSecretKey).key, nonce12, { authTagLength: TAG_BYTES })
    cipher.setAAD(aad, { plaintextLength: plaintext.length })
    const sealed = new Uint8Array(plaintext.length + TAG_BYTES)
    sealed.set(cipher.update(plaintext))
    cipher.final()
    sealed.set(cipher.getAuthTag(), plaintext.length)
    return sealed
  },

  /** Undefined when the tag does not hold: nothing is released. */
  openChaCha(key: Uint8Array, nonce12: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    const length = ciphertext.length - TAG_BYTES
    if (length < 0) return undefined
    const decipher = createDecipheriv('chacha20-poly1305', held(cipherKeys, key, createSecretKey).key, nonce12, {
      authTagLength: TAG_BYTES,
    })
    decipher.setAuthTag(ciphertext.subarray(length))
    decipher.setAAD(aad, { plaintextLength: length })
    const plaintext = decipher.update(ciphertext.subarray(0, length))
    try {
      decipher.final()
    } catch {
      return undefined
    }
    return plain(plaintext)
  },

  /** RFC 7748. Undefined for an all-zero result, which OpenSSL refuses to give. */
  x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
    if (publicKey.length !== KEY_BYTES) throw new TypeError(`an X25519 key has 32 bytes, not ${publicKey.length}`)
    const peer = createPublicKey({ key: Buffer.concat([SPKI_X25519, publicKey]), format: 'der', type: 'spki' })
    try {
      return plain(diffieHellman({ privateKey: held(exchangeKeys, secret, x25519KeyObject).key, publicKey: peer }))
    } catch {
      return undefined
    }
  },

  x25519PublicKey(secret: Uint8Array): Uint8Array {
    const entry = held(exchangeKeys, secret, x25519KeyObject)
    entry.publicKey ??= createPublicKey(entry.key).export({ format: 'der', type: 'spki' }).subarray(SPKI_X25519.length)
    return Uint8Array.from(entry.publicKey)
  },
}

function x25519KeyObject(secret: Uint8Array): KeyObject {
  if (secret.length !== KEY_BYTES) throw new TypeError(`an X25519 secret has 32 bytes, not ${secret.length}`)
  return createPrivateKey({ key: Buffer.concat([PKCS8_X25519, secret]), format: 'der', type: 'pkcs8' })
}

const plain = (bytes: Uint8Array) => new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length)

function publicKeyObject(raw: Uint8Array): KeyObject {
  const id = Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString('latin1')
  const known = publicKeys.get(id)
  if (known) return known
  const key = createPublicKey({ key: Buffer.concat([SPKI_ED25519, raw]), format: 'der', type: 'spki' })
  if (publicKeys.size >= MAX_PUBLIC_KEYS) publicKeys.delete(publicKeys.keys().next().value!)
  publicKeys.set(id, key)
  return key
}

interface Held {
  readonly bytes: Uint8Array
  readonly key: KeyObject
  /** Of an X25519 secret, once somebody has asked. */
  publicKey?: Uint8Array
}
type Cache = WeakMap<Uint8Array, Held>

/** Cached by the array's identity, so no copy outlives its owner, and by its content, so that a reused buffer is used as what it holds. */
function held(cache: Cache, bytes: Uint8Array, make: (bytes: Uint8Array) => KeyObject): Held {
  const known = cache.get(bytes)
  if (known && Buffer.compare(known.bytes, bytes) === 0) return known
  const entry: Held = { bytes: Uint8Array.from(bytes), key: make(bytes) }
  cache.set(bytes, entry)
  return entry
}

function privateKeyObject(seed: Uint8Array): KeyObject {
  if (seed.length !== KEY_BYTES) throw new TypeError(`an Ed25519 seed has 32 bytes, not ${seed.length}`)
  return createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: 'der', type: 'pkcs8' })
}
