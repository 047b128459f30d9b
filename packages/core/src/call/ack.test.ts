import { expect, test } from 'vitest'
import { outcome, readVectors } from '../../../../test/read-vectors.ts'
import { readTokenVectors, resolverOf } from '../../../../test/token-vectors.ts'
import { decodeBase64url } from '../bytes/base64url.ts'
import { portableSignatures as suite } from '../key/suite.ts'
import type { Ack } from './ack.ts'
import { revocationsDigest, signAck, verifyAck } from './ack.ts'

const file = readTokenVectors('ack')
const context = { org: file.org, now: file.now, suite }
const verify = (token: string) => verifyAck(token, resolverOf(file.keys), context)

test.each(file.vectors)('ack: $name → $expect', ({ token, expect: code }) => {
  expect(outcome(() => verify(token))).toBe(code)
})

const valid = file.vectors.filter(({ payload }) => payload)
test.each(valid)('ack: signing $name gives these bytes, and they read back as it', ({ token, payload }) => {
  const { seed } = file.keys.find(({ kid }) => kid === (payload as Ack).kid)!
  expect(signAck(payload as Ack, decodeBase64url(seed), suite)).toBe(token)
  expect(verify(token)).toEqual(payload)
})

test.each(readVectors<{ hashes: string[]; count: number; digest: string }>('ack/revocations-digest.json'))(
  'ack: the digest of revocations is that of the set: $name',
  ({ hashes, count, digest }) => {
    expect(revocationsDigest(hashes, suite)).toEqual({ count, digest })
  },
)
