import { expect, test } from 'vitest'
import { outcome } from '../../../../test/read-vectors.ts'
import { readLogVectors } from '../../../../test/statement-vectors.ts'
import { decodeBase64url } from '../bytes/base64url.ts'
import { isSafeText, parseSigned } from '../bytes/canonical.ts'
import type { JsonValue } from '../bytes/json.ts'
import { isJsonObject } from '../bytes/json.ts'
import type { PublicKey } from '../key/public-key.ts'
import { keyIdOf } from '../key/public-key.ts'
import type { Describable } from './describe.ts'
import { describe } from './describe.ts'
import { KINDS } from './kinds.ts'

const { vectors, stateOf } = readLogVectors<{ kind: Describable; log?: string; bytes: string; sentences: readonly string[] }>(
  'statement/describe.json',
)

test.each(vectors)('$kind: $name gives these sentences', ({ kind, log, bytes, sentences }) => {
  expect(describe(kind, decodeBase64url(bytes), log === undefined ? undefined : stateOf(log))).toEqual(sentences)
})

test('every operation has sentences', () => {
  const ops = vectors
    .filter(({ kind }) => kind === 'statement')
    .map(({ bytes }) => (parseSigned(decodeBase64url(bytes)) as { op: string }).op)
  expect(new Set(ops)).toEqual(new Set(['genesis', ...Object.keys(KINDS)]))
})

/** Every key, name, tag, server, digest and origin in the bytes, requests opened. */
function materialOf(value: JsonValue): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(materialOf)
  if (!isJsonObject(value)) return []
  if (typeof value.use === 'string' && typeof value.key === 'string') return [keyIdOf(value as unknown as PublicKey)]
  return Object.entries(value).flatMap(([name, item]) => {
    if (name === 'request') return materialOf(parseSigned(decodeBase64url(item as string)))
    if (['proofs', 'nonce', 'sig'].includes(name)) return []
    const shown = ['atsign', 'owner', 'via', 'server', 'gateway', 'digest', 'sha256', 'rp_id', 'console', 'id', 'prev', 'risk', 'org']
    if (typeof item === 'string' && shown.includes(name)) return [item]
    if (Array.isArray(item) && ['tags', 'servers', 'origins', 'rev'].includes(name)) return item as string[]
    return materialOf(item)
  })
}

test.each(vectors)('nothing material is left out: $name', ({ bytes, sentences }) => {
  const text = sentences.join('\n')
  for (const item of materialOf(parseSigned(decodeBase64url(bytes)))) expect(text).toContain(item)
})

test.each(vectors)('sentences are plain, whole and safe to show: $name', ({ sentences }) => {
  for (const sentence of sentences) {
    expect(sentence).toMatch(/^[A-Za-z@][^\n]*\.$/)
    expect(isSafeText(sentence)).toBe(true)
    expect(sentence).not.toMatch(/undefined|NaN|\[object/)
  }
})

test('an object of another organisation than the reader’s is refused, whatever it is', () => {
  const foreign = stateOf(vectors.find(({ name }) => name === 'two of two')!.log!)
  for (const kind of ['revocation', 'login', 'enrolment', 'statement'] as const) {
    const vector = vectors.find((candidate) => candidate.kind === kind && candidate.name !== 'genesis')!
    expect(outcome(() => describe(kind, decodeBase64url(vector.bytes), foreign))).toBe('WRONG_ORG')
  }
})

test('an object cannot be described as another kind', () => {
  for (const { kind, bytes } of vectors) {
    for (const other of ['statement', 'revocation', 'login', 'enrolment'] as const) {
      if (other !== kind) expect(outcome(() => describe(other, decodeBase64url(bytes)))).not.toBe('ok')
    }
  }
})
