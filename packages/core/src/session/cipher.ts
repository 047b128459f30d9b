import type { Suite } from '../key/suite.ts'

/** Both ends change a direction's key after this many of its messages, so an old key opens at most that many. */
export const REKEY_AFTER_MESSAGES = 2 ** 16
const NO_DATA = new Uint8Array(0)
const ZEROS = new Uint8Array(32)

/** CipherState of the Noise framework (§5.1): one key, one direction, a counter that no nonce leaves twice. */
export class CipherState {
  #key: Uint8Array
  readonly #suite: Suite
  readonly #nonce = new Uint8Array(12)
  readonly #counter = new DataView(this.#nonce.buffer)
  #n = 0

  constructor(key: Uint8Array, suite: Suite) {
    this.#key = key
    this.#suite = suite
  }

  encrypt(aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const sealed = this.#suite.sealChaCha(this.#key, this.#nonceOf(this.#n), aad, plaintext)
    this.#advance()
    return sealed
  }

  /** Undefined when it does not open; the counter then stands still, and the caller ends the session. */
  decrypt(aad: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    const opened = this.#suite.openChaCha(this.#key, this.#nonceOf(this.#n), aad, ciphertext)
    if (opened) this.#advance()
    return opened
  }

  /** Forgets the key. */
  erase(): void {
    this.#key.fill(0)
  }

  #advance(): void {
    this.#n += 1
    if (this.#n % REKEY_AFTER_MESSAGES === 0) this.#rekey()
  }

  /** REKEY() (§4.2): the first 32 bytes of ENCRYPT(k, 2^64 − 1, empty, 32 zeros). The counter goes on. */
  #rekey(): void {
    const next = this.#suite.sealChaCha(this.#key, this.#maximumNonce(), NO_DATA, ZEROS).slice(0, 32)
    this.erase()
    this.#key = next
  }

  /** Four zero bytes, then n in 64 bits little-endian (§12.3). n stays far below 2^53: that is 9 PB of the shortest messages. */
  #nonceOf(n: number): Uint8Array {
    this.#counter.setUint32(4, n >>> 0, true)
    this.#counter.setUint32(8, Math.floor(n / 2 ** 32), true)
    return this.#nonce
  }

  #maximumNonce(): Uint8Array {
    return new Uint8Array(12).fill(0xff, 4)
  }
}
