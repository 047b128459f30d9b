import { expect, test } from 'vitest'
import { outcome } from '../../../../test/read-vectors.ts'
import { utf8 } from './bytes.ts'
import type { JsonValue } from './json.ts'
import * as s from './shape.ts'

const person = s.object({ name: s.text(8, 1), age: s.integer(0, 150) }, { admin: s.flag, tags: s.list(s.pattern(/^[a-z]+$/, 'a tag'), 2) })
const refusal = (shape: s.Shape<unknown>, value: JsonValue) => {
  try {
    shape(value, '')
    return 'ok'
  } catch (error) {
    return (error as Error).message
  }
}

test('an object has its fields, the optional ones perhaps', () => {
  expect(person({ name: 'ana', age: 7 }, '')).toEqual({ name: 'ana', age: 7 })
  expect(person({ name: 'ana', age: 7, admin: true, tags: ['a', 'b'] }, '')).toEqual({ name: 'ana', age: 7, admin: true, tags: ['a', 'b'] })
})

test.each<[string, JsonValue, string]>([
  ['an unknown field', { name: 'a', age: 1, x: 1 }, 'x: unknown field'],
  ['a field of every object', { name: 'a', age: 1, toString: 1 }, 'toString: unknown field'],
  ['a missing field', { name: 'a' }, 'age: missing'],
  ['null for an optional field', { name: 'a', age: 1, admin: null }, 'admin: expected true or false'],
  ['text that is too short', { name: '', age: 1 }, 'name: expected 1–8 characters, found 0'],
  ['text that is too long', { name: '123456789', age: 1 }, 'name: expected 1–8 characters, found 9'],
  ['text with a line feed', { name: 'a\nb', age: 1 }, 'name: not NFC, or has control, bidi or tag characters'],
  ['a number below', { name: 'a', age: -1 }, 'age: expected an integer from 0 to 150'],
  ['a number above', { name: 'a', age: 151 }, 'age: expected an integer from 0 to 150'],
  ['a fraction', { name: 'a', age: 1.5 }, 'age: expected an integer from 0 to 150'],
  ['a number as text', { name: 'a', age: '1' }, 'age: expected an integer from 0 to 150'],
  ['too many items', { name: 'a', age: 1, tags: ['a', 'b', 'c'] }, 'tags: expected 0–2 items, found 3'],
  ['a bad item', { name: 'a', age: 1, tags: ['a', 'B'] }, 'tags[1]: expected a tag'],
  ['a list for an object', [], 'value: expected an object'],
  ['null for an object', null, 'value: expected an object'],
])('%s is refused with its path', (_name, value, message) => {
  expect(refusal(person, value)).toBe(message)
})

test('a tagged object is read by its tag, which must be one of its own', () => {
  const op = s.tagged('op', {
    add: s.object({ op: s.oneOf('add'), n: s.integer(0, 9) }),
    stop: s.object({ op: s.oneOf('stop') }),
  })
  expect(op({ op: 'add', n: 1 }, '')).toEqual({ op: 'add', n: 1 })
  for (const value of [{ op: 'constructor' }, { op: 1 }, {}, { op: 'toString' }, []] as JsonValue[])
    expect(() => op(value, 'body')).toThrow()
  expect(refusal(op, { op: 'stop', n: 1 })).toBe('n: unknown field')
  expect(refusal(op, { op: 'mul' })).toBe('op: expected one of add, stop')
})

test('bytes stay text, of a known length', () => {
  expect(s.digest('A'.repeat(43), '')).toBe('A'.repeat(43))
  expect(refusal(s.digest, 'A'.repeat(42))).toBe('value: expected 32 bytes, found 31')
  expect(refusal(s.digest, `${'A'.repeat(42)}B`)).toBe('value: expected base64url')
  expect(refusal(s.bytesOf(undefined, 2), 'AAAA')).toBe('value: expected at most 2 bytes, found 3')
  expect(refusal(s.bytesOf(), 7)).toBe('value: expected base64url')
})

test('a map has names of its grammar and no more than its number', () => {
  const map = s.mapOf(/^\/[a-z]*$/, s.flag, 2)
  expect(map({ '/a': true }, '')).toEqual({ '/a': true })
  expect(refusal(map, { a: true })).toBe('value: bad name "a"')
  expect(refusal(map, { '/a': 1 })).toBe('/a: expected true or false')
  expect(refusal(map, { '/a': true, '/b': true, '/c': true })).toBe('value: more than 2 entries')
})

test('a signed object passes the bytes first and then its shape', () => {
  const shape = s.object({ at: s.unixSeconds })
  expect(s.parseObject(utf8('{"at":1}'), shape)).toEqual({ at: 1 })
  expect(outcome(() => s.parseObject(utf8('{"at": 1}'), shape))).toBe('NOT_CANONICAL')
  expect(outcome(() => s.parseObject(utf8('{"at":-1}'), shape))).toBe('MALFORMED')
  expect(outcome(() => s.parseObject(utf8('{"at":1,"by":2}'), shape))).toBe('UNKNOWN_FIELD')
  expect(s.anyJson([1], '')).toEqual([1])
})
