import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { outcome } from '../../../../test/read-vectors.ts'
import { readSharedData } from '../../../../test/shared-data.ts'
import { skipped } from '../../../../test/skipped.ts'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { utf8 } from '../bytes/bytes.ts'
import { verifyEd25519 } from '../key/ed25519.ts'
import type { PublicKey } from '../key/public-key.ts'
import { keyIdOf } from '../key/public-key.ts'
import { portableSignatures as suite } from '../key/suite.ts'
import type { RequestHeaders } from './profile.ts'
import { parseRequestSignature, signatureBase } from './profile.ts'
import { signRequest } from './sign.ts'
import { verifyRequest } from './verify.ts'

interface Wire {
  readonly method: string
  readonly authority: string
  readonly path: string
  readonly query: string
  readonly body: string
  readonly headers: RequestHeaders
}
const file: { now: number; key: PublicKey; seed: string; vectors: { name: string; request: Wire; expect: string }[] } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../../test/vectors/request/verify.json'), 'utf8'),
)
const { now, key } = file
const seed = decodeBase64url(file.seed)
const kid = keyIdOf(key)
const verify = ({ body, ...request }: Wire, by = key) => verifyRequest({ ...request, body: utf8(body) }, by, { now, suite })

test.each(file.vectors)('$name → $expect', ({ request, expect: code }) => {
  expect(outcome(() => verify(request))).toBe(code)
})

const valid = file.vectors.filter(({ expect: code }) => code === 'ok')
test.each(valid)('signing gives these headers: $name', ({ request }) => {
  const { created, nonce } = parseRequestSignature(request.headers)
  const { method, authority, path, query, body } = request
  const signer = { kid, seed, created, nonce: decodeBase64url(nonce) }
  const url = `https://${authority}${path}${query}`
  if (query === '?') return // a URL object does not keep a lone question mark; it means the same
  expect(signRequest({ method, url, body: utf8(body) }, signer, suite)).toEqual(request.headers)
})

const nonce = new Uint8Array(16)
const signer = { kid, seed, created: now, nonce }

test('the result names the key and the nonce to remember', () => {
  const { request } = valid[0]!
  expect(verify(request)).toEqual({ kid, nonce: parseRequestSignature(request.headers).nonce, created: now - 10 })
})

test('no body is an empty body, and a default port is not named', () => {
  const headers = signRequest({ method: 'GET', url: 'https://Postern.Example:443' }, signer, suite)
  expect(verify({ method: 'GET', authority: 'postern.example', path: '/', query: '', body: '', headers })).toMatchObject({ kid })
})

test('only an ed25519 auth key signs requests', () => {
  const { request } = valid[0]!
  expect(outcome(() => verify(request, { ...key, use: 'call' }))).toBe('WRONG_KEY_USE')
  expect(outcome(() => verify(request, { ...key, alg: 'ssh-ed25519' }))).toBe('WRONG_KEY_USE')
})

test('a relative URL and a short nonce are programming errors', () => {
  expect(() => signRequest({ method: 'GET', url: '/api' }, signer, suite)).toThrow(TypeError)
  expect(() => signRequest({ method: 'GET', url: 'https://a/' }, { ...signer, nonce: new Uint8Array(8) }, suite)).toThrow(TypeError)
})

test('inherited names are not headers', () => {
  expect(outcome(() => parseRequestSignature(Object.create(valid[0]!.request.headers)))).toBe('UNSIGNED')
})

test('any one character of any header replaced is refused', () => {
  const { request } = valid[0]!
  const names = ['content-digest', 'signature-input', 'signature'] as const
  const change = fc.tuple(fc.constantFrom(...names), fc.nat(400), fc.constantFrom(...'ABab019-_=:;," ()\n'))
  fc.assert(
    fc.property(change, ([name, place, character]) => {
      const old = request.headers[name] as string
      const at = place % old.length
      fc.pre(old[at] !== character)
      const headers = { ...request.headers, [name]: old.slice(0, at) + character + old.slice(at + 1) }
      expect(outcome(() => verify({ ...request, headers }))).not.toBe('ok')
    }),
    { numRuns: 1000 },
  )
})

const published = readSharedData('vectors/rfc9421/rfc9421.json.gz')
if (!published) skipped('published RFC 9421 examples', 'no external data')
describe.runIf(published)('the examples of RFC 9421', () => {
  const { keys, cases } = JSON.parse(published ?? '{}') as {
    keys: Record<string, { jwk: { x: string } }>
    cases: { id: string; signatureBase: string; signatureB64: string }[]
  }
  const example = (id: string) => cases.find((one) => one.id === id)!

  test('write method, authority, path, query and digest as we do', () => {
    const lines = example('sig-b23').signatureBase.split('\n')
    const digest = lines.find((line) => line.startsWith('"content-digest"'))!.slice('"content-digest": '.length)
    const target = { method: 'POST', authority: 'example.com', path: '/foo', query: '?param=Value&Pet=dog' }
    const ours = new TextDecoder().decode(signatureBase(target, digest, '()')).split('\n')
    expect(ours).toHaveLength(6)
    for (const line of ours.slice(0, 5)) expect(lines).toContain(line)
    const minimal = example('sig-b21').signatureBase
    const parameters = minimal.slice('"@signature-params": '.length)
    const last = new TextDecoder()
      .decode(signatureBase(target, digest, parameters))
      .split('\n')
      .at(-1)
    expect(last).toBe(minimal)
  })

  test('verify under our one Ed25519 rule', () => {
    const { signatureBase: base, signatureB64 } = example('sig-b26')
    const raw = decodeBase64url(keys['test-key-ed25519']!.jwk.x)
    const signature = new Uint8Array(Buffer.from(signatureB64, 'base64'))
    expect(verifyEd25519(raw, utf8(base), signature, suite)).toBe(true)
    expect(verifyEd25519(raw, utf8(`${base} `), signature, suite)).toBe(false)
    expect(encodeBase64url(raw)).toBe(keys['test-key-ed25519']!.jwk.x)
  })
})
