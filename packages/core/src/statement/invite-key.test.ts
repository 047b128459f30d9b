import { hkdfSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { outcome } from '../../../../test/read-vectors.ts'
import { encodeBase64url } from '../bytes/base64url.ts'
import { inviteKey } from './invite-key.ts'

const token = Uint8Array.from({ length: 16 }, (_, i) => i)

test('the key of a token is fixed: HKDF-SHA256 as node:crypto does it, then Ed25519', () => {
  const { seed, publicKey } = inviteKey(token)
  expect(seed).toEqual(new Uint8Array(hkdfSync('sha256', token, 'postern-invite-v1', '', 32)))
  expect(encodeBase64url(seed)).toBe('zryHgScj2oAc_ltwb2rc4zywZualHiFcPyjj4q7Kq04')
  expect(publicKey).toEqual({ use: 'invite', alg: 'ed25519', key: 'RxJATbMf_PZJXrcCP6E9OwtlB4cPV1K73VcPyz-QCi4' })
})

test('a token of another length is refused', () => {
  expect(outcome(() => inviteKey(token.subarray(1)))).toBe('MALFORMED')
  expect(outcome(() => inviteKey(new Uint8Array(32)))).toBe('MALFORMED')
})
