import { expect, test } from 'vitest'
import { fromHex, readVectors } from '../../../../test/read-vectors.ts'
import type { JsonValue } from '../bytes/json.ts'
import { argsDigest, resultDigest, toolDigest } from './digest.ts'

const salt = fromHex('000102030405060708090a0b0c0d0e0f')
interface Digests {
  value: JsonValue
  tool: string
  args: string
  args_other_salt: string
  result: string
}

test.each(readVectors<Digests>('mcp/digests.json'))('$name', ({ value, tool, args, args_other_salt, result }) => {
  expect(toolDigest(value)).toBe(tool)
  expect(argsDigest(salt, value)).toBe(args)
  expect(argsDigest(new Uint8Array(16), value)).toBe(args_other_salt)
  expect(resultDigest(salt, value)).toBe(result)
})

test('every member of a definition counts, wherever it stands and whatever it is called', () => {
  const definition = {
    name: 'a',
    title: 'b',
    description: 'c',
    inputSchema: { type: 'object', properties: { x: { type: 'string', description: 'd' } } },
    outputSchema: { type: 'object' },
    annotations: { readOnlyHint: true },
    icons: [{ src: 'https://e.example/i.png' }],
    _meta: { 'vendor.example/x': 1 },
    vendor: 'f',
  }
  const seen = new Set([toolDigest(definition)])
  const leaves = (value: JsonValue, rebuild: (changed: JsonValue) => JsonValue): void => {
    seen.add(toolDigest(rebuild(typeof value === 'string' ? `${value}\u200b` : [value])))
    if (value === null || typeof value !== 'object') return
    for (const [name, item] of Object.entries(value))
      leaves(item, (changed) => rebuild(Array.isArray(value) ? [changed] : { ...value, [name]: changed }))
  }
  leaves(definition, (changed) => changed)
  expect(seen.size).toBe(20) // the definition, and one for each of its 19 nodes
})

test('the order of members does not count, since no reader may depend on it', () => {
  expect(toolDigest({ a: 1, b: 2 })).toBe(toolDigest({ b: 2, a: 1 }))
})

test('a salt has 16 bytes', () => {
  expect(() => argsDigest(new Uint8Array(15), {})).toThrow(RangeError)
  expect(() => resultDigest(new Uint8Array(0), {})).toThrow(RangeError)
})
