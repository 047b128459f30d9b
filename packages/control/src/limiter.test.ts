import { expect, test } from 'vitest'
import { createLimiter, limited } from './limiter.ts'

test('a limiter lets so many through at once, and as many per minute after that', () => {
  let now = 0
  const limiter = createLimiter(60, () => now)
  for (let i = 0; i < 60; i++) {
    limiter.check()
    limiter.spend()
  }
  expect(() => limiter.check()).toThrow(expect.objectContaining({ code: 'TOO_MANY' }))
  now += 1000
  limiter.check()
  limiter.spend()
  expect(() => limiter.check()).toThrow()
  now += 60_000
  expect(() => limiter.check()).not.toThrow()
})

test('only failures count', async () => {
  const limiter = createLimiter(1, () => 0)
  for (let i = 0; i < 5; i++) expect(await limited(limiter, async () => i)).toBe(i)
  await expect(limited(limiter, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  await expect(limited(limiter, async () => 1)).rejects.toMatchObject({ code: 'TOO_MANY' })
})
