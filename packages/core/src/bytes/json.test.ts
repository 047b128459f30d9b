import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromHex, outcome, readVectors } from '../../../../test/read-vectors.ts'
import { readSharedData } from '../../../../test/shared-data.ts'
import { skipped } from '../../../../test/skipped.ts'
import { decodeUtf8, utf8 } from './bytes.ts'
import type { JsonLimits } from './json.ts'
import { parseStrictJson } from './json.ts'

const LIMITS: JsonLimits = { maxBytes: 1 << 20, maxDepth: 64 }

test.each(readVectors<{ hex: string; limits?: JsonLimits }>('canonical-json/parse-strict.json'))(
  '$name → $expect',
  ({ hex, limits = LIMITS, expect: code }) => {
    const bytes = fromHex(hex)
    expect(outcome(() => parseStrictJson(bytes, limits))).toBe(code)
    const isText = outcome(() => decodeUtf8(bytes)) === 'ok'
    if (isText) expect(outcome(() => parseStrictJson(decodeUtf8(bytes), limits))).toBe(code)
  },
)

test('a million opening brackets are refused without a deep call', () => {
  expect(outcome(() => parseStrictJson('['.repeat(1 << 20), LIMITS))).toBe('TOO_DEEP')
})

test('a string given as text may not hold a lone surrogate either', () => {
  expect(outcome(() => parseStrictJson('"\ud800"', LIMITS))).toBe('MALFORMED')
})

test('integers beyond a double pass only where the caller forwards the text and decides nothing by them', () => {
  const limits = { ...LIMITS, inexactIntegers: true }
  expect(parseStrictJson('{"id":18446744073709551615}', limits)).toEqual({ id: 2 ** 64 })
  expect(outcome(() => parseStrictJson('[1e400]', limits))).toBe('MALFORMED')
  expect(outcome(() => parseStrictJson('{"id":18446744073709551615}', LIMITS))).toBe('MALFORMED')
})

const safeNumbers = (_name: string, value: unknown) => (typeof value === 'number' && Number.isInteger(value) ? value % 2 ** 53 : value)

test('reads what JSON.parse reads', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.nat({ max: 2 }), (json, indent) => {
      if (json.includes('"__proto__"')) return
      const text = JSON.stringify(JSON.parse(json, safeNumbers), null, indent)
      expect(parseStrictJson(text, LIMITS)).toEqual(JSON.parse(text))
      expect(parseStrictJson(utf8(text), LIMITS)).toEqual(JSON.parse(text))
    }),
  )
})

test('never reads what JSON.parse does not', () => {
  const piece = fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '"a"', '"\\""', '1', '-', 'true', 'null', ' ', '\\u0061', 'e5')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('')
      if (outcome(() => parseStrictJson(text, LIMITS)) === 'ok') expect(() => JSON.parse(text)).not.toThrow()
    }),
    { numRuns: 5_000 },
  )
})

test('a name repeated anywhere is found, however it is written', () => {
  const escaped = (name: string) => [...name].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  const name = fc.stringMatching(/^[a-z]{1,6}$/)
  fc.assert(
    fc.property(name, fc.nat({ max: 5 }), fc.boolean(), (twice, depth, isEscaped) => {
      const second = isEscaped ? escaped(twice) : twice
      const text = `${'[{"x":'.repeat(depth)}{"${twice}":":\\"","other":[{}],"${second}":{"a:b":1}}${'}]'.repeat(depth)}`
      expect(outcome(() => parseStrictJson(text, LIMITS))).toBe('DUPLICATE_NAME')
    }),
  )
})

const suite = readSharedData('hostile/jsontestsuite.jsonl.gz')
if (!suite) skipped('JSONTestSuite', 'no external data')
test.runIf(suite)('JSONTestSuite: nothing that must be refused is read, and what is refused of the rest has a reason', () => {
  const cases = suite!
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(cases.length).toBeGreaterThan(300)
  const refused: string[] = []
  for (const { file, expect: verdict, b64 } of cases) {
    const bytes = new Uint8Array(Buffer.from(b64, 'base64'))
    const code = outcome(() => parseStrictJson(bytes, { maxBytes: 1 << 20, maxDepth: 500 }))
    if (verdict === 'reject') expect(code, file).not.toBe('ok')
    if (verdict === 'accept' && code !== 'ok') refused.push(file)
  }
  const beyondDouble = [
    'y_number.json',
    'y_number_real_capital_e.json',
    'y_number_real_exponent.json',
    'y_number_real_fraction_exponent.json',
  ]
  const duplicates = ['y_object_duplicated_key.json', 'y_object_duplicated_key_and_value.json']
  expect(refused.sort()).toEqual([...beyondDouble, ...duplicates, 'y_object_extreme_numbers.json'])
})
