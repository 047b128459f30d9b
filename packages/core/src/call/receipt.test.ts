import { expect, test } from 'vitest'
import { outcome } from '../../../../test/read-vectors.ts'
import { readTokenVectors, resolverOf } from '../../../../test/token-vectors.ts'
import { decodeBase64url } from '../bytes/base64url.ts'
import { portableSignatures as suite } from '../key/suite.ts'
import type { Receipt } from './receipt.ts'
import { signReceipt, verifyReceipt } from './receipt.ts'

const file = readTokenVectors('receipt')
const context = { org: file.org, now: file.now, suite }
const verify = (token: string) => verifyReceipt(token, resolverOf(file.keys), context)

test.each(file.vectors)('receipt: $name → $expect', ({ token, expect: code }) => {
  expect(outcome(() => verify(token))).toBe(code)
})

const valid = file.vectors.filter(({ payload }) => payload)
test.each(valid)('receipt: signing $name gives these bytes, and they read back as it', ({ token, payload }) => {
  const { seed } = file.keys.find(({ kid }) => kid === (payload as Receipt).kid)!
  expect(signReceipt(payload as Receipt, decodeBase64url(seed), suite)).toBe(token)
  expect(verify(token)).toEqual(payload)
})
