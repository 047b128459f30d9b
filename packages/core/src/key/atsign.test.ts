import { expect, test } from 'vitest'
import { outcome, readVectors } from '../../../../test/read-vectors.ts'
import { atSignShape, isAtSign, parseAtSign } from './atsign.ts'

test.each(readVectors<{ text: string }>('atsign/atsign.json'))('$name → $expect', ({ text, expect: code }) => {
  expect(outcome(() => parseAtSign(text))).toBe(code)
  expect(outcome(() => atSignShape(text, 'who'))).toBe(code)
  expect(isAtSign(text)).toBe(code === 'ok')
})

test('what is not text is not an atSign', () => {
  for (const value of [undefined, null, 7, ['@ana'], { toString: () => '@ana' }]) expect(isAtSign(value)).toBe(false)
})
