import { utf8 } from '@postern/core'
import { describe, expect, test } from 'vitest'
import { analyse, impactGroups, withImpact } from './analysis.ts'
import type { Facts } from './shapes.ts'

const facts = {
  agents: [
    { atsign: '@one', tags: ['dev'] },
    { atsign: '@two', tags: ['dev'] },
    { atsign: '@ops', tags: ['ops'] },
  ],
  tools: [
    { server: 'fs', tool: 'read', risk: 'read' },
    { server: 'fs', tool: 'write', risk: 'write' },
  ],
  people: [],
  admins: [],
} as unknown as Facts
const policyOf = (rules: object[], tests: object[] = []) => JSON.stringify({ v: 1, name: 'main', rules, tests })
const reads = { id: 'reads', who: ['tag:dev'], servers: ['*'], tools: ['risk:read'], effect: 'allow' }
const works = { name: 'developers read', who: '@one', server: 'fs', tool: 'read', expect: 'allow' }

describe('the analysis of a draft', () => {
  test('of a text with mistakes says only where they are', () => {
    const { problems, policy, results } = analyse('{ "v": 1,\n  oops }', undefined, facts)
    expect(problems).toMatchObject([{ line: 2, column: 3 }])
    expect({ policy, results }).toEqual({ policy: undefined, results: [] })
  })
  test('runs the tests with facts from the log, and names changed rules that no test was decided by', () => {
    const before = utf8(policyOf([]))
    const tested = analyse(policyOf([reads], [works]), before, facts)
    expect(tested.results.map(({ ok }) => ok)).toEqual([true])
    expect(tested.untested).toEqual([])
    expect(analyse(policyOf([reads]), before, facts).untested.map(({ id }) => id)).toEqual(['reads'])
    expect(analyse(policyOf([reads]), utf8(policyOf([reads])), facts).untested).toEqual([])
  })
  test('puts those with the same changes together, newcomers apart from agents', () => {
    const before = utf8(policyOf([]))
    const { matrix } = withImpact(analyse(policyOf([reads]), before, facts), before, facts)
    const groups = impactGroups(matrix!)
    expect(groups).toMatchObject([{ who: ['@one', '@two'], newcomers: ['dev'], gains: true }])
    expect(groups[0]!.cells.map(({ tool }) => tool)).toEqual(['read'])
  })
  test('a group has another id once what it gains is another thing: then it must be opened again', () => {
    const before = utf8(policyOf([]))
    const idOf = (text: string) => impactGroups(withImpact(analyse(text, before, facts), before, facts).matrix!)[0]!.id
    expect(idOf(policyOf([reads]))).toBe(idOf(policyOf([reads], [works])))
    expect(idOf(policyOf([reads]))).not.toBe(idOf(policyOf([{ ...reads, tools: ['*'] }])))
  })
})
