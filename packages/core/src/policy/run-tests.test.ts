import { expect, test } from 'vitest'
import { utf8 } from '../bytes/bytes.ts'
import type { AtSign } from '../key/atsign.ts'
import { parsePolicy } from './parse.ts'
import { runPolicyTests } from './run-tests.ts'

const policy = parsePolicy(
  utf8(
    JSON.stringify({
      v: 1,
      name: 'main',
      rules: [
        { id: 'reads', who: ['tag:dev'], servers: ['*'], tools: ['risk:read'], effect: 'allow' },
        { id: 'notes', who: ['@bot'], servers: ['fs'], tools: ['write'], when: { path: { prefix: '/notes' } }, effect: 'allow' },
      ],
      tests: [
        { name: 'bot writes notes', who: '@bot', server: 'fs', tool: 'write', args: { path: '/notes/a' }, expect: 'allow', rule: 'notes' },
        { name: 'and nothing else', who: '@bot', server: 'fs', tool: 'write', args: { path: '/etc/x' }, expect: 'deny' },
        { name: 'wrongly expected', who: '@bot', server: 'fs', tool: 'write', args: { path: '/etc/x' }, expect: 'allow' },
        { name: 'pinned class', who: '@bot', server: 'crm', tool: 'list', expect: 'allow' },
        { name: 'assumed class', who: '@bot', server: 'crm', tool: 'delete', risk: 'read', expect: 'allow' },
        { name: 'assumed tags', who: '@nobody', server: 'crm', tool: 'list', tags: ['dev'], expect: 'allow' },
        { name: 'not enrolled', who: '@nobody', server: 'crm', tool: 'list', expect: 'deny' },
        { name: 'another rule', who: '@bot', server: 'crm', tool: 'list', expect: 'allow', rule: 'notes' },
      ],
    }),
  ),
)

test('runs the tests of the document with facts of the log, or those that the test states', () => {
  const resolve = (atsign: AtSign) => (atsign === '@bot' ? { atsign, tags: ['dev'] } : undefined)
  const results = runPolicyTests(policy, resolve, (_, tool) => (tool === 'list' ? 'read' : 'write'))
  expect(results.map(({ name, ok }) => [name, ok])).toEqual([
    ['bot writes notes', true],
    ['and nothing else', true],
    ['wrongly expected', false],
    ['pinned class', true],
    ['assumed class', true],
    ['assumed tags', true],
    ['not enrolled', false],
    ['another rule', false],
  ])
  expect(results[2]?.reason).toBe('expected allow, got deny: rule notes (line 1): path must be within /notes, as a plain path')
  expect(results[6]?.reason).toContain('@nobody is not enrolled')
  expect(results[7]?.reason).toContain('expected rule notes')
})
