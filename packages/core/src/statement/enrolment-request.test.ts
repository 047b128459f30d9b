import { expect, test } from 'vitest'
import { outcome, readVectors } from '../../../../test/read-vectors.ts'
import { decodeBase64url } from '../bytes/base64url.ts'
import { comparisonWords } from '../key/comparison.ts'
import type { Signature } from '../key/signature.ts'
import { portableSignatures as suite } from '../key/suite.ts'
import { encodeEnrolmentRequest, parseEnrolmentRequest, verifyEnrolmentRequest } from './enrolment-request.ts'

type Request = { bytes: string; proofs: readonly Signature[]; site: { origins: readonly string[]; rp_id: string }; words?: string }
const vectors = readVectors<Request>('enrolment/verify.json')

test.each(vectors)('enrolment request: $name → $expect', ({ bytes, proofs, site, expect: code }) => {
  const at = { origins: site.origins, rpId: site.rp_id }
  expect(outcome(() => verifyEnrolmentRequest(decodeBase64url(bytes), proofs, at, suite))).toBe(code)
})

test.each(vectors.filter(({ words }) => words))('its bytes give these words, and read back: $name', ({ bytes, words }) => {
  const signed = decodeBase64url(bytes)
  const request = parseEnrolmentRequest(signed)
  expect(comparisonWords(request.org, signed).join(' ')).toBe(words)
  expect(encodeEnrolmentRequest(request)).toEqual(signed)
})

test('why a proof failed stays as the cause', () => {
  const { bytes, proofs, site } = vectors.find(({ name }) => name === 'proofs of other bytes')!
  const run = () => verifyEnrolmentRequest(decodeBase64url(bytes), proofs, { origins: site.origins, rpId: site.rp_id }, suite)
  expect(run).toThrow(expect.objectContaining({ code: 'BAD_PROOF', cause: expect.objectContaining({ code: 'BAD_SIGNATURE' }) }))
})
