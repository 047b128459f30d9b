import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { utf8 } from '../bytes/bytes.ts'
import type { VerifyCode } from '../errors.ts'
import { lintPolicy, POLICY_LIMITS, parsePolicy, policyDigest } from './parse.ts'

const file = join(import.meta.dirname, '../../../../test/vectors/policy/invalid.json')
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as {
  vectors: { name: string; text: string; expect: VerifyCode; path?: string; line?: number }[]
}

test.each(vectors)('refuses: $name → $expect', ({ text, expect: code, path, line }) => {
  const bytes = utf8(text)
  expect(() => parsePolicy(bytes)).toThrow(expect.objectContaining({ code }))
  const [first] = lintPolicy(bytes)
  expect(first?.code).toBe(code)
  if (path !== undefined) expect(first?.path).toBe(path)
  if (line !== undefined) expect(first?.line).toBe(line)
})

const rule = { id: 'a', who: ['*'], servers: ['*'], tools: ['*'], effect: 'allow' }
const document = { v: 1, name: 'main', rules: [rule] }

test('the message names line, column and path', () => {
  const text = '{"v":1,"name":"main",\n "rules":[{"id":"a","who":["*"],"servers":["*"],"tools":["*"],\n   "Effect":"allow"}]}'
  expect(() => parsePolicy(utf8(text))).toThrow('line 3, column 4: rules[0].Effect: unknown field')
})

test('lint lists the mistakes of all rules and tests in the order of the text', () => {
  const text = JSON.stringify(
    { v: 1, name: 'main', rules: [{ ...rule, who: [] }, rule, { ...rule, id: 'b', tools: ['risk:none'] }, rule], tests: [{}] },
    null,
    1,
  )
  expect(lintPolicy(utf8(text)).map(({ path, code }) => [path, code])).toEqual([
    ['rules[0].who', 'MALFORMED'],
    ['rules[2].tools[0]', 'MALFORMED'],
    ['rules[3].id', 'DUPLICATE_RULE'],
    ['tests[0]', 'MALFORMED'],
  ])
})

test('a good document has no mistakes, and defaults', () => {
  const policy = parsePolicy(utf8(JSON.stringify(document)))
  expect(lintPolicy(utf8(JSON.stringify(document)))).toEqual([])
  expect(policy).toMatchObject({ name: 'main', staleSeconds: { effects: 300, reads: 3600 }, tests: [] })
  expect(policy.rules[0]).toMatchObject({ off: false, sums: false, requires: [], limits: { ttlSeconds: 60 } })
  expect(parsePolicy(utf8(JSON.stringify({ ...document, stale_seconds: { effects: 60 } }))).staleSeconds).toEqual({
    effects: 60,
    reads: 3600,
  })
})

test('refuses more than 256 KiB, and text that is not UTF-8', () => {
  expect(() => parsePolicy(utf8(JSON.stringify(document) + ' '.repeat(262_144)))).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }))
  expect(() => parsePolicy(new Uint8Array([0x22, 0xff, 0x22]))).toThrow(expect.objectContaining({ code: 'MALFORMED' }))
})

test('reads the largest document quickly, and one full of mistakes too', () => {
  const rules = Array.from({ length: 1000 }, (_, i) => ({
    ...rule,
    id: `r${i}`,
    who: ['@ana', 'tag:dev'],
    when: { path: { prefix: `/notes/${i}` } },
  }))
  const started = performance.now()
  expect(parsePolicy(utf8(JSON.stringify({ ...document, rules }))).rules).toHaveLength(1000)
  expect(lintPolicy(utf8(JSON.stringify({ ...document, rules: rules.map((r) => ({ ...r, who: ['ana'] })) })))).toHaveLength(1000)
  expect(performance.now() - started).toBeLessThan(2000)
})

test('long names and many members cost neither time nor memory', () => {
  const long = 'x'.repeat(100_000)
  const rules = Array.from({ length: 1000 }, () => 0)
  const started = performance.now()
  const problems = lintPolicy(utf8(JSON.stringify({ ...document, rules, tests: [{ [long]: Array.from({ length: 60_000 }, () => 0) }] })))
  expect(problems).toHaveLength(1001)
  expect(Math.max(...problems.map((problem) => problem.message.length))).toBeLessThanOrEqual(500)
  expect(performance.now() - started).toBeLessThan(2000)
})

test('no truncation of a good document is a document, and none crashes the linter', () => {
  const text = JSON.stringify({
    ...document,
    groups: { ops: ['@ana'] },
    tests: [{ name: 't', who: '@b', server: 's', tool: 't', expect: 'deny' }],
  })
  for (let i = 0; i < text.length; i++) {
    expect(() => parsePolicy(utf8(text.slice(0, i)))).toThrow(expect.objectContaining({ name: 'VerifyError' }))
    expect(lintPolicy(utf8(text.slice(0, i)))).toHaveLength(1)
  }
})

test('the digest is the SHA-256 of the bytes as they are, white space included', () => {
  const bytes = utf8(JSON.stringify(document, null, 2))
  expect(policyDigest(bytes)).toBe(createHash('sha256').update(bytes).digest('base64url'))
  expect(policyDigest(utf8(`${JSON.stringify(document, null, 2)}\n`))).not.toBe(policyDigest(bytes))
})

test('the limits of a document are frozen', () => {
  expect(POLICY_LIMITS).toEqual({ maxBytes: 262_144, maxDepth: 64 })
})
