import { expect, test } from 'vitest'
import { outcome } from '../../../../test/read-vectors.ts'
import { readTokenVectors, resolverOf } from '../../../../test/token-vectors.ts'
import { decodeBase64url } from '../bytes/base64url.ts'
import { parseAtSign } from '../key/atsign.ts'
import { portableSignatures as suite } from '../key/suite.ts'
import type { Ask } from './ask.ts'
import { signAsk, verifyAsk } from './ask.ts'

const file = readTokenVectors('ask')
const context = { org: file.org, now: file.now, suite, audience: parseAtSign(file.audience!) }
const verify = (token: string) => verifyAsk(token, resolverOf(file.keys), context)

test.each(file.vectors)('ask: $name → $expect', ({ token, expect: code }) => {
  expect(outcome(() => verify(token))).toBe(code)
})

const valid = file.vectors.filter(({ payload }) => payload)
test.each(valid)('ask: signing $name gives these bytes, and they read back as it', ({ token, payload }) => {
  const { seed } = file.keys.find(({ kid }) => kid === (payload as Ask).kid)!
  expect(signAsk(payload as Ask, decodeBase64url(seed), suite)).toBe(token)
  expect(verify(token)).toEqual(payload)
})

test('nothing is signed that nobody would accept', () => {
  const { payload } = valid[0]!
  const seed = new Uint8Array(32)
  expect(outcome(() => signAsk({ ...(payload as Ask), details: [] }, seed, suite))).toBe('MALFORMED')
  expect(outcome(() => signAsk({ ...(payload as Ask), more: 1 } as Ask, seed, suite))).toBe('UNKNOWN_FIELD')
  const many = Array.from({ length: 64 }, (_, i) => ({
    type: 'mcp_tool' as const,
    server: 's'.repeat(64),
    tool: `${'t'.repeat(125)}${i}`,
    args: [],
  }))
  expect(outcome(() => signAsk({ ...(payload as Ask), details: many }, seed, suite))).toBe('TOO_LARGE')
})
