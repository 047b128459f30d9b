// Noise_IK_25519_ChaChaPoly_SHA256, revision 34 of the Noise Protocol Framework, and nothing else of it:
//
//   <- s                        the initiator knows the responder's static key (from the authority log)
//   -> e, es, s, ss             message 1
//   <- e, ee, se                message 2; then Split()
import { expand, extract } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { VerifyError } from '../errors.ts'
import type { Suite } from '../key/suite.ts'
import { CipherState } from './cipher.ts'

/** Exactly HASHLEN bytes long, so it stands as the first h itself (§5.2). */
const PROTOCOL_NAME = utf8('Noise_IK_25519_ChaChaPoly_SHA256')
const DH_BYTES = 32
const TAG_BYTES = 16
const NOTHING = new Uint8Array(0)

export interface HandshakeKeys {
  /** Secret of this end's static key, 32 bytes. */
  readonly staticSecret: Uint8Array
  /** 32 fresh random bytes, used for this handshake only. */
  readonly ephemeralSecret: Uint8Array
  /** What both ends must agree on beforehand; a difference makes the handshake fail. */
  readonly prologue: Uint8Array
  readonly suite: Suite
}

/** Transport keys of both directions (`toResponder`, `toInitiator`), and h: what binds signatures to this channel. */
export interface Split {
  readonly toResponder: CipherState
  readonly toInitiator: CipherState
  readonly handshakeHash: Uint8Array
}

const refused = (message: string) => new VerifyError('BAD_HANDSHAKE', message)

/** @throws {VerifyError} BAD_HANDSHAKE for an all-zero result, i.e. a key of small order: it would fix the secret in advance. */
function dh(secret: Uint8Array, publicKey: Uint8Array, suite: Suite): Uint8Array {
  const shared = suite.x25519(secret, publicKey)
  if (!shared) throw refused('a key of small order')
  return shared
}

/** SymmetricState (§5.2) with the tokens both roles share. */
class Symmetric {
  readonly #suite: Suite
  #chainingKey = PROTOCOL_NAME
  #cipher: CipherState | undefined
  hash = PROTOCOL_NAME

  constructor(prologue: Uint8Array, responderStatic: Uint8Array, suite: Suite) {
    this.#suite = suite
    this.mixHash(prologue)
    this.mixHash(responderStatic)
  }

  mixHash(data: Uint8Array): void {
    this.hash = this.#suite.sha256(concatBytes(this.hash, data))
  }

  mixKey(secret: Uint8Array): void {
    const [chainingKey, key] = this.#hkdf(secret)
    this.#chainingKey = chainingKey
    this.#cipher = new CipherState(key, this.#suite)
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const ciphertext = this.#cipher!.encrypt(this.hash, plaintext)
    this.mixHash(ciphertext)
    return ciphertext
  }

  decryptAndHash(ciphertext: Uint8Array): Uint8Array {
    const plaintext = this.#cipher!.decrypt(this.hash, ciphertext)
    if (!plaintext) throw refused('not for this key, not from who it claims, or changed on the way')
    this.mixHash(ciphertext)
    return plaintext
  }

  split(): Split {
    const [first, second] = this.#hkdf(NOTHING)
    const [toResponder, toInitiator] = [new CipherState(first, this.#suite), new CipherState(second, this.#suite)]
    return { toResponder, toInitiator, handshakeHash: this.hash }
  }

  /** HKDF of §4.3 with two outputs, which is RFC 5869 with an empty info. */
  #hkdf(input: Uint8Array): [Uint8Array, Uint8Array] {
    const both = expand(sha256, extract(sha256, input, this.#chainingKey), NOTHING, 64)
    return [both.slice(0, 32), both.slice(32)]
  }
}

/** The agent's side. One object makes one handshake. */
export class NoiseInitiator {
  readonly #keys: HandshakeKeys
  readonly #symmetric: Symmetric
  readonly #remoteStatic: Uint8Array

  constructor(keys: HandshakeKeys, remoteStatic: Uint8Array) {
    this.#keys = keys
    this.#remoteStatic = remoteStatic
    this.#symmetric = new Symmetric(keys.prologue, remoteStatic, keys.suite)
  }

  writeMessage1(payload: Uint8Array): Uint8Array {
    const { staticSecret, ephemeralSecret, suite } = this.#keys
    const ephemeral = suite.x25519PublicKey(ephemeralSecret)
    this.#symmetric.mixHash(ephemeral)
    this.#symmetric.mixKey(dh(ephemeralSecret, this.#remoteStatic, suite)) // es
    const sealedStatic = this.#symmetric.encryptAndHash(suite.x25519PublicKey(staticSecret)) // s
    this.#symmetric.mixKey(dh(staticSecret, this.#remoteStatic, suite)) // ss
    return concatBytes(ephemeral, sealedStatic, this.#symmetric.encryptAndHash(payload))
  }

  readMessage2(message: Uint8Array): { payload: Uint8Array; split: Split } {
    if (message.length < DH_BYTES + TAG_BYTES) throw refused('message 2 is too short')
    const remoteEphemeral = message.slice(0, DH_BYTES)
    this.#symmetric.mixHash(remoteEphemeral)
    const { staticSecret, ephemeralSecret, suite } = this.#keys
    this.#symmetric.mixKey(dh(ephemeralSecret, remoteEphemeral, suite)) // ee
    this.#symmetric.mixKey(dh(staticSecret, remoteEphemeral, suite)) // se
    const payload = this.#symmetric.decryptAndHash(message.subarray(DH_BYTES))
    return { payload, split: this.#symmetric.split() }
  }
}

/** The gateway's side. One object makes one handshake. */
export class NoiseResponder {
  readonly #keys: HandshakeKeys
  readonly #symmetric: Symmetric
  #remoteEphemeral: Uint8Array = NOTHING
  #remoteStatic: Uint8Array = NOTHING

  constructor(keys: HandshakeKeys) {
    this.#keys = keys
    this.#symmetric = new Symmetric(keys.prologue, keys.suite.x25519PublicKey(keys.staticSecret), keys.suite)
  }

  readMessage1(message: Uint8Array): { remoteStatic: Uint8Array; payload: Uint8Array } {
    const staticEnd = DH_BYTES + DH_BYTES + TAG_BYTES
    if (message.length < staticEnd + TAG_BYTES) throw refused('message 1 is too short')
    const { staticSecret, suite } = this.#keys
    this.#remoteEphemeral = message.slice(0, DH_BYTES)
    this.#symmetric.mixHash(this.#remoteEphemeral)
    this.#symmetric.mixKey(dh(staticSecret, this.#remoteEphemeral, suite)) // es
    this.#remoteStatic = this.#symmetric.decryptAndHash(message.subarray(DH_BYTES, staticEnd)) // s
    this.#symmetric.mixKey(dh(staticSecret, this.#remoteStatic, suite)) // ss
    return { remoteStatic: this.#remoteStatic, payload: this.#symmetric.decryptAndHash(message.subarray(staticEnd)) }
  }

  writeMessage2(payload: Uint8Array): { message: Uint8Array; split: Split } {
    const { ephemeralSecret, suite } = this.#keys
    const ephemeral = suite.x25519PublicKey(ephemeralSecret)
    this.#symmetric.mixHash(ephemeral)
    this.#symmetric.mixKey(dh(ephemeralSecret, this.#remoteEphemeral, suite)) // ee
    this.#symmetric.mixKey(dh(ephemeralSecret, this.#remoteStatic, suite)) // se
    const message = concatBytes(ephemeral, this.#symmetric.encryptAndHash(payload))
    return { message, split: this.#symmetric.split() }
  }
}
