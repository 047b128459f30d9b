import { sha256 } from '@noble/hashes/sha2.js'
import { decodeBase64url } from '../bytes/base64url.ts'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { WORDS } from './words.ts'

const LABEL = utf8('postern-words-v1\0')

/**
 * Six words (66 bits) that a person compares on two screens before an enrolment is signed. Each side computes them from its
 * own pin of the organisation and from the request's exact bytes.
 * @see packages/core/spec/key.md §6
 */
export const comparisonWords = (org: string, requestBytes: Uint8Array): readonly string[] =>
  wordsOf(sha256(concatBytes(LABEL, decodeBase64url(org), requestBytes)), 6)

/** Eight words (88 bits): the beginning of the organisation's id itself. */
export const organisationWords = (org: string): readonly string[] => wordsOf(decodeBase64url(org), 8)

/** The first `count` groups of 11 bits, most significant bit first. */
function wordsOf(bytes: Uint8Array, count: number): readonly string[] {
  const words: string[] = []
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    bits = (bits << 8) | byte
    held += 8
    if (held < 11) continue
    held -= 11
    words.push(WORDS[bits >> held]!)
    bits &= (1 << held) - 1
    if (words.length === count) return words
  }
  throw new RangeError(`${count} words need ${Math.ceil((count * 11) / 8)} bytes`)
}
