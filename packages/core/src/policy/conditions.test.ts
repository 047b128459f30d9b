import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { JsonValue } from '../bytes/json.ts'
import type { ConditionName, Verdict } from './conditions.ts'
import { CONDITION_NAMES, conditions, isConditionName } from './conditions.ts'

const vectors = join(import.meta.dirname, '../../../../test/vectors/policy')
interface Vectors {
  vectors: { name: string; parameter: JsonValue; value: JsonValue; expect: Verdict }[]
  invalid_parameters: { name: string; parameter: JsonValue }[]
  narrower: { child: JsonValue; parent: JsonValue; expect: boolean }[]
}
const load = (name: ConditionName): Vectors => JSON.parse(readFileSync(join(vectors, `${name}.json`), 'utf8'))

test('the conditions are the ones that protocol.md §6 names, and no others', () => {
  expect(CONDITION_NAMES).toEqual(['eq', 'in', 'min', 'max', 'maxLength', 'prefix', 'host', 'count', 'sum'])
  for (const name of ['constructor', 'toString', '__proto__', 'regex', 'not', 'max_length']) expect(isConditionName(name)).toBe(false)
})

test('every condition has its file of vectors, and every such file its condition', () => {
  for (const name of CONDITION_NAMES) expect(existsSync(join(vectors, `${name}.json`)), `test/vectors/policy/${name}.json`).toBe(true)
  const others = ['decisions.json', 'invalid.json', 'attenuation.json']
  const files = readdirSync(vectors).filter((file) => !others.includes(file))
  for (const file of files) expect(isConditionName(file.replace(/\.json$/, '')), file).toBe(true)
})

describe.each(CONDITION_NAMES)('%s', (name) => {
  const condition = conditions[name]
  const { vectors: cases, invalid_parameters, narrower } = load(name)

  test.each(cases)('$name → $expect', ({ parameter, value, expect: verdict }) => {
    expect(condition.holds(condition.parse(parameter, 'parameter'), value)).toBe(verdict)
  })

  test.each(invalid_parameters)('refuses as parameter: $name', ({ parameter }) => {
    expect(() => condition.parse(parameter, 'parameter')).toThrow(expect.objectContaining({ code: 'MALFORMED' }))
  })

  test.each(narrower)('$child within $parent → $expect', ({ child, parent, expect: wanted }) => {
    expect(condition.narrower(condition.parse(child, 'child'), condition.parse(parent, 'parent'))).toBe(wanted)
  })

  test('has a label and ends a sentence with its parameter', () => {
    expect(condition.label).toMatch(/^[a-z]/)
    expect(condition.parse(condition.example, 'example')).toEqual(condition.example)
    const parameter = condition.parse(cases[0]!.parameter, 'parameter')
    expect(condition.phrase(parameter)).toContain(String(Array.isArray(parameter) ? parameter[0] : parameter))
  })
})

test('what a refusal repeats of a parameter is short', () => {
  const many = Array.from({ length: 256 }, (_, i) => `${i}${'x'.repeat(4000)}`)
  expect(conditions.in.phrase(many).length).toBeLessThan(600)
  expect(conditions.in.phrase(many)).toContain('and 248 more')
  expect(conditions.eq.phrase('x'.repeat(4096)).length).toBeLessThan(80)
})

test('a megabyte of hostile text is judged in linear time', () => {
  const long = ['/', '.', '%', 'a', '/a', '-.', 'a.', 'é'].map((part) => part.repeat(1_048_576 / part.length))
  const started = performance.now()
  for (const value of [...long, `https://${'a.'.repeat(500_000)}`]) {
    conditions.prefix.holds('/a', value)
    conditions.host.holds('example.com', value)
    conditions.maxLength.holds(10, value)
  }
  expect(performance.now() - started).toBeLessThan(1000)
})
