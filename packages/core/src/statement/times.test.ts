import fc from 'fast-check'
import { expect, test } from 'vitest'
import { durationText, utcText } from './times.ts'

test('dates agree with the platform’s calendar, for every second of ten millennia', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
      const iso = new Date(seconds * 1000).toISOString()
      const clock = seconds % 60 === 0 ? iso.slice(11, 16) : iso.slice(11, 19)
      expect(utcText(seconds)).toBe(`${iso.slice(0, 10)} ${clock} UTC`)
    }),
    { numRuns: 1_000 },
  )
})

test.each([
  [0, '0 seconds'],
  [1, '1 second'],
  [90, '1 minute and 30 seconds'],
  [3_600, '1 hour'],
  [86_400, '1 day'],
  [2_592_000, '30 days'],
  [694_861, '8 days, 1 hour, 1 minute and 1 second'],
])('%i seconds in words: %s', (seconds, words) => {
  expect(durationText(seconds)).toBe(words)
})
