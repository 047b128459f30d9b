import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305'
import { CipherSuite, HkdfSha256 } from '@hpke/core'
import { DhkemX25519HkdfSha256 } from '@hpke/dhkem-x25519'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { outcome, readVectors } from '../../../../test/read-vectors.ts'
import { readLogVectors } from '../../../../test/statement-vectors.ts'
import { readTokenVectors, resolverOf } from '../../../../test/token-vectors.ts'
import { decodeBase64url } from '../bytes/base64url.ts'
import { utf8 } from '../bytes/bytes.ts'
import { isSafeText } from '../bytes/canonical.ts'
import { parseStrictJson } from '../bytes/json.ts'
import type { Hold } from '../call/hold.ts'
import { signHold, verifyHold } from '../call/hold.ts'
import { portable as suite } from '../key/portable.ts'
import type { PublicKey } from '../key/public-key.ts'
import { keyIdOf } from '../key/public-key.ts'
import { describeApproval } from './describe-approval.ts'
import type { HeldAddress, HeldRequest } from './hold.ts'
import { MAX_HELD_PARAMS_BYTES, openHold, readHeld, sealHold } from './hold.ts'

const read = (path: string) => JSON.parse(readFileSync(join(import.meta.dirname, '../../../../test/vectors', path), 'utf8'))
const file: {
  now: number
  at: HeldAddress
  key: PublicKey
  secret: string
  receipt: PublicKey
  expected: { id: string; gateway: Hold['iss']; cth: string }
  request: HeldRequest
} = read('seal/hold.json')
const secret = decodeBase64url(file.secret)
const context = { org: file.at.org, now: file.now, suite }
const random = (n: number) => crypto.getRandomValues(new Uint8Array(n))
const resolve = () => file.receipt

type Case = { content: string; sealed: string; at?: HeldAddress; expected?: typeof file.expected }
const vectors = readVectors<Case>('seal/hold.json')
const openCase = ({ content, sealed, at = file.at, expected = file.expected }: Case) =>
  readHeld(
    openHold({ content: decodeBase64url(content), key: decodeBase64url(sealed) }, secret, { ...at, key: file.key }, suite),
    expected,
    resolve,
    context,
  )

test.each(vectors)('a sealed hold: $name → $expect', (vector) => {
  expect(outcome(() => openCase(vector))).toBe(vector.expect)
  if (vector.expect === 'ok') expect(openCase(vector).params).toEqual(file.request.params)
})

test('the content key opens with @hpke/core too', async () => {
  const hpke = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Chacha20Poly1305() })
  const sealed = decodeBase64url(vectors[0]!.sealed)
  const recipientKey = await hpke.kem.importKey('raw', new Uint8Array(secret).buffer, false)
  const recipient = await hpke.createRecipientContext({
    recipientKey,
    enc: new Uint8Array(sealed.subarray(0, 32)).buffer,
    info: new Uint8Array(utf8('postern-hold-v1')).buffer,
  })
  const { org, gateway, cth } = file.at
  const aad = new Uint8Array(utf8(`${org}.${gateway}.${cth}.${keyIdOf(file.key)}`)).buffer
  const key = new Uint8Array(await recipient.open(new Uint8Array(sealed.subarray(32)).buffer, aad))
  const opened = suite.openChaCha(key, new Uint8Array(12), utf8(`${org}.${gateway}.${cth}`), decodeBase64url(vectors[0]!.content))
  expect(JSON.parse(new TextDecoder().decode(opened))).toEqual(file.request)
})

test('one flipped bit of what is sealed rejects', () => {
  const { content, sealed } = vectors[0]!
  for (const which of ['content', 'sealed'] as const) {
    const bytes = decodeBase64url(which === 'content' ? content : sealed)
    for (let bit = 0; bit < bytes.length * 8; bit += which === 'content' ? 61 : 1) {
      const flipped = bytes.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const parts = { content: decodeBase64url(content), key: decodeBase64url(sealed), [which === 'content' ? 'content' : 'key']: flipped }
      expect(outcome(() => openHold(parts, secret, { ...file.at, key: file.key }, suite))).toBe('CANNOT_OPEN')
    }
  }
})

