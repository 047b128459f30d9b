import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromHex, outcome, readVectors } from '../../../../test/read-vectors.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { decodeBase64url, encodeBase64url } from './base64url.ts'

test.each(readVectors<{ text: string; hex?: string }>('canonical-json/base64url.json'))(
  '$name → $expect',
  ({ text, hex, expect: code }) => {
    expect(outcome(() => decodeBase64url(text))).toBe(code)
    if (hex === undefined) return
    expect(decodeBase64url(text)).toEqual(fromHex(hex))
    expect(encodeBase64url(fromHex(hex))).toBe(text)
  },
)

test('every byte string has one text, the one Node makes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = encodeBase64url(bytes)
      expect(text).toBe(Buffer.from(bytes).toString('base64url'))
      expect(decodeBase64url(text)).toEqual(bytes)
      expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
      expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes)
    }),
  )
})

test('a text that decodes is the text of what it decodes to', () => {
  const character = fc.constantFrom(...'ABCDwxyz0189-_+/= \n')
  fc.assert(
    fc.property(fc.string({ unit: character, maxLength: 12 }), (text) => {
      if (outcome(() => decodeBase64url(text)) === 'ok') expect(encodeBase64url(decodeBase64url(text))).toBe(text)
      if (outcome(() => decodeBase64(text)) === 'ok') expect(encodeBase64(decodeBase64(text))).toBe(text)
    }),
    { numRuns: 2_000 },
  )
})

test.each(['A', 'AAA', 'AA==\n', 'A===', '====', 'AB==', 'A-_=', 'AA=A'])('base64 refuses %j', (text) => {
  expect(outcome(() => decodeBase64(text))).toBe('MALFORMED')
})
