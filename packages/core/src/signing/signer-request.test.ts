import { expect, test } from 'vitest'
import { outcome, readVectors } from '../../../../test/read-vectors.ts'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { decodeUtf8 } from '../bytes/bytes.ts'
import type { SignerRequest } from './signer-request.ts'
import { encodeSignerRequest, parseSignerRequest, signerRequestUrl } from './signer-request.ts'

type Read = { fragment: string; request?: SignerRequest }
const vectors = readVectors<Read>('signer-request/parse.json')
const valid = vectors.filter(({ expect: code }) => code === 'ok')

test.each(vectors)('$name → $expect', ({ fragment, expect: code }) => {
  expect(outcome(() => parseSignerRequest(fragment))).toBe(code)
})

test.each(valid)('$name reads as its fields, which make the same fragment', ({ fragment, request }) => {
  expect(parseSignerRequest(fragment)).toEqual(request)
  expect(encodeSignerRequest(request!)).toBe(fragment)
  expect(signerRequestUrl('http://localhost:3001', request!)).toBe(`http://localhost:3001/#${fragment}`)
})

test.each(valid)('$name: nothing but the whole of it is read', ({ fragment }) => {
  for (let length = 0; length < fragment.length; length += 1) {
    expect(
      outcome(() => parseSignerRequest(fragment.slice(0, length))),
      `${length} characters`,
    ).not.toBe('ok')
  }
})

test.each(valid)('$name: every field of it is needed, or says so by its absence', ({ request }) => {
  const optional = ['back', 'atsign', 'name', 'server', 'client', 'port', ...('port' in request! ? [] : ['session_key'])]
  for (const name of Object.keys(request!)) {
    const { [name]: _, ...rest } = request as unknown as Record<string, never>
    expect(
      outcome(() => encodeSignerRequest(rest as never)),
      name,
    ).toBe(optional.includes(name) ? 'ok' : 'MALFORMED')
  }
})

test('a request is told by its kind alone: the fields of another kind are unknown', () => {
  for (const { request } of valid) {
    for (const other of valid) {
      const mixed = { ...other.request, ...request } as never
      const same = Object.keys(mixed).every((name) => Object.hasOwn(request!, name))
      const code = outcome(() => encodeSignerRequest(mixed))
      if (!same && request!.kind !== other.request!.kind) expect(['UNKNOWN_FIELD', 'ok']).toContain(code)
      if (code === 'ok') expect(decodeUtf8(decodeBase64url(encodeSignerRequest(mixed)))).toContain(`"kind":"${request!.kind}"`)
    }
  }
})

test('what is not base64url of canonical JSON is refused', () => {
  const { request } = valid[0]!
  const text = JSON.stringify(request, null, 1)
  expect(outcome(() => parseSignerRequest(encodeBase64url(new TextEncoder().encode(text))))).toBe('NOT_CANONICAL')
  expect(outcome(() => parseSignerRequest('%7B%7D'))).toBe('MALFORMED')
})
