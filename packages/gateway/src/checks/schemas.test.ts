import type { JsonObject } from '@postern/core'
import { afterAll, describe, expect, test } from 'vitest'
import { weigh } from './schema-bounds.ts'
import { createSchemas } from './schemas.ts'
import { createThread } from './thread.ts'

const thread = createThread(250)
const schemas = createSchemas(thread)
afterAll(() => thread[Symbol.asyncDispose]())

let count = 0
const check = (schema: JsonObject, value: unknown) => schemas.check(`schema ${++count}`, schema, value as never)

describe('values and schemas', () => {
  const amount: JsonObject = {
    type: 'object',
    properties: { amount: { type: 'integer', maximum: 50 }, to: { type: 'string', pattern: '^[A-Z]{2}[0-9]+$' } },
    required: ['amount'],
    additionalProperties: false,
  }
  test.each([
    ['what fits', { amount: 7, to: 'DE12' }, { fits: true }],
    ['a missing member', { to: 'DE12' }, { misfit: "the arguments: must have required property 'amount'" }],
    ['another type', { amount: '7' }, { misfit: '/amount: must be integer' }],
    ['a number above the maximum', { amount: 51 }, { misfit: '/amount: must be <= 50' }],
    ['text that does not match', { amount: 1, to: 'de' }, { misfit: '/to: must match pattern "^[A-Z]{2}[0-9]+$"' }],
    ['a member that is not named', { amount: 1, note: 'x' }, { misfit: 'the arguments: must NOT have additional properties ("note")' }],
    ['a member called __proto__', JSON.parse('{"amount":1,"__proto__":{}}'), { misfit: expect.stringContaining('__proto__') }],
  ])('%s', async (_, value, expected) => expect(await check(amount, value)).toEqual(expected))

  test('keywords of 2020-12 count: prefixItems, unevaluatedProperties, dependentRequired', async () => {
    expect(await check({ prefixItems: [{ type: 'string' }], items: false }, ['a', 1])).toHaveProperty('misfit')
    expect(await check({ allOf: [{ properties: { a: true } }], unevaluatedProperties: false }, { a: 1, b: 2 })).toHaveProperty('misfit')
    expect(await check({ dependentRequired: { a: ['b'] } }, { a: 1 })).toHaveProperty('misfit')
  })

  test('a schema of draft 7 is read as one, and one of an unknown dialect is not used', async () => {
    const items = { items: [{ type: 'string' }], additionalItems: false }
    expect(await check({ $schema: 'http://json-schema.org/draft-07/schema#', ...items }, ['a', 1])).toHaveProperty('misfit')
    expect(await check({ $schema: 'https://example.com/own' }, {})).toEqual({ unusable: expect.stringContaining('dialect') })
  })

  test('what is no schema is not used', async () =>
    expect(await check({ type: 'strin' }, 'x')).toEqual({ unusable: expect.stringContaining('schema is invalid') }))

  test('the same key answers at once the second time', async () => {
    await schemas.check('known', amount, { amount: 1 })
    expect(schemas.check('known', amount, { amount: 1 })).toEqual({ fits: true })
  })
})

describe('schemas meant to hurt', () => {
  test('a pattern that makes other engines backtrack for years is answered at once', async () => {
    const started = performance.now()
    expect(await check({ pattern: '^(a+)+$' }, `${'a'.repeat(50_000)}!`)).toHaveProperty('misfit')
    expect(performance.now() - started).toBeLessThan(20_000)
  })

  test('a pattern that cannot be matched in linear time is not judged', async () =>
    expect(await check({ pattern: '^(?!x)(a)\\1$' }, 'zz')).toEqual({ fits: true }))

  test('recursion that explodes is ended by the clock, and the next check works', async () => {
    const hurried = createThread(50)
    const impatient = createSchemas(hurried)
    const bomb: JsonObject = {
      anyOf: [{ properties: { a: { $ref: '#' } } }, { properties: { a: { $ref: '#' } } }],
      not: { const: 1 },
      required: ['z'],
    }
    let value: JsonObject = {}
    for (let i = 0; i < 40; i += 1) value = { a: value }
    expect(await impatient.check('bomb', bomb, value)).toHaveProperty('unusable')
    expect(await impatient.check('fine', { type: 'object' }, {})).toEqual({ fits: true })
    await hurried[Symbol.asyncDispose]()
  })

  test('a reference to somewhere else is never followed', () =>
    expect(weigh({ $ref: 'https://example.com/schema.json' })).toEqual({ unusable: expect.stringContaining('never fetched') }))

  test('size, depth and number of parts are bounded', () => {
    let deep: JsonObject = {}
    for (let i = 0; i < 60; i += 1) deep = { not: deep }
    expect(weigh(deep)).toEqual({ unusable: expect.stringContaining('deeper') })
    expect(weigh({ enum: ['x'.repeat(300_000)] })).toEqual({ unusable: expect.stringContaining('bytes') })
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`p${i}`, {}]))
    expect(weigh({ properties: many })).toEqual({ unusable: expect.stringContaining('parts') })
  })

  test('references that double at every step are not checked in place', () => {
    const $defs = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`d${i}`, { allOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] }]),
    )
    expect(weigh({ $defs: { ...$defs, d30: {} }, $ref: '#/$defs/d0' })).toEqual({ weight: 'heavy' })
    expect(weigh({ type: 'object', properties: { a: { $ref: '#/$defs/a' } }, $defs: { a: { type: 'string' } } })).toEqual({
      weight: 'plain',
    })
  })
})
