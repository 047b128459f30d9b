import fc from 'fast-check'
import { expect, test } from 'vitest'
import { escapeLines, escapeText, safeJson } from './escape.ts'

test.each([
  ['plain', 'plain'],
  ['Grüße, 世界 ✓', 'Grüße, 世界 ✓'],
  ['\u001b[2J\u001b]0;title\u0007', '<U+001B>[2J<U+001B>]0;title<U+0007>'],
  ['a\tb\nc\rd', 'a<U+0009>b<U+000A>c<U+000D>d'],
  ['\u202egnp.exe', '<U+202E>gnp.exe'],
  ['zero\u200bwidth\ufeff', 'zero<U+200B>width<U+FEFF>'],
  ['\u{e0041}tag', '<U+E0041>tag'],
  ['line\u2028end', 'line<U+2028>end'],
  ['\u009b31m', '<U+009B>31m'],
  ['half \ud800 pair', 'half <U+D800> pair'],
])('a hostile text is shown and cannot act: %j', (text, shown) => {
  expect(escapeText(text)).toBe(shown)
})

test('whatever comes in, nothing leaves that a terminal obeys', () => {
  const obeyed = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !obeyed.test(escapeText(text))))
})

test('lines stay lines', () => {
  expect(escapeLines('{\r\n "a": "\u0007"\n}')).toBe('{\n "a": "<U+0007>"\n}')
})

test('JSON is safe to print and says the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const printed = safeJson({ text })
      expect(JSON.parse(printed)).toEqual({ text })
      expect(printed).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    }),
  )
})
