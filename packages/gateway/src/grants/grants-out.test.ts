import type { Grant } from '@postern/core'
import { describe, expect, test } from 'vitest'
import { createGrantsOut } from './grants-out.ts'

const tool = (name: string) => ({
  type: 'mcp_tool' as const,
  server: 'fs',
  tool: name,
  schema: 'd',
  args: [{ arg: 'path', is: { prefix: '/secret' } }],
})
const grant = (change: Partial<Grant> = {}): Grant =>
  ({
    ...{ iss: '@gw', aud: '@gw', sub: '@bot', epoch: 'e1', pol: 'p1', nbf: 100, exp: 160, max: 5 },
    ...{ authorization_details: [tool('read'), tool('list')], intent: { h: 'h', sum: 'a secret plan' } },
    ...change,
  }) as unknown as Grant

function world({ max }: { max?: number } = {}) {
  const state = { epoch: 'e1', policy: 'p1' as string | undefined, revoked: new Set<string>(), started: new Map<string, number>() }
  const out = createGrantsOut({
    epoch: () => state.epoch,
    authority: {
      get policy() {
        return state.policy === undefined ? undefined : ({ digest: state.policy } as never)
      },
      isGrantRevoked: (hash: string) => state.revoked.has(hash),
    },
    uses: { get: (hash: string) => (state.started.has(hash) ? ({ started: state.started.get(hash) } as never) : undefined) },
    ...(max === undefined ? {} : { max }),
  })
  return { out, state }
}
const hashes = (reported: readonly { gth: string }[]) => reported.map(({ gth }) => gth)

describe('grants that are out', () => {
  test('are reported with who, which tools, by which rules, until when and how often used; conditions and intent stay here', () => {
    const { out, state } = world()
    out.add('g1', grant(), ['R1', undefined])
    state.started.set('g1', 2)
    expect(out.report(120)).toEqual([
      {
        ...{ gth: 'g1', agent: '@bot', iat: 100, exp: 160, max: 5, used: 2 },
        tools: [
          { server: 'fs', tool: 'read', rule: 'R1' },
          { server: 'fs', tool: 'list' },
        ],
      },
    ])
    expect(JSON.stringify(out.report(120))).not.toContain('secret')
  })

  test('are no more when their time is over, the run or the policy is another, or they are revoked', () => {
    for (const end of ['time', 'epoch', 'policy', 'no policy', 'revoked']) {
      const { out, state } = world()
      out.add('g1', grant(), [])
      expect(hashes(out.report(159)), end).toEqual(['g1'])
      if (end === 'epoch') state.epoch = 'e2'
      if (end === 'policy') state.policy = 'p2'
      if (end === 'no policy') state.policy = undefined
      if (end === 'revoked') state.revoked.add('g1')
      expect(out.report(end === 'time' ? 160 : 159), end).toEqual([])
    }
  })

  test('are bounded: the oldest is left out first', () => {
    const { out } = world({ max: 2 })
    for (const hash of ['g1', 'g2', 'g3']) out.add(hash, grant(), [])
    expect(hashes(out.report(120))).toEqual(['g2', 'g3'])
  })

  test('make news when one is given and when one is used', () => {
    const { out, state } = world()
    const before = out.changes
    out.add('g1', grant(), [])
    const given = out.changes
    state.started.set('g1', 1)
    expect([given > before, out.changes > given]).toEqual([true, true])
  })
})
