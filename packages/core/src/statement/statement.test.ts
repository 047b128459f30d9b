import { expect, test } from 'vitest'
import { outcome, readVectors } from '../../../../test/read-vectors.ts'
import { readLogVectors } from '../../../../test/statement-vectors.ts'
import { decodeBase64url } from '../bytes/base64url.ts'
import { encodeCanonical, parseSigned } from '../bytes/canonical.ts'
import type { SignedJson } from '../key/signature.ts'
import { decodeSigned } from '../key/signature.ts'
import { portableSignatures as suite } from '../key/suite.ts'
import { KINDS } from './kinds.ts'
import { applyStatement } from './replay.ts'
import { stateHash } from './state-hash.ts'
import { parseStatement } from './statement.ts'

const bytesVectors = readVectors<{ bytes: string }>('statement/parse.json')
test.each(bytesVectors)('parsing: $name → $expect', ({ bytes, expect: code }) => {
  expect(outcome(() => parseStatement(decodeBase64url(bytes)))).toBe(code)
})
test.each(bytesVectors.filter((vector) => vector.expect === 'ok'))('what is accepted is canonical: $name', ({ bytes }) => {
  const signed = decodeBase64url(bytes)
  expect(encodeCanonical(parseSigned(signed))).toEqual(signed)
})
test('every operation has a valid vector', () => {
  const names = bytesVectors.map(({ name }) => name)
  for (const op of ['genesis', ...Object.keys(KINDS)]) expect(names).toContain(op)
})

const { vectors, stateOf } = readLogVectors<{ log: string; next: SignedJson; head?: string; state_hash?: string }>('statement/apply.json')
test.each(vectors)('after its log: $name → $expect', ({ log, next, expect: code, head, state_hash }) => {
  const before = stateOf(log)
  let after = before
  const got = outcome(() => {
    after = applyStatement(before, decodeSigned(next), suite)
  })
  expect(after.halted ? 'halted' : got).toBe(code)
  if (code === 'ok') expect({ head: after.head, state_hash: stateHash(after) }).toEqual({ head, state_hash })
  if (code === 'halted') expect({ ...after, halted: undefined }).toEqual({ ...before, halted: undefined })
  if (code === 'halted') expect(outcome(() => applyStatement(after, decodeSigned(next), suite))).toBe('HALTED')
})
