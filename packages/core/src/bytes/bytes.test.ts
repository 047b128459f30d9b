import { expect, test } from 'vitest'
import { concatBytes, decodeUtf8, equalBytes, utf8 } from './bytes.ts'
import { parseUrl } from './platform.ts'

test('text goes to UTF-8 and back', () => {
  expect(utf8('é🙂')).toEqual(Uint8Array.of(0xc3, 0xa9, 0xf0, 0x9f, 0x99, 0x82))
  expect(decodeUtf8(utf8('é🙂\u0000'))).toBe('é🙂\u0000')
})

test.each([
  ['a byte order mark', [0xef, 0xbb, 0xbf, 0x41]],
  ['a stray continuation', [0x80]],
  ['an overlong slash', [0xc0, 0xaf]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['a code point beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
])('%s is not text', (_name, bytes) => {
  expect(() => decodeUtf8(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code: 'MALFORMED' }))
})

test('bytes are joined in order and compared by value', () => {
  expect(concatBytes()).toEqual(new Uint8Array())
  expect(concatBytes(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3))).toEqual(Uint8Array.of(1, 2, 3))
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true)
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false)
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false)
})

test('a URL is parsed or undefined', () => {
  expect(parseUrl('https://example.org:8443/a?b#c')).toMatchObject({ origin: 'https://example.org:8443', pathname: '/a', hash: '#c' })
  expect(parseUrl('/a')).toBeUndefined()
})
