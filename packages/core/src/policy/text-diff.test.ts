import fc from 'fast-check'
import { expect, test } from 'vitest'
import { diffLines, mergeLines } from './text-diff.ts'

const text = fc.array(fc.constantFrom('a', 'b', 'c', '', '  {'), { maxLength: 12 }).map((lines) => lines.join('\n'))
const side = (lines: ReturnType<typeof diffLines>, other: string) =>
  lines
    .filter(({ kind }) => kind !== other)
    .map((line) => line.text)
    .join('\n')

test('a diff holds both texts, line for line and number for number', () => {
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = diffLines(before, after)
      expect(side(lines, 'added')).toBe(before)
      expect(side(lines, 'removed')).toBe(after)
      for (const { was, is, text } of lines) {
        if (was !== undefined) expect(before.split('\n')[was - 1]).toBe(text)
        if (is !== undefined) expect(after.split('\n')[is - 1]).toBe(text)
      }
    }),
  )
})
test('a diff is minimal', () => {
  expect(diffLines('a\nb\nc', 'a\nx\nc').map(({ kind, text }) => `${kind} ${text}`)).toEqual(['same a', 'removed b', 'added x', 'same c'])
  const long = Array.from({ length: 3000 }, (_, i) => `line ${i}`).join('\n')
  expect(diffLines(long, long.replace('line 7\n', '')).filter(({ kind }) => kind !== 'same')).toEqual([
    { kind: 'removed', text: 'line 7', was: 8 },
  ])
})
test('texts with nothing in common differ as a whole', () => {
  const many = (name: string) => Array.from({ length: 2000 }, (_, i) => `${name} ${i}`).join('\n')
  const lines = diffLines(many('a'), many('b'))
  expect(lines).toHaveLength(4000)
  expect(lines[1999]).toMatchObject({ kind: 'removed', text: 'a 1999' })
})

test('a merge takes what either side changed', () => {
  expect(mergeLines('a\nb\nc\nd', 'a\nB\nc\nd', 'a\nb\nc\nD')).toEqual({ text: 'a\nB\nc\nD', conflicts: 0 })
  expect(mergeLines('a\nb', 'a\nb\nmine', 'theirs\na\nb')).toEqual({ text: 'theirs\na\nb\nmine', conflicts: 0 })
})
test('a merge counts lines that both changed, and keeps mine there', () => {
  expect(mergeLines('a\nb\nc', 'a\nmine\nc', 'a\ntheirs\nc')).toEqual({ text: 'a\nmine\nc', conflicts: 1 })
  expect(mergeLines('a\nb\nc', 'a\nsame\nc', 'a\nsame\nc')).toEqual({ text: 'a\nsame\nc', conflicts: 0 })
})
test('whoever changed nothing gets the other text', () => {
  fc.assert(
    fc.property(text, text, (base, other) => {
      expect(mergeLines(base, base, other)).toEqual({ text: other, conflicts: 0 })
      expect(mergeLines(base, other, base)).toEqual({ text: other, conflicts: 0 })
      expect(mergeLines(base, other, other)).toEqual({ text: other, conflicts: 0 })
    }),
  )
})
