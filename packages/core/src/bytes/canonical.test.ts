import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromHex, outcome, readVectors } from '../../../../test/read-vectors.ts'
import { readSharedData } from '../../../../test/shared-data.ts'
import { skipped } from '../../../../test/skipped.ts'
import { decodeUtf8, utf8 } from './bytes.ts'
import { canonicalText, encodeCanonical, isSafeText, parseSigned } from './canonical.ts'
import type { JsonLimits, JsonValue } from './json.ts'

test.each(readVectors<{ json: string; canonical: string }>('canonical-json/encode.json'))('writes $name', ({ json, canonical }) => {
  expect(canonicalText(JSON.parse(json))).toBe(canonical)
})

test.each(readVectors<{ hex: string; limits?: JsonLimits }>('canonical-json/parse-signed.json'))(
  'reads $name → $expect',
  ({ hex, limits, expect: code }) => {
    expect(outcome(() => parseSigned(fromHex(hex), limits))).toBe(code)
  },
)

const published = readSharedData('vectors/jcs/rfc8785.json')
if (!published) skipped('published RFC 8785 vectors', 'no external data')
const jcs: { name: string; inputB64: string; outputB64: string }[] = JSON.parse(published ?? '[]')
test.runIf(published)('writes the published RFC 8785 vectors', () => {
  expect(jcs).toHaveLength(6)
  for (const { inputB64, outputB64 } of jcs) {
    const value = JSON.parse(Buffer.from(inputB64, 'base64').toString('utf8'))
    expect(Buffer.from(encodeCanonical(value)).toString('base64')).toBe(outputB64)
  }
})

test.each([
  undefined,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '\ud800',
  { '\udc00': 1 },
  { a: undefined },
  [undefined],
  new Array(1),
  1n,
  () => 1,
])('what JSON cannot say is a programming error: %s', (value) => {
  expect(() => canonicalText(value as JsonValue)).toThrow(TypeError)
})

test('a member called toJSON is only a name', () => {
  expect(canonicalText({ toJSON: 'x' })).toBe('{"toJSON":"x"}')
})

test('names in order or not, the text is the same', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const shuffled = JSON.parse(JSON.stringify(value), (_name, item) =>
        item && typeof item === 'object' && !Array.isArray(item) ? Object.fromEntries(Object.entries(item).reverse()) : item,
      )
      expect(canonicalText(shuffled)).toBe(canonicalText(JSON.parse(JSON.stringify(value))))
    }),
  )
})

const safeText = fc.string({ unit: 'binary', maxLength: 12 }).map((text) => (isSafeText(text) ? text : text.replace(/[^\x20-\x7e]/gu, '')))
const { signed } = fc.letrec<{ signed: JsonValue }>((tie) => ({
  signed: fc.oneof(
    { depthSize: 'small', maxDepth: 6 },
    fc.maxSafeInteger().map((n) => n || 0), // no −0, which is written as 0
    safeText,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('signed'), { maxLength: 4 }),
    fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_]{0,4}$/), tie('signed'), { maxKeys: 4, noNullPrototype: true }),
  ),
}))

test('what is written is read back, and the reading accepts exactly what the writing makes', () => {
  fc.assert(
    fc.property(signed, (value) => {
      const bytes = encodeCanonical(value)
      expect(parseSigned(bytes)).toEqual(value)
      expect(encodeCanonical(parseSigned(bytes))).toEqual(bytes)
    }),
  )
})

test('accept(b) ⇒ encode(parse(b)) = b, whatever one byte of b is changed to', () => {
  fc.assert(
    fc.property(signed, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, mask) => {
      const bytes = encodeCanonical(value)
      bytes[at % bytes.length]! ^= mask
      const accepted = outcome(() => parseSigned(bytes)) === 'ok'
      if (accepted) expect(encodeCanonical(parseSigned(bytes))).toEqual(bytes)
    }),
    { numRuns: 2_000 },
  )
})

test('a canonical text with anything put in or taken out is another value or refused', () => {
  const insertion = fc.constantFrom(' ', '\n', '\t', '0', '-', '\\u0061', '"a":1,', ',', '[]', '\ufeff')
  fc.assert(
    fc.property(signed, fc.nat(), insertion, fc.nat({ max: 2 }), (value, at, text, removed) => {
      const before = canonicalText(value)
      const i = at % (before.length + 1)
      const after = before.slice(0, i) + text + before.slice(i + removed)
      const bytes = utf8(after)
      if (outcome(() => parseSigned(bytes)) === 'ok') expect(canonicalText(parseSigned(bytes))).toBe(decodeUtf8(bytes))
    }),
    { numRuns: 2_000 },
  )
})