test('any arguments go there and come back, and their length shows in steps of 1,024 bytes only', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (found) => {
      const json = JSON.stringify({ found })
      fc.pre(outcome(() => parseStrictJson(json, { maxBytes: 1 << 20, maxDepth: 64 })) === 'ok')
      const request = { ...file.request, params: { name: 'x', arguments: JSON.parse(json) } }
      const { content, keys } = sealHold(request, file.at, [file.key], random, suite)
      expect(content.length % 1024).toBe(16)
      expect(openHold({ content, key: keys[0]!.bytes }, secret, { ...file.at, key: file.key }, suite)).toEqual(request)
    }),
    { numRuns: 100 },
  )
})

test('1 MiB of parameters can be shown, a byte more is refused', () => {
  const params = (n: number) => ({ name: 'x', arguments: { text: 'x'.repeat(n) } })
  const around = JSON.stringify(params(0)).length
  const fits = { ...file.request, params: params(MAX_HELD_PARAMS_BYTES - around) }
  const { content, keys } = sealHold(fits, file.at, [file.key], random, suite)
  expect(openHold({ content, key: keys[0]!.bytes }, secret, { ...file.at, key: file.key }, suite)).toEqual(fits)
  const tooLong = { ...file.request, params: params(MAX_HELD_PARAMS_BYTES - around + 1) }
  expect(outcome(() => sealHold(tooLong, file.at, [file.key], random, suite))).toBe('TOO_LARGE')
})

test('it is sealed to seal keys only, and to no more than 256', () => {
  const seal = (keys: readonly PublicKey[]) => outcome(() => sealHold(file.request, file.at, keys, random, suite))
  expect(seal([{ ...file.key, use: 'channel' }])).toBe('WRONG_KEY_USE')
  expect(seal(Array<PublicKey>(257).fill(file.key))).toBe('TOO_LARGE')
})

const tokens = readTokenVectors('hold')
test.each(tokens.vectors)('hold: $name → $expect', ({ token, expect: code }) => {
  const run = () => verifyHold(token, resolverOf(tokens.keys), { org: tokens.org, now: tokens.now, suite })
  expect(outcome(run)).toBe(code)
})
test.each(tokens.vectors.filter(({ payload }) => payload))('hold: signing $name gives these bytes', ({ token, payload }) => {
  const { seed } = tokens.keys.find(({ kid }) => kid === (payload as Hold).kid)!
  expect(signHold(payload as Hold, decodeBase64url(seed), suite)).toBe(token)
})

const described = readLogVectors<{ log: string; bytes: string; sentences: readonly string[] }>('approval/describe.json')
const held = readHeld(file.request, file.expected, resolve, context)
test.each(described.vectors)('what a person reads: $name', ({ log, bytes, sentences }) => {
  const read = describeApproval(decodeBase64url(bytes), described.stateOf(log), held)
  expect(read).toEqual(sentences)
  for (const sentence of read) {
    expect(isSafeText(sentence)).toBe(true)
    expect(sentence).toMatch(/^[A-Za-z@][^\n]*\.$/)
  }
})
test('every argument is in the sentences, whole', () => {
  const text = described.vectors[0]!.sentences.join('\n')
  for (const part of ['4800', '"EUR"', '"DE89370400440532013000"', '"Dup<U+001F>licate"', '{"name":"ACME","vat":null}']) {
    expect(text).toContain(part)
  }
})
test('bytes about another call than the one shown are not described', () => {
  const other = { ...held, hold: { ...held.hold, cth: held.hold.gth } }
  expect(outcome(() => describeApproval(decodeBase64url(described.vectors[0]!.bytes), undefined, other))).toBe('WRONG_CALL')
})
