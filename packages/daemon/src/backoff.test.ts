import { expect, test } from 'vitest'
import { createBackoff } from './backoff.ts'
import { createJumpDetector } from './clock.ts'
import { createMetrics } from './metrics.ts'

test('waits double up to their bound, and start anew after a success', () => {
  const backoff = createBackoff({ firstMs: 100, maxMs: 1000, random: () => 1 })
  expect([1, 2, 3, 4, 5, 6].map(() => backoff.next())).toEqual([100, 200, 400, 800, 1000, 1000])
  backoff.reset()
  expect(backoff.next()).toBe(100)
})

test('each wait is drawn between half its bound and the bound', () => {
  const least = createBackoff({ firstMs: 100, random: () => 0 })
  expect([least.next(), least.next()]).toEqual([50, 100])
  const drawn = Array.from({ length: 100 }, () => createBackoff({ firstMs: 100 }).next())
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(50)
  expect(Math.max(...drawn)).toBeLessThanOrEqual(100)
})

test('a clock that leaves the monotonic one by more than five seconds has jumped, once, either way', () => {
  let [wall, monotonic] = [1_000_000, 0]
  const detector = createJumpDetector({ clock: { wall: () => wall, monotonic: () => monotonic } })
  const pass = (wallMs: number, monotonicMs: number) => {
    wall += wallMs
    monotonic += monotonicMs
    return detector.check()
  }
  expect(pass(3_600_000, 3_600_000)).toBe(0)
  expect(pass(5_000, 0)).toBe(0)
  expect(pass(5_001, 0)).toBeCloseTo(5.001)
  expect(pass(1_000, 1_000)).toBe(0)
  expect(pass(-60_000, 0)).toBe(-60)
})

test('a counter of one name is one counter', () => {
  const metrics = createMetrics()
  metrics.counter('frames_total').add()
  metrics.counter('frames_total').add(4)
  expect(metrics.snapshot()).toEqual({ frames_total: 5 })
})
