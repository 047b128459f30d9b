import { expect, test } from 'vitest'
import { sinceOf } from './since.ts'

const now = 1_795_161_600

test.each([
  ['90m', now - 5400],
  ['24h', now - 86_400],
  ['7d', now - 604_800],
  ['2026-11-20', 1_795_132_800],
  ['2026-11-20T08:00:00Z', now],
  ['1795161600', now],
])('%s is %d', (text, seconds) => {
  expect(sinceOf(text, now)).toBe(seconds)
})

test.each(['yesterday', '24', '7 d', '', '2026-13-40'])('%j is wrong usage', (text) => {
  expect(() => sinceOf(text, now)).toThrow(expect.objectContaining({ code: 'USAGE' }))
})
