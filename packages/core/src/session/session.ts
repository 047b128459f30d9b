import { concatBytes } from '../bytes/bytes.ts'
import { VerifyError } from '../errors.ts'
import type { CipherState } from './cipher.ts'

/** Longest Noise message, and so longest fragment. */
export const MAX_FRAGMENT_BYTES = 65_535
/** Longest message, on both sides. */
export const MAX_MESSAGE_BYTES = 8 << 20
const TAG_BYTES = 16
const HEADER_BYTES = 3
const MAX_DATA_BYTES = MAX_FRAGMENT_BYTES - TAG_BYTES - HEADER_BYTES
/** Everything up to this size looks alike from outside. */
const SMALLEST_PLAINTEXT_BYTES = 256
const NO_AAD = new Uint8Array(0)

/**
 * An established channel, seen from one end. Messages of any size up to 8 MiB become fragments of at most 65,535 bytes; they open only
 * complete, unchanged, once and in the order they were sealed. The first thing that does not is the end of the session: what was not
 * authentic is never delivered, and nothing after it either.
 *
 *   fragment = ChaCha20-Poly1305( last 1 │ length 2 │ data │ zeros )
 *
 * @see packages/core/spec/channel.md §4
 */
export class Session {
  /** 32 bytes, the same at both ends and nowhere else: a signature over it counts on this channel only. */
  readonly handshakeHash: Uint8Array
  /** The other end's static key, proven by the handshake. */
  readonly remoteStatic: Uint8Array
  readonly #sending: CipherState
  readonly #receiving: CipherState
  #hasEnded = false
  #parts: Uint8Array[] = []
  #partBytes = 0

  constructor(sending: CipherState, receiving: CipherState, handshakeHash: Uint8Array, remoteStatic: Uint8Array) {
    this.#sending = sending
    this.#receiving = receiving
    this.handshakeHash = handshakeHash
    this.remoteStatic = remoteStatic
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /**
   * Seals one message. All fragments must be sent, in this order, before those of the next.
   * @throws {VerifyError} TOO_LARGE (the session goes on), SESSION_ENDED
   */
  seal(message: Uint8Array): Uint8Array[] {
    this.#refuseEnded()
    if (message.length > MAX_MESSAGE_BYTES) throw new VerifyError('TOO_LARGE', `a message of ${message.length} bytes`)
    const fragments: Uint8Array[] = []
    for (let at = 0; at < message.length || at === 0; at += MAX_DATA_BYTES) {
      const data = message.subarray(at, at + MAX_DATA_BYTES)
      fragments.push(this.#sending.encrypt(NO_AAD, framed(data, at + MAX_DATA_BYTES >= message.length)))
    }
    return fragments
  }

  /**
   * Opens the next fragment.
   * @returns The message it completes, or undefined when more fragments follow.
   * @throws {VerifyError} CANNOT_OPEN: changed, repeated, out of order, after a loss, or not from the other end. MALFORMED, TOO_LARGE:
   *   authentic, but not as agreed. SESSION_ENDED. After any of them the session has ended.
   */
  open(fragment: Uint8Array): Uint8Array | undefined {
    this.#refuseEnded()
    try {
      return this.#open(fragment)
    } catch (error) {
      this.end()
      throw error
    }
  }

  /** Forgets the keys and whatever was half received. */
  end(): void {
    this.#hasEnded = true
    this.#sending.erase()
    this.#receiving.erase()
    this.#parts = []
  }

  #open(fragment: Uint8Array): Uint8Array | undefined {
    if (fragment.length > MAX_FRAGMENT_BYTES) throw new VerifyError('TOO_LARGE', `a fragment of ${fragment.length} bytes`)
    const plaintext = this.#receiving.decrypt(NO_AAD, fragment)
    if (!plaintext) throw new VerifyError('CANNOT_OPEN', 'the fragment is not the next one of this channel')
    const { isLast, data } = unframed(plaintext)
    this.#partBytes += data.length
    if (this.#partBytes > MAX_MESSAGE_BYTES) throw new VerifyError('TOO_LARGE', `a message of more than ${MAX_MESSAGE_BYTES} bytes`)
    return this.#assemble(data, isLast)
  }

  #assemble(data: Uint8Array, isLast: boolean): Uint8Array | undefined {
    if (isLast && this.#parts.length === 0) {
      this.#partBytes = 0
      return data
    }
    this.#parts.push(data)
    if (!isLast) return undefined
    const message = concatBytes(...this.#parts)
    this.#parts = []
    this.#partBytes = 0
    return message
  }

  #refuseEnded(): void {
    if (this.#hasEnded) throw new VerifyError('SESSION_ENDED', 'this channel has ended')
  }
}

function framed(data: Uint8Array, isLast: boolean): Uint8Array {
  const plaintext = new Uint8Array(paddedLength(HEADER_BYTES + data.length))
  plaintext[0] = isLast ? 1 : 0
  plaintext[1] = data.length >>> 8
  plaintext[2] = data.length & 0xff
  plaintext.set(data, HEADER_BYTES)
  return plaintext
}

/** Padmé: at most 12 % more, and lengths then tell only O(log log n) bits about what is inside. @see packages/core/spec/channel.md §4 */
function paddedLength(length: number): number {
  if (length <= SMALLEST_PLAINTEXT_BYTES) return SMALLEST_PLAINTEXT_BYTES
  const exponent = 31 - Math.clz32(length)
  const keptBits = 32 - Math.clz32(exponent)
  const step = 2 ** (exponent - keptBits)
  return Math.min(Math.ceil(length / step) * step, HEADER_BYTES + MAX_DATA_BYTES)
}

function unframed(plaintext: Uint8Array): { isLast: boolean; data: Uint8Array } {
  if (plaintext.length < HEADER_BYTES) throw new VerifyError('MALFORMED', 'a fragment has at least 3 bytes inside')
  const [last, high, low] = plaintext as unknown as [number, number, number]
  const length = (high << 8) | low
  if (last > 1 || HEADER_BYTES + length > plaintext.length) throw new VerifyError('MALFORMED', 'a fragment with an impossible header')
  if (last === 0 && length !== MAX_DATA_BYTES) throw new VerifyError('MALFORMED', 'only the last fragment of a message may be short')
  if (plaintext.length !== paddedLength(HEADER_BYTES + length) || !isZero(plaintext, HEADER_BYTES + length)) {
    throw new VerifyError('MALFORMED', 'a fragment is not padded as agreed')
  }
  return { isLast: last === 1, data: plaintext.subarray(HEADER_BYTES, HEADER_BYTES + length) }
}

function isZero(bytes: Uint8Array, from: number): boolean {
  for (let i = from; i < bytes.length; i += 1) if (bytes[i] !== 0) return false
  return true
}
