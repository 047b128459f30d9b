import { expect, test } from 'vitest'
import { filterText, parseFilter, withTerm } from './filter.ts'

const keys = ['state', 'tag', 'name']
const terms = (text: string) => parseFilter(text, keys).terms

test('terms are joined by AND, values by OR, a minus is NOT, a word has no key', () =>
  expect(terms('state:offline,degraded -tag:lab paris -x')).toEqual([
    { key: 'state', values: ['offline', 'degraded'], negated: false },
    { key: 'tag', values: ['lab'], negated: true },
    { values: ['paris'], negated: false },
    { values: ['x'], negated: true },
  ]))

test('quotes hold spaces, commas and colons together', () => {
  expect(terms('name:"a b","c,d" "x:y z"')).toEqual([
    { key: 'name', values: ['a b', 'c,d'], negated: false },
    { values: ['x:y z'], negated: false },
  ])
})

test.each([
  ['an unknown key', 'colour:red', 'unknownKey'],
  ['a key without a value', 'tag:', 'noValue'],
  ['more than 500 characters', 'x'.repeat(501), 'tooLong'],
])('%s is named, never ignored', (_, text, why) => expect(parseFilter(text, keys).problems[0]?.why).toBe(why))

test('the text of terms reads back as the terms', () => {
  const all = terms('state:online -tag:"a b",c word')
  expect(terms(filterText(all))).toEqual(all)
})

test('filtering for another value of a key takes the place of the last, filtering out stays beside it', () => {
  expect(withTerm('state:online -tag:lab', keys, { key: 'state', values: ['offline'], negated: false })).toBe('-tag:lab state:offline')
  expect(withTerm('tag:ci', keys, { key: 'tag', values: ['lab'], negated: true })).toBe('tag:ci -tag:lab')
})
