import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLineSplitter } from './lines.ts'

function split(maxBytes: number, chunks: readonly Buffer[]) {
  const lines: string[] = []
  let tooLong = 0
  const push = createLineSplitter(
    maxBytes,
    (line) => lines.push(line.toString()),
    () => tooLong++,
  )
  for (const chunk of chunks) push(chunk)
  return { lines, tooLong }
}

test('lines are the same however the stream was cut', () => {
  const text = fc.array(
    fc.string({ unit: 'binary', maxLength: 12 }).map((s) => s.replaceAll(/[\r\n]/g, '') || 'x'),
    { maxLength: 8 },
  )
  fc.assert(
    fc.property(text, fc.array(fc.nat(80), { maxLength: 10 }), (expected, cuts) => {
      const bytes = Buffer.from(expected.map((line) => `${line}\n`).join(''))
      const at = [0, ...cuts.map((c) => Math.min(c, bytes.length)).sort((a, b) => a - b), bytes.length]
      const chunks = at.slice(1).map((end, i) => bytes.subarray(at[i], end))
      expect(split(1000, chunks).lines).toEqual(split(1000, [bytes]).lines)
      expect(split(1000, [bytes]).lines).toEqual(expected)
    }),
  )
})

test('an endless line is not kept, and counts once', () => {
  const chunks = [...Array.from({ length: 50 }, () => Buffer.alloc(100, 'x')), Buffer.from('\nnext\n')]
  expect(split(1000, chunks)).toEqual({ lines: ['next'], tooLong: 1 })
})

test('a carriage return before the line end is not part of the line, and empty lines are nothing', () => {
  expect(split(10, [Buffer.from('a\r\n\n\r\nb\n')]).lines.filter(Boolean)).toEqual(['a', 'b'])
})
