// SECURITY.md's table: every threat has its row, and every test that a row names is there.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')

/** The threats a reviewer asks about, in the order of the protocol's own list. */
const threats = `forged enrolment · login challenge = statement hash · malicious JS swaps a statement · first-contact genesis substitution ·
ground comparison words · statement kept back · login link sent to a victim · guessed digest · rollback · split view · withheld revocation ·
freeze · ECDSA malleability · parser differential · Ed25519 acceptance split · cross-protocol signature reuse · threshold counted twice ·
class lowered · unknown op ignored · one stolen passkey · stolen grant · replayed or reordered call · arguments changed after the check ·
constraint that fails open · tool redefinition · confused deputy and tenant swap · relay reads or patterns · harvest now, decrypt later ·
secret substitution · gateway hides an action · compromised gateway (blast radius: its own resources) · log spam · suite downgrade ·
key claiming · recovery abused or held hostage · edges diverging · supply chain · approval forged, replayed or for another call ·
approver shown another call · self-approval · injected agent within its grant`
  .split(/\s*·\s*/)
  .map((threat) => threat.trim())

interface Row {
  readonly threat: string
  readonly mitigation: string
  readonly tests: readonly string[]
  readonly residual: string
}

const rows: readonly Row[] = readFileSync(join(root, 'SECURITY.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => line.split('|').slice(1, -1))
  .filter((cells) => cells.length === 4 && !/^(?:\s*threat\s*|[\s:-]+)$/i.test(cells[0]!))
  .map(([threat = '', mitigation = '', tests = '', residual = '']) => ({
    threat: threat.trim(),
    mitigation: mitigation.trim(),
    tests: tests.split(' · ').map((one) => one.trim()),
    residual: residual.trim(),
  }))

test('every threat has exactly one row, in order', () => {
  expect(rows.map(({ threat }) => threat)).toEqual(threats)
})

describe.each(rows)('$threat', ({ mitigation, tests, residual }) => {
  test('says what stops it and what remains', () => {
    expect(mitigation).not.toBe('')
    expect(residual).not.toBe('')
  })
  test('names a test, or what is still to come', () => {
    expect(tests.some((one) => one.startsWith('`') || one.startsWith('not yet: '))).toBe(true)
  })
  test.each(tests.filter((one) => !one.startsWith('not yet: ')))('%s is there', (one) => {
    const [, path = '', name] = /^`([^`]+)`(?:: (.+))?$/.exec(one) ?? []
    const file = join(root, path)
    expect(path && existsSync(file), `there is no ${path || one}`).toBe(true)
    if (name !== undefined) expect(namesIn(file), `${path} has no test of that name`).toContain(name)
  })
})

/** Names of vectors, or every string of a test file: titles, and the rows of its tables. */
function namesIn(file: string): readonly string[] {
  const text = readFileSync(file, 'utf8')
  if (!file.endsWith('.json'))
    return [...text.matchAll(/(['"`])((?:\\.|(?!\1)[^\\\n])*)\1/g)].map((match) => match[2]!.replace(/\\(.)/g, '$1'))
  const names: string[] = []
  JSON.parse(text, (key, value) => {
    if (key === 'name' && typeof value === 'string') names.push(value)
    return value
  })
  return names
}
