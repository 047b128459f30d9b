// RFC 9180 base mode, one suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305. packages/core/spec/seal.md §1
import { expand, extract } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { VerifyError } from '../errors.ts'
import type { Suite } from '../key/suite.ts'

const KEM_SUITE = concatBytes(utf8('KEM'), Uint8Array.of(0x00, 0x20))
const HPKE_SUITE = concatBytes(utf8('HPKE'), Uint8Array.of(0x00, 0x20, 0x00, 0x01, 0x00, 0x03))
const EMPTY = new Uint8Array(0)
const ENC_BYTES = 32
const TAG_BYTES = 16

/** RFC 9180 §5.3: secrets that both ends of one sealing can derive, told apart by a label. */
export type Exporter = (label: string, length: number) => Uint8Array

type Seal = Pick<Suite, 'sealChaCha' | 'x25519' | 'x25519PublicKey'>
type Open = Pick<Suite, 'openChaCha' | 'x25519' | 'x25519PublicKey'>

/**
 * Seals to an X25519 key: `enc ‖ ciphertext`, 48 bytes longer than the plaintext. Anybody can seal: says nothing about who did.
 * @param random Gives the 32-byte ephemeral secret, new for every sealing.
 * @throws {VerifyError} BAD_KEY for a key of another size or of small order
 * @see packages/core/spec/seal.md §1
 */
export function sealTo(
  publicKey: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
  random: (n: number) => Uint8Array,
  suite: Seal,
): { sealed: Uint8Array; exporter: Exporter } {
  const ephemeral = random(32)
  const enc = suite.x25519PublicKey(ephemeral)
  const dh = publicKey.length === ENC_BYTES ? suite.x25519(ephemeral, publicKey) : undefined
  if (!dh) throw new VerifyError('BAD_KEY', 'not an X25519 key of large order')
  const { key, nonce, exporter } = keySchedule(sharedSecret(dh, enc, publicKey), info)
  return { sealed: concatBytes(enc, suite.sealChaCha(key, nonce, aad, plaintext)), exporter }
}

/**
 * Opens what `sealTo` sealed to this secret, with the same `info` and `aad`.
 * @throws {VerifyError} CANNOT_OPEN, whatever the reason
 */
export function openSealed(
  secret: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
  suite: Open,
): { plaintext: Uint8Array; exporter: Exporter } {
  if (sealed.length < ENC_BYTES + TAG_BYTES) throw new VerifyError('CANNOT_OPEN', 'shorter than anything sealed')
  const enc = sealed.subarray(0, ENC_BYTES)
  const { key, nonce, exporter } = keySchedule(decapsulate(secret, enc, suite), info)
  const plaintext = suite.openChaCha(key, nonce, aad, sealed.subarray(ENC_BYTES))
  if (!plaintext) throw new VerifyError('CANNOT_OPEN', 'sealed for another key or purpose, or changed')
  return { plaintext, exporter }
}

function decapsulate(secret: Uint8Array, enc: Uint8Array, suite: Open): Uint8Array {
  const dh = suite.x25519(secret, enc)
  if (!dh) throw new VerifyError('CANNOT_OPEN', 'its ephemeral key is of small order')
  return sharedSecret(dh, enc, suite.x25519PublicKey(secret))
}

/** RFC 9180 §4.1. The suite gives no all-zero `dh`, as §7.1.4 asks. */
const sharedSecret = (dh: Uint8Array, enc: Uint8Array, recipient: Uint8Array): Uint8Array =>
  labeledExpand(KEM_SUITE, labeledExtract(KEM_SUITE, EMPTY, 'eae_prk', dh), 'shared_secret', concatBytes(enc, recipient), 32)

/** RFC 9180 §5.1, base mode, first (and only) message: the nonce is the base nonce. */
function keySchedule(shared: Uint8Array, info: Uint8Array): { key: Uint8Array; nonce: Uint8Array; exporter: Exporter } {
  const pskIdHash = labeledExtract(HPKE_SUITE, EMPTY, 'psk_id_hash', EMPTY)
  const infoHash = labeledExtract(HPKE_SUITE, EMPTY, 'info_hash', info)
  const context = concatBytes(Uint8Array.of(0x00), pskIdHash, infoHash)
  const secret = labeledExtract(HPKE_SUITE, shared, 'secret', EMPTY)
  const exporterSecret = labeledExpand(HPKE_SUITE, secret, 'exp', context, 32)
  return {
    key: labeledExpand(HPKE_SUITE, secret, 'key', context, 32),
    nonce: labeledExpand(HPKE_SUITE, secret, 'base_nonce', context, 12),
    exporter: (label, length) => labeledExpand(HPKE_SUITE, exporterSecret, 'sec', utf8(label), length),
  }
}

const VERSION = utf8('HPKE-v1')
const labeledExtract = (suiteId: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array) =>
  extract(sha256, concatBytes(VERSION, suiteId, utf8(label), ikm), salt)
const labeledExpand = (suiteId: Uint8Array, prk: Uint8Array, label: string, info: Uint8Array, length: number) =>
  expand(sha256, prk, concatBytes(Uint8Array.of(length >> 8, length & 255), VERSION, suiteId, utf8(label), info), length)
