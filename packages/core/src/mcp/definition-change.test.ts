import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readVectors } from '../../../../test/read-vectors.ts'
import { readSharedData } from '../../../../test/shared-data.ts'
import { skipped } from '../../../../test/skipped.ts'
import type { JsonObject, JsonValue } from '../bytes/json.ts'
import { differences, objections } from './definition-change.ts'
import type { ToolDefinition } from './tools-list.ts'

type Pair = { before: ToolDefinition; after: ToolDefinition }
test.each(readVectors<Pair>('mcp/definition-change.json'))('a change: $name', ({ before, after, expect: wanted }) =>
  expect(objections(before, after)).toEqual(wanted),
)

/** Small schemas over few names, so that narrowed pairs are common. */
const { schema } = fc.letrec<{ schema: JsonObject }>((tie) => ({
  schema: fc.record(
    {
      type: fc.constantFrom<JsonValue>('object', 'number', 'integer', 'string', ['string', 'null']),
      properties: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('schema') as fc.Arbitrary<JsonObject>, { maxKeys: 3 }),
      required: fc.uniqueArray(fc.constantFrom('a', 'b', 'c')),
      additionalProperties: fc.constantFrom<JsonValue>(true, false),
      minimum: fc.integer({ min: 0, max: 3 }),
      maxLength: fc.integer({ min: 0, max: 3 }),
      enum: fc.uniqueArray(fc.constantFrom<JsonValue>('x', 'y', 1, 2, null), { minLength: 1 }),
    },
    { requiredKeys: [] },
  ),
}))
const value = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<JsonValue>('x', 'y', 'long', '', 0, 1, 2, 2.5, -1, null, true),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('value')) as fc.Arbitrary<JsonValue>,
  ),
})).value

/** As JSON Schema 2020-12 says, for the keywords above and no others. Written apart from the code under test. */
function accepts(schema: JsonObject, value: JsonValue): boolean {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  const types = [schema.type ?? []].flat()
  const is = (type: JsonValue) =>
    type === 'null' ? value === null : type === 'object' ? isObject : type === 'integer' ? Number.isInteger(value) : typeof value === type
  if (types.length > 0 && !types.some(is)) return false
  if (schema.enum && !(schema.enum as JsonValue[]).includes(value)) return false
  if (typeof value === 'number' && typeof schema.minimum === 'number' && value < schema.minimum) return false
  if (typeof value === 'string' && typeof schema.maxLength === 'number' && value.length > schema.maxLength) return false
  if (!isObject) return true
  const properties = (schema.properties ?? {}) as Record<string, JsonObject>
  if (((schema.required ?? []) as string[]).some((name) => !Object.hasOwn(value, name))) return false
  return Object.entries(value).every(([name, item]) =>
    Object.hasOwn(properties, name) ? accepts(properties[name]!, item) : schema.additionalProperties !== false,
  )
}

describe('a harmless change of a schema', () => {
  const tool = (inputSchema: JsonObject) => ({ name: 't', inputSchema })
  /** Drops, tightens or adds something, or all of it at random. */
  const pair = fc.tuple(schema, schema).map(([before, other]): [JsonObject, JsonObject] => [before, { ...before, ...other }])

  test('never accepts a property that the old one names, with a value that the old one refuses, nor a value of another kind', () => {
    let harmless = 0
    fc.assert(
      fc.property(pair, fc.array(value, { minLength: 8, maxLength: 8 }), ([before, after], values) => {
        if (objections(tool(before), tool(after)).length > 0) return
        harmless += 1
        for (const item of values) {
          // a property that is gone is no longer looked at: that is the one way in which "gone" widens, and clients are shown the pinned schema
          if (accepts(after, item) && hasNoDropped(before, after, item)) expect(accepts(before, item)).toBe(true)
        }
      }),
      { numRuns: 3_000 },
    )
    expect(harmless).toBeGreaterThan(100)
  })
})

function hasNoDropped(before: JsonObject, after: JsonObject, value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return true
  const old = (before.properties ?? {}) as Record<string, JsonObject>
  const now = (after.properties ?? {}) as Record<string, JsonObject>
  return Object.entries(value).every(
    ([name, item]) => !Object.hasOwn(old, name) || (Object.hasOwn(now, name) && hasNoDropped(old[name]!, now[name]!, item)),
  )
}

test('differences are named by JSON pointers, in the order of names', () =>
  expect(differences({ a: 1, 'x/y': { b: [1] } }, { 'x/y': { b: [2] }, c: null })).toEqual([
    { path: '/a', before: 1, after: undefined },
    { path: '/c', before: undefined, after: null },
    { path: '/x~1y/b', before: [1], after: [2] },
  ]))

const read = <T>(name: string): T[] | undefined =>
  readSharedData(`poison/${name}.jsonl.gz`)
    ?.trim()
    .split('\n')
    .map((line) => JSON.parse(line))
type Published = { before: JsonObject & { name: string; params: Record<string, unknown> }; after: Published['before'] }
const pairs = read<Published>('rugpull_pairs')
const drift = read<{ tool: string; before: JsonObject; after: JsonObject }>('benign_drift')
if (!pairs || !drift) skipped('published changes of tool definitions', 'no external data')

/** The data gives parameters without types. */
const asTool = ({ params, ...rest }: Published['before']): ToolDefinition => ({
  ...rest,
  inputSchema: { type: 'object', properties: Object.fromEntries(Object.keys(params).map((name) => [name, { type: 'string' }])) },
})

test.runIf(pairs)('none of the published rug pulls is harmless', () => {
  for (const { before, after } of pairs!) expect(objections(asTool(before), asTool(after)), before.name).not.toEqual([])
})

test.runIf(drift)('fewer than half of the naive 1.8 changes per tool and year need a person', () => {
  const asked = drift!.filter(({ tool, before, after }) => objections({ name: tool, ...before }, { name: tool, ...after }).length > 0)
  expect((asked.length / drift!.length) * 1.8).toBeLessThan(0.9)
})
