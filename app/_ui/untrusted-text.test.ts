import { expect, test } from 'vitest'
import { hasUnseen, piecesOf } from './untrusted-text.ts'

const shown = (text: string, max?: number) => piecesOf(text, max).map(({ at: _, ...piece }) => piece)

test.each([
  ['a control character', 'a\u001fb', 'U+001F'],
  ['a line break', 'a\nb', 'U+000A'],
  ['a bidirectional override', 'a\u202eb', 'U+202E'],
  ['a zero-width space', 'a\u200bb', 'U+200B'],
  ['a tag character', 'a\u{e0041}b', 'U+E0041'],
  ['a no-break space', 'a\u00a0b', 'U+00A0'],
  ['a variation selector', 'a\ufe0fb', 'U+FE0F'],
  ['a Hangul filler', 'a\u3164b', 'U+3164'],
])('%s is shown as a mark', (_, text, mark) => {
  expect(shown(text)).toEqual([{ text: 'a' }, { mark }, { text: 'b' }])
  expect(hasUnseen(text)).toBe(true)
})

test('ordinary text of any script is one piece', () => expect(shown('Zürich — 東京 🙂')).toEqual([{ text: 'Zürich — 東京 🙂' }]))
test('a long text is cut by characters, not in the middle of one', () => expect(shown('🙂🙂🙂', 2)).toEqual([{ text: '🙂🙂' }]))
test('markup stays text', () => expect(shown('<img src=x onerror=alert(1)>')).toEqual([{ text: '<img src=x onerror=alert(1)>' }]))

test('each piece knows where it begins', () => expect(piecesOf('a\u200bbc\u200b').map(({ at }) => at)).toEqual([0, 1, 2, 4]))
