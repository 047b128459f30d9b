import { expect, test } from 'vitest'
import { outcome } from '../../../../test/read-vectors.ts'
import { readTokenVectors, resolverOf } from '../../../../test/token-vectors.ts'
import { decodeBase64url } from '../bytes/base64url.ts'
import { portableSignatures as suite } from '../key/suite.ts'
import type { Call } from './call.ts'
import { signCall, verifyCall } from './call.ts'

const file = readTokenVectors('call')
const context = { org: file.org, now: file.now, suite }
const verify = (token: string) => verifyCall(token, resolverOf(file.keys), context)

test.each(file.vectors)('call: $name → $expect', ({ token, expect: code }) => {
  expect(outcome(() => verify(token))).toBe(code)
})

const valid = file.vectors.filter(({ payload }) => payload)
test.each(valid)('call: signing $name gives these bytes, and they read back as it', ({ token, payload }) => {
  const { seed } = file.keys.find(({ kid }) => kid === (payload as Call).kid)!
  expect(signCall(payload as Call, decodeBase64url(seed), suite)).toBe(token)
  expect(verify(token)).toEqual(payload)
})
