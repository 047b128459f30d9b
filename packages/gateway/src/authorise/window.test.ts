import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCounterWindow } from './window.ts'

test('no counter is taken twice, in any order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 400 }), (counters) => {
      const window = createCounterWindow()
      const taken = counters.filter((n) => window.take(n))
      expect(new Set(taken).size).toBe(taken.length)
    }),
  )
})

test('every counter of the last 64 is taken once, whatever the order', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(Array.from({ length: 64 }, (_, i) => i + 1)), (counters) => {
      const window = createCounterWindow()
      window.take(64)
      for (const n of counters) expect(window.take(n)).toBe(n !== 64)
    }),
  )
})

test('a counter 64 behind the highest is too old', () => {
  const window = createCounterWindow()
  expect(window.take(100)).toBe(true)
  expect(window.take(37)).toBe(true)
  expect(window.take(36)).toBe(false)
})

test('a leap far ahead forgets nothing it should know', () => {
  const window = createCounterWindow()
  window.take(1)
  expect(window.take(2 ** 53 - 1)).toBe(true)
  expect(window.take(2 ** 53 - 1)).toBe(false)
  expect(window.take(1)).toBe(false)
})

test('looking does not take', () => {
  const window = createCounterWindow()
  expect(window.isFresh(5)).toBe(true)
  expect(window.take(5)).toBe(true)
  expect(window.isFresh(5)).toBe(false)
})
