import fc from 'fast-check'
import { expect, test } from 'vitest'
import { outcome, readVectors } from '../../../../test/read-vectors.ts'
import { encodeBase64url } from '../bytes/base64url.ts'
import { concatBytes } from '../bytes/bytes.ts'
import type { PublicKey } from './public-key.ts'
import { keyIdOf } from './public-key.ts'
import type { Signature } from './signature.ts'
import { fromSshPublicKey, toSshPublicKey } from './ssh-key.ts'
import { fromSshSignature, toSshSignature } from './ssh-signature.ts'
import { createSshReader, fromMpint, mpint, sshString, uint32 } from './ssh-wire.ts'
import { NAMESPACES } from './sshsig.ts'

test.each(readVectors<{ line: string; key?: PublicKey }>('key/ssh-public-key.json'))(
  'a .pub line: $name → $expect',
  ({ line, key, expect: code }) => {
    expect(outcome(() => fromSshPublicKey(line))).toBe(code)
    if (!key) return
    expect(fromSshPublicKey(line)).toEqual(key)
    const asRecovery = outcome(() => fromSshPublicKey(line, 'recovery'))
    expect(asRecovery).toBe(key.alg === 'sk-ecdsa-p256' ? 'WRONG_KEY_USE' : 'ok')
    expect(line.startsWith(toSshPublicKey(key))).toBe(true)
  },
)

type Armored = { armored: string; key?: PublicKey; namespace?: string; signature?: Signature }
test.each(readVectors<Armored>('signature/armored.json'))('an SSHSIG file: $name → $expect', ({ armored, expect: code, ...read }) => {
  expect(outcome(() => fromSshSignature(armored))).toBe(code)
  if (read.key) expect(fromSshSignature(armored)).toEqual({ publicKey: read.key, namespace: read.namespace, signature: read.signature })
})

test('a token made for a web site is not for SSH', () => {
  const blob = concatBytes(sshString('sk-ssh-ed25519@openssh.com'), sshString(new Uint8Array(32)), sshString('example.org'))
  const line = `sk-ssh-ed25519@openssh.com ${Buffer.from(blob).toString('base64')}`
  expect(outcome(() => fromSshPublicKey(line))).toBe('MALFORMED')
})

test('a comment is one line', () => {
  const key: PublicKey = { use: 'sign', alg: 'ssh-ed25519', key: encodeBase64url(new Uint8Array(32)) }
  expect(toSshPublicKey(key, 'ana@laptop')).toMatch(/^ssh-ed25519 \S+ ana@laptop$/)
  expect(() => toSshPublicKey(key, 'ana\nssh-rsa AAAA')).toThrow(TypeError)
})

test('a passkey and an X25519 key have no SSH form', () => {
  for (const alg of ['webauthn-es256', 'x25519'] as const)
    expect(() => toSshPublicKey({ use: 'seal', alg, key: 'AAAA' })).toThrow(TypeError)
})

const token = { sig: fc.uint8Array({ minLength: 64, maxLength: 64 }), flags: fc.nat({ max: 255 }), counter: fc.nat({ max: 0xffff_ffff }) }

test('every signature of an SSH key goes to a file and back', () => {
  const raw = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(
    fc.property(fc.record(token), raw, raw, fc.constantFrom(...NAMESPACES), (parts, x, y, namespace) => {
      const fields = { sig: encodeBase64url(parts.sig) }
      const tokenFields = { ...fields, flags: parts.flags, counter: parts.counter }
      const cases: [PublicKey, Omit<Signature, 'kid'>][] = [
        [{ use: 'sign', alg: 'ssh-ed25519', key: encodeBase64url(x) }, fields],
        [{ use: 'sign', alg: 'sk-ssh-ed25519', key: encodeBase64url(x), app: 'ssh:x' }, tokenFields],
        [{ use: 'sign', alg: 'sk-ecdsa-p256', key: encodeBase64url(concatBytes(Uint8Array.of(4), x, y)), app: 'ssh:' }, tokenFields],
      ]
      for (const [publicKey, rest] of cases) {
        const signature = { kid: keyIdOf(publicKey), ...rest }
        expect(fromSshSignature(toSshSignature(publicKey, namespace, signature))).toEqual({ publicKey, namespace, signature })
      }
    }),
  )
})

test('an mpint has one form', () => {
  const bytes = (...b: number[]) => Uint8Array.of(...b)
  expect(mpint(bytes(0, 0))).toEqual(bytes(0, 0, 0, 0))
  expect(mpint(bytes(0, 1))).toEqual(bytes(0, 0, 0, 1, 1))
  expect(mpint(bytes(0x80))).toEqual(bytes(0, 0, 0, 2, 0, 0x80)) // a leading zero keeps it positive
  expect(fromMpint(bytes(0, 0x80), 2)).toEqual(bytes(0, 0x80))
  expect(fromMpint(bytes(), 2)).toEqual(bytes(0, 0))
  for (const bad of [bytes(0x80), bytes(0), bytes(0, 1), bytes(1, 2, 3), bytes(0, 0x80, 1, 1)])
    expect(outcome(() => fromMpint(bad, 2))).toBe('MALFORMED')
})

test('SSH data is read to its end and not beyond', () => {
  expect(uint32(0xfffefdfc)).toEqual(Uint8Array.of(0xff, 0xfe, 0xfd, 0xfc))
  const reader = createSshReader(concatBytes(sshString('ab'), uint32(0xffff_ffff)))
  expect(outcome(() => reader.end())).toBe('MALFORMED')
  expect(reader.text()).toBe('ab')
  expect(reader.number()).toBe(0xffff_ffff)
  expect(outcome(() => reader.end())).toBe('ok')
  expect(outcome(() => reader.number())).toBe('MALFORMED')
  expect(outcome(() => createSshReader(uint32(0xffff_ffff)).string())).toBe('MALFORMED')
})
