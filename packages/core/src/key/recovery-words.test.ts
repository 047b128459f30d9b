import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromHex, outcome, readVectors } from '../../../../test/read-vectors.ts'
import { parseRecoveryWords, recoveryWords } from './recovery-words.ts'

const vectors = readVectors<{ seed?: string; words: string; typed?: string }>('key/recovery-words.json')

test.each(vectors)('a recovery kit: $name → $expect', ({ seed, words, typed, expect: code }) => {
  expect(outcome(() => parseRecoveryWords(typed ?? words))).toBe(code)
  if (seed === undefined) return
  expect(recoveryWords(fromHex(seed)).join(' ')).toBe(words)
  expect(parseRecoveryWords(typed ?? words)).toEqual(fromHex(seed))
})

test('any seed comes back from its words', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
      expect(parseRecoveryWords(recoveryWords(seed).join(' '))).toEqual(seed)
    }),
  )
})

test('what is refused says nothing of what was typed', () => {
  expect(() => parseRecoveryWords(`${'zoo '.repeat(23)}secretword`)).toThrow(/^word 24 is not in the list$/)
})

test('a seed has 32 bytes', () => {
  expect(() => recoveryWords(new Uint8Array(31))).toThrow(RangeError)
})
