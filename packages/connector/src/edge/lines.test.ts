import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLineReader } from './lines.ts'

function read(chunks: readonly (string | Buffer)[], maxBytes = 100) {
  const lines: string[] = []
  const overflows: string[] = []
  const reader = createLineReader(
    (line) => lines.push(line.toString()),
    (start) => overflows.push(start.toString()),
    maxBytes,
  )
  for (const chunk of chunks) reader.push(Buffer.from(chunk))
  return { lines, overflows }
}

test('lines come whole, however the stream is cut', () => {
  const text = '{"a":1}\n{"b":"é"}\r\n\n\r\n{"c":3}\n{"unfinished'
  const bytes = Buffer.from(text)
  expect(read([text]).lines).toEqual(['{"a":1}', '{"b":"é"}', '{"c":3}'])
  expect(read([...bytes].map((byte) => Buffer.of(byte))).lines).toEqual(['{"a":1}', '{"b":"é"}', '{"c":3}'])
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), bytes.length]
      const chunks = at.slice(1).map((end, i) => bytes.subarray(at[i], end))
      expect(read(chunks).lines).toEqual(['{"a":1}', '{"b":"é"}', '{"c":3}'])
    }),
  )
})

test('a line that is too long is reported once and skipped, and the next one is read', () => {
  const long = 'x'.repeat(101)
  expect(read([`${long}\nnext\n`])).toEqual({ lines: ['next'], overflows: [long] })
  const pieces = read([...`${long}${long}\nnext\n`])
  expect(pieces.lines).toEqual(['next'])
  expect(pieces.overflows).toHaveLength(1)
  expect(read([`${'x'.repeat(100)}\n`]).overflows).toEqual([])
})
