import { expect, test } from 'vitest'
import { difference } from './use-still-rows.ts'

const rows = (text: string) => [...text]

test.each([
  ['abcde', 'abcde', 0],
  ['abcde', 'bcdea', 1],
  ['abcde', 'eabcd', 1],
  ['abcde', 'xabcde', 1],
  ['abcde', 'abde', 1],
  ['abcde', 'edcba', 4],
  ['abc', 'xyz', 6],
  ['', 'ab', 2],
])('from %s to %s so few rows come, go or move: %i', (shown, wanted, n) => {
  expect(difference(rows(shown), rows(wanted))).toBe(n)
})
