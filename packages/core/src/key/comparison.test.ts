import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { fromHex, readVectors } from '../../../../test/read-vectors.ts'
import { comparisonWords, organisationWords } from './comparison.ts'
import { WORDS } from './words.ts'

test('the list is the English list of BIP-39', () => {
  expect(WORDS).toHaveLength(2_048)
  const digest = createHash('sha256').update(WORDS.map((word) => `${word}\n`).join(''))
  expect(digest.digest('hex')).toBe('2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda')
})

type Case = { org: string; request: string; words: string[]; organisation: string[] }
test.each(readVectors<Case>('key/words.json'))('$name', ({ org, request, words, organisation }) => {
  expect(comparisonWords(org, fromHex(request))).toEqual(words)
  expect(organisationWords(org)).toEqual(organisation)
})

test('the words are the first 66 and 88 bits, eleven each', () => {
  const org = createHash('sha256').update('org').digest()
  const digest = createHash('sha256').update('postern-words-v1\0').update(org).update('request').digest()
  const bits = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const expected = (bytes: Uint8Array, count: number) =>
    Array.from({ length: count }, (_, i) => WORDS[Number.parseInt(bits(bytes).slice(11 * i, 11 * i + 11), 2)])
  expect(comparisonWords(org.toString('base64url'), new TextEncoder().encode('request'))).toEqual(expected(digest, 6))
  expect(organisationWords(org.toString('base64url'))).toEqual(expected(org, 8))
})

test('a pin that is too short has no words', () => {
  expect(() => organisationWords('AAAA')).toThrow(RangeError)
})
