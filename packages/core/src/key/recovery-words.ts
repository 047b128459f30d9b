import { sha256 } from '@noble/hashes/sha2.js'
import { VerifyError } from '../errors.ts'
import { WORDS } from './words.ts'

const SEED_BYTES = 32
const COUNT = 24
const BITS = 11

/**
 * The 24 words that stand for a recovery key's seed on paper: its 256 bits and an 8-bit checksum.
 * @see packages/core/spec/key.md §7
 */
export function recoveryWords(seed: Uint8Array): readonly string[] {
  if (seed.length !== SEED_BYTES) throw new RangeError(`a recovery seed has ${SEED_BYTES} bytes`)
  const bits = [...seed, sha256(seed)[0]!].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return Array.from({ length: COUNT }, (_, i) => WORDS[Number.parseInt(bits.slice(BITS * i, BITS * (i + 1)), 2)]!)
}

/**
 * Reads what was typed from a recovery kit: 24 words, or their first four letters; numbers, full stops and case do not matter.
 * @throws {VerifyError} MALFORMED, without a word of what was typed
 * @see packages/core/spec/key.md §7
 */
export function parseRecoveryWords(text: string): Uint8Array {
  const typed = text
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter(Boolean)
  if (typed.length !== COUNT) throw new VerifyError('MALFORMED', `expected ${COUNT} words, found ${typed.length}`)
  const bits = typed.map((word, i) => indexOf(word, i).toString(2).padStart(BITS, '0')).join('')
  const bytes = Uint8Array.from({ length: SEED_BYTES + 1 }, (_, i) => Number.parseInt(bits.slice(8 * i, 8 * (i + 1)), 2))
  const seed = bytes.subarray(0, SEED_BYTES)
  if (sha256(seed)[0] !== bytes[SEED_BYTES])
    throw new VerifyError('MALFORMED', 'these words do not belong together: one is wrong, or in another place')
  return seed.slice()
}

/** The first four letters tell any two words apart; some words have three. */
function indexOf(word: string, place: number): number {
  const found = WORDS.findIndex((known) => known === word || (word.length >= 4 && known.startsWith(word)))
  if (found < 0) throw new VerifyError('MALFORMED', `word ${place + 1} is not in the list`)
  return found
}
