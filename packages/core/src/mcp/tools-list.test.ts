import { expect, test } from 'vitest'
import { outcome, readVectors } from '../../../../test/read-vectors.ts'
import type { JsonObject } from '../bytes/json.ts'
import { filterTools, readTools } from './tools-list.ts'

// expect is the result that the client sees, or a code.
const vectors = readVectors<{ result: JsonObject; permitted: string[] }>('mcp/tools-lists.json')

test.each(vectors)('$name', ({ result, permitted, expect: wanted }) => {
  const filter = () => filterTools(result, (tool) => permitted.includes(tool.name), 60_000)
  const before = JSON.stringify(result)
  if (typeof wanted === 'string') expect(outcome(filter)).toBe(wanted)
  else expect(filter()).toEqual(wanted)
  expect(JSON.stringify(result)).toBe(before)
})

test('a definition is handed on as it came, so that its digest stays', () => {
  const tool = { name: 'a', inputSchema: { type: 'object' }, vendor: [1] }
  expect(readTools({ tools: [tool] })[0]).toBe(tool)
  expect((filterTools({ tools: [tool] }, () => true, 1) as { tools: unknown[] }).tools[0]).toBe(tool)
})
