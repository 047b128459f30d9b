import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305'
import { CipherSuite, HkdfSha256 } from '@hpke/core'
import { DhkemX25519HkdfSha256 } from '@hpke/dhkem-x25519'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, outcome, readVectors } from '../../../../test/read-vectors.ts'
import { readSharedData } from '../../../../test/shared-data.ts'
import { skipped } from '../../../../test/skipped.ts'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import type { AtSign } from '../key/atsign.ts'
import { portable as suite } from '../key/portable.ts'
import type { PublicKey } from '../key/public-key.ts'
import { keyIdOf, rawKey } from '../key/public-key.ts'
import { x25519PublicKey } from '../key/x25519.ts'
import type { GrantAnswer } from './ask.ts'
import { openAnswer, openAsk, sealAnswer, sealAsk } from './ask.ts'
import { openSealed, sealTo } from './hpke.ts'

const file: { org: string; gateway: AtSign; key: PublicKey; secret: string } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../../test/vectors/seal/ask.json'), 'utf8'),
)
const at = { org: file.org, gateway: file.gateway, key: file.key }
const secret = decodeBase64url(file.secret)
const random = (n: number) => crypto.getRandomValues(new Uint8Array(n))
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

const asks = readVectors<{ sealed: string; ask?: string }>('seal/ask.json')
test.each(asks)('a sealed ask: $name → $expect', ({ sealed, ask, expect: code }) => {
  const open = () => openAsk(decodeBase64url(sealed), secret, at, suite)
  expect(outcome(open)).toBe(code)
  if (code === 'ok') expect(open().ask).toBe(ask)
})

const { exporter } = openAsk(decodeBase64url(asks[0]!.sealed), secret, at, suite)
test.each(readVectors<{ answer: string; value?: GrantAnswer }>('seal/answer.json'))(
  'an answer: $name → $expect',
  ({ answer, value, expect: code }) => {
    const open = () => openAnswer(decodeBase64url(answer), exporter, at, suite)
    expect(outcome(open)).toBe(code)
    if (code === 'ok') expect(open()).toEqual(value)
  },
)

test('ask and answer go there and back', () => {
  const asker = sealAsk('an ask', at, random, suite)
  const gateway = openAsk(asker.sealed, secret, at, suite)
  expect(gateway.ask).toBe('an ask')
  for (const answer of [{ grant: 'a grant' }, { refused: { code: 'STALE', message: 'too old', fix: 'wait' } }]) {
    expect(openAnswer(sealAnswer(answer, gateway.exporter, at, random, suite), asker.exporter, at, suite)).toEqual(answer)
  }
})

test('no answer is sealed that nobody would accept', () => {
  const refused = { code: 'STALE', message: 'x'.repeat(501) }
  expect(outcome(() => sealAnswer({ refused }, exporter, at, random, suite))).toBe('MALFORMED')
  expect(outcome(() => sealAnswer({ refused: { ...refused, message: '\u202e' } }, exporter, at, random, suite))).toBe('UNSAFE_TEXT')
})

test('an answer to one ask does not open as the answer to another', () => {
  const [first, second] = [sealAsk('an ask', at, random, suite), sealAsk('an ask', at, random, suite)]
  const answer = sealAnswer({ grant: 'a grant' }, openAsk(first.sealed, secret, at, suite).exporter, at, random, suite)
  expect(outcome(() => openAnswer(answer, second.exporter, at, suite))).toBe('CANNOT_OPEN')
})

test.each([
  ['another organisation', { org: encodeBase64url(new Uint8Array(32)) }],
  ['another gateway', { gateway: '@db-gw' as AtSign }],
])('an ask that is carried to %s does not open', (_, change) => {
  const { sealed } = sealAsk('an ask', { ...at, ...change }, random, suite)
  expect(outcome(() => openAsk(sealed, secret, at, suite))).toBe('CANNOT_OPEN')
})

test('only a seal key is sealed to', () => {
  expect(outcome(() => sealAsk('an ask', { ...at, key: { ...at.key, use: 'channel' } }, random, suite))).toBe('WRONG_KEY_USE')
  expect(outcome(() => openAsk(new Uint8Array(64), secret, { ...at, key: { ...at.key, alg: 'ed25519' } }, suite))).toBe('WRONG_KEY_USE')
})

