import { expect, test } from 'vitest'
import { SIGNER_CODES } from '../errors.ts'
import { readOrigins } from '../served-for.ts'
import { words } from '../words.ts'
import { clockCheck } from './address.ts'
import { normalAtSign } from './login.ts'
import { twoPlaces } from './recovery-kit.ts'

test('every refusal has a title and a sentence', () => {
  for (const code of SIGNER_CODES) expect([code, words.refusals[code].title, words.refusals[code].text]).not.toContain('')
})

test('what people type as an atSign is read as they mean it', () => {
  expect(['ana', '@Ana', '  @ana ', '', '@'].map(normalAtSign)).toEqual(['@ana', '@ana', '@ana', '', '@'])
})

test('a clock that is more than a minute off is found; one that cannot be compared is said to be so', () => {
  const now = Date.parse('2026-11-27T12:00:00Z') / 1000
  const at = (date: string | null) => clockCheck(date, now).state
  expect(at('Fri, 27 Nov 2026 12:00:59 GMT')).toBe('ok')
  expect(at('Fri, 27 Nov 2026 12:02:00 GMT')).toBe('bad')
  expect(at('Fri, 27 Nov 2026 11:58:00 GMT')).toBe('bad')
  expect(at(null)).toBe('warn')
  expect(at('yesterday')).toBe('warn')
})

test('two different words of the kit are asked for, in order, whatever the dice say', () => {
  for (let i = 0; i < 256; i += 1) {
    const [first, second] = twoPlaces(
      Uint8Array.from({ length: 8 }, (_, j) => (i * 37 + j * 91) & 0xff),
      24,
    )
    expect(first).toBeLessThan(second)
    expect(second).toBeLessThan(24)
  }
})

test('only origins are taken from the header', () => {
  expect(readOrigins('http://localhost:3000 https://console.example https://x.example/path javascript:alert(1) *')).toEqual([
    'http://localhost:3000',
    'https://console.example',
  ])
  expect(readOrigins('')).toEqual([])
})
