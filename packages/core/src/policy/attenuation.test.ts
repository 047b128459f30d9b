import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { JsonValue } from '../bytes/json.ts'
import type { ArgCondition, Attenuation } from './attenuation.ts'
import { argConditions, holdsAll, isNarrower } from './attenuation.ts'
import type { Unnamed } from './check.ts'

const file = join(import.meta.dirname, '../../../../test/vectors/policy/attenuation.json')
const { vectors, narrower } = JSON.parse(readFileSync(file, 'utf8')) as {
  vectors: { name: string; args: ArgCondition[]; unnamed?: Unnamed; value: JsonValue; expect: boolean }[]
  narrower: { name: string; child: Attenuation; parent: Attenuation; expect: boolean }[]
}

test.each(vectors)('$name → $expect', ({ args, unnamed, value, expect: wanted }) => {
  const holding = holdsAll(args, value, unnamed)
  expect(holding.ok).toBe(wanted)
  if (!holding.ok) expect(holding.reason).not.toBe('')
})

test.each(narrower)('$name → $expect', ({ child, parent, expect: wanted }) => {
  expect(isNarrower(child, parent)).toBe(wanted)
})

test('arguments that are left out count as none', () => {
  expect(holdsAll([], undefined).ok).toBe(true)
  expect(holdsAll([{ arg: 'n', is: { max: 5 } }], undefined).ok).toBe(false)
})

test('one list of conditions can be asked with and without unnamed arguments', () => {
  const args = [{ arg: 'n', is: { max: 5 } }]
  const more = { n: 1, m: 1 }
  expect([holdsAll(args, more).ok, holdsAll(args, more, 'allow').ok, holdsAll(args, more).ok]).toEqual([false, true, false])
})

test.each([
  ['an unknown field', [{ arg: 'n', is: { max: 5 }, not: true }], 'UNKNOWN_FIELD'],
  ['an unknown condition', [{ arg: 'n', is: { pattern: '.*' } }], 'UNKNOWN_FIELD'],
  ['no condition', [{ arg: 'n', is: {} }], 'MALFORMED'],
  ['a bad parameter', [{ arg: 'n', is: { host: 'Example.com' } }], 'MALFORMED'],
  ['no name', [{ arg: '', is: { max: 5 } }], 'MALFORMED'],
  ['33 conditions', Array.from({ length: 33 }, () => ({ arg: 'n', is: { max: 5 } })), 'MALFORMED'],
])('refuses in a grant: %s', (_, value, code) => {
  expect(() => argConditions(value as JsonValue, 'args')).toThrow(expect.objectContaining({ code }))
})