test.each([
  ['zero', '00'.repeat(32)],
  ['one', `01${'00'.repeat(31)}`],
  ['order 8', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
  ['p − 1', `ec${'ff'.repeat(30)}7f`],
  ['31 bytes', '09'.repeat(31)],
])('nothing is sealed to a key of small order or size: %s', (_, hex) => {
  expect(outcome(() => sealTo(fromHex(hex), utf8('i'), utf8('a'), utf8('p'), random, suite))).toBe('BAD_KEY')
})

const hpke = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Chacha20Poly1305() })
const buffer = (bytes: Uint8Array) => bytes.slice().buffer as ArrayBuffer
const bytes = (max: number) => fc.uint8Array({ maxLength: max })

describe('against @hpke/core', () => {
  test('it opens what we seal, and exports the same', async () => {
    const recipientKey = await hpke.kem.importKey('raw', buffer(secret), false)
    await fc.assert(
      fc.asyncProperty(bytes(40), bytes(40), bytes(300), async (info, aad, plaintext) => {
        const { sealed, exporter } = sealTo(rawKey(at.key), info, aad, plaintext, random, suite)
        const context = await hpke.createRecipientContext({ recipientKey, enc: buffer(sealed.subarray(0, 32)), info: buffer(info) })
        expect(toHex(new Uint8Array(await context.open(buffer(sealed.subarray(32)), buffer(aad))))).toBe(toHex(plaintext))
        expect(toHex(new Uint8Array(await context.export(buffer(utf8('a label')), 32)))).toBe(toHex(exporter('a label', 32)))
      }),
      { numRuns: 40 },
    )
  })

  test('we open what it seals, and export the same', async () => {
    const recipientPublicKey = await hpke.kem.importKey('raw', buffer(rawKey(at.key)), true)
    await fc.assert(
      fc.asyncProperty(bytes(40), bytes(40), bytes(300), async (info, aad, plaintext) => {
        const context = await hpke.createSenderContext({ recipientPublicKey, info: buffer(info) })
        const ciphertext = new Uint8Array(await context.seal(buffer(plaintext), buffer(aad)))
        const opened = openSealed(secret, info, aad, concatBytes(new Uint8Array(context.enc), ciphertext), suite)
        expect(toHex(opened.plaintext)).toBe(toHex(plaintext))
        expect(toHex(opened.exporter('another', 64))).toBe(toHex(new Uint8Array(await context.export(buffer(utf8('another')), 64))))
      }),
      { numRuns: 40 },
    )
  })
})

const published = readSharedData('vectors/hpke/circl_vectors_rfc9180_5f503c5.json.gz')
if (!published) skipped('published RFC 9180 vectors', 'no external data')
describe.runIf(published)('the vectors of RFC 9180', () => {
  interface Published extends Record<'info' | 'skRm' | 'skEm' | 'pkRm' | 'enc' | 'key' | 'base_nonce', string> {
    mode: number
    kem_id: number
    kdf_id: number
    aead_id: number
    encryptions: { aad: string; ct: string; pt: string }[]
    exports: { exporter_context: string; L: number; exported_value: string }[]
  }
  const ours = (JSON.parse(published ?? '[]') as Published[]).filter(
    ({ mode, kem_id, kdf_id, aead_id }) => mode === 0 && kem_id === 0x20 && kdf_id === 1 && aead_id === 3,
  )

  test('seal, open and export as we do', () => {
    expect(ours).toHaveLength(1)
    for (const vector of ours) {
      const { aad, ct, pt } = vector.encryptions[0]!
      const sealed = sealTo(fromHex(vector.pkRm), fromHex(vector.info), fromHex(aad), fromHex(pt), () => fromHex(vector.skEm), suite)
      expect(toHex(sealed.sealed)).toBe(vector.enc + ct)
      const opened = openSealed(fromHex(vector.skRm), fromHex(vector.info), fromHex(aad), sealed.sealed, suite)
      expect(toHex(opened.plaintext)).toBe(pt)
      expect(vector.exports.length).toBeGreaterThan(2)
      for (const { exporter_context: label, L, exported_value: value } of vector.exports) {
        const text = new TextDecoder().decode(fromHex(label))
        expect([sealed, opened].map((side) => toHex(side.exporter(text, L)))).toEqual([value, value])
      }
      expect(toHex(x25519PublicKey(fromHex(vector.skRm)))).toBe(vector.pkRm)
    }
  })
})

test('the key id in the additional data is that of the key sealed to', () => {
  const { sealed } = sealAsk('an ask', at, random, suite)
  const aad = utf8(`${at.org}.${at.gateway}.${keyIdOf(at.key)}`)
  expect(new TextDecoder().decode(openSealed(secret, utf8('postern-ask-v1'), aad, sealed, suite).plaintext)).toBe('an ask')
})
