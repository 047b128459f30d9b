import { expect, test } from 'vitest'
import type { AtSign } from '../key/atsign.ts'
import { isOneEdit, lookAlikes } from './look-alike.ts'

const names = (...of: string[]) => ({ names: new Map(of.map((name) => [name as AtSign, 'person' as const])) })
const found = (name: string, ...of: string[]) => lookAlikes(name as AtSign, names(...of)).map(({ atsign, how }) => `${how} ${atsign}`)

test.each([
  ['@a1ice', '@alice'],
  ['@b0b', '@bob'],
  ['@rnaria', '@maria'],
  ['@ci-bot', '@ci_bot'],
  ['@l1l', '@1l1'],
])('%s is drawn like %s', (name, other) => {
  expect(found(name, other)).toEqual([`shape ${other}`])
})

test.each([
  ['@alic', '@alice'],
  ['@alicee', '@alice'],
  ['@alise', '@alice'],
  ['@ailce', '@alice'],
  ['@gw-paris', '@gw-parls'],
  ['@anna', '@ana'],
])('%s is one letter from %s', (name, other) => {
  expect(found(name, other)).toEqual([`letter ${other}`])
})

test.each([
  ['@bob', '@bo'],
  ['@ab', '@ac'],
  ['@alice', '@alison'],
  ['@abcd', '@badc'],
])('%s is not taken for %s', (name, other) => {
  expect(found(name, other)).toEqual([])
})

test('a name is not like itself, and what is drawn the same comes first', () => {
  expect(found('@alice', '@alicia', '@alise', '@alice', '@a1ice')).toEqual(['shape @a1ice', 'letter @alise'])
})

test('one edit is the same in both directions', () => {
  const words = ['', 'a', 'ab', 'ba', 'abc', 'acb', 'abcd', 'abd', 'xbc']
  for (const a of words) for (const b of words) expect(isOneEdit(a, b), `${a} ${b}`).toBe(isOneEdit(b, a))
  expect(isOneEdit('abc', 'abc')).toBe(false)
  expect(isOneEdit('abc', 'a')).toBe(false)
})
