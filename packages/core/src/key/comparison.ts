import { sha256 } from '@noble/hashes/sha2.js'
import { decodeBase64url } from '../bytes/base64url.ts'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { WORDS } from './words.ts'

const LABEL = utf8('postern-words-v1\0')
const APPROVAL = utf8('postern-approval-words-v1\0')

/**
 * Six words (66 bits) that a person compares on two screens before an enrolment is signed. Each side computes them from its
 * own pin of the organisation and from the request's exact bytes.
 * @see packages/core/spec/key.md §6
 */
export const comparisonWords = (org: string, requestBytes: Uint8Array): readonly string[] =>
  wordsOf(sha256(concatBytes(LABEL, decodeBase64url(org), requestBytes)), 6)

/** Eight words (88 bits): the beginning of the organisation's id itself. */
export const organisationWords = (org: string): readonly string[] => wordsOf(decodeBase64url(org), 8)

/**
 * Four words (44 bits) by which a person who sees both screens tells which held call this is. A help to the eye, never a check: the
 * signature names the call by its whole hash.
 * @see packages/core/spec/approval.md §5
 */
export const approvalWords = (org: string, cth: string): readonly string[] =>
  wordsOf(sha256(concatBytes(APPROVAL, decodeBase64url(org), decodeBase64url(cth))), 4)

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
