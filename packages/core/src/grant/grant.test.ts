import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { outcome } from '../../../../test/read-vectors.ts'
import { readTokenVectors, resolverOf } from '../../../../test/token-vectors.ts'
import { decodeBase64url } from '../bytes/base64url.ts'
import { portableSignatures as suite } from '../key/suite.ts'
import type { Grant } from './grant.ts'
import { checkGrantTimes, signGrant, verifyGrant } from './grant.ts'
import { intentOf } from './intent.ts'

const file = readTokenVectors('grant')
const context = { org: file.org, now: file.now, suite }
const verify = (token: string) => verifyGrant(token, resolverOf(file.keys), context)

test.each(file.vectors)('grant: $name → $expect', ({ token, expect: code }) => {
  expect(outcome(() => verify(token))).toBe(code)
})

const valid = file.vectors.filter(({ payload }) => payload)
test.each(valid)('grant: signing $name gives these bytes, and they read back as it', ({ token, payload }) => {
  const { seed } = file.keys.find(({ kid }) => kid === (payload as Grant).kid)!
  expect(signGrant(payload as Grant, decodeBase64url(seed), suite)).toBe(token)
  expect(verify(token)).toEqual(payload)
})

test('a gateway with the only clock that matters applies the end exactly', () => {
  const grant = valid[0]!.payload as Grant
  const at = (now: number) => outcome(() => verifyGrant(valid[0]!.token, resolverOf(file.keys), { ...context, now, toleranceSeconds: 0 }))
  expect([grant.nbf - 1, grant.nbf, grant.exp - 1, grant.exp].map(at)).toEqual(['NOT_YET_VALID', 'ok', 'ok', 'EXPIRED'])
  expect(outcome(() => checkGrantTimes(grant, grant.exp, 0))).toBe('EXPIRED')
  expect(outcome(() => checkGrantTimes(grant, grant.exp))).toBe('ok')
})

test('an intent is kept as its beginning and a digest salted with the ask', () => {
  const words = `${'é'.repeat(79)}👍👍`
  const jti = 'AAAAAAAAAAAAAAAAAAAAAA'
  const intent = intentOf(words, jti, suite)
  expect([...intent.sum]).toHaveLength(80)
  expect(words.startsWith(intent.sum)).toBe(true)
  const salted = createHash('sha256').update('postern-intent-v1\0').update(new Uint8Array(16)).update(words)
  expect(intent.h).toBe(salted.digest('base64url'))
  expect(intentOf(words, 'AAAAAAAAAAAAAAAAAAAAAQ', suite).h).not.toBe(intent.h)
})
