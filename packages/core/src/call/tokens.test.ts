import { createPrivateKey, sign, verify } from 'node:crypto'
import fc from 'fast-check'
import { CompactSign, compactVerify, importJWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { outcome } from '../../../../test/read-vectors.ts'
import type { TokenTypeName } from '../../../../test/token-vectors.ts'
import { readTokenVectors, resolverOf, TOKEN_TYPES } from '../../../../test/token-vectors.ts'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { encodeCanonical } from '../bytes/canonical.ts'
import type { JsonValue } from '../bytes/json.ts'
import { verifyAsk } from '../grant/ask.ts'
import { verifyGrant } from '../grant/grant.ts'
import type { AtSign } from '../key/atsign.ts'
import type { KeyResolver, TokenContext } from '../key/jws.ts'
import { tokenHash } from '../key/jws.ts'
import type { SignatureSuite } from '../key/suite.ts'
import { portableSignatures } from '../key/suite.ts'
import { verifyAck } from './ack.ts'
import { verifyCall } from './call.ts'
import { verifyHold } from './hold.ts'
import { verifyReceipt } from './receipt.ts'

type Verify = (token: string, resolve: KeyResolver, context: TokenContext) => unknown
const verifiers: Record<TokenTypeName, Verify> = {
  ask: (token, resolve, context) => verifyAsk(token, resolve, { ...context, audience: '@files-gw' as AtSign }),
  grant: verifyGrant,
  call: verifyCall,
  receipt: verifyReceipt,
  ack: verifyAck,
  hold: verifyHold,
}
const files = Object.fromEntries(TOKEN_TYPES.map((type) => [type, readTokenVectors(type)])) as Record<
  TokenTypeName,
  ReturnType<typeof readTokenVectors>
>
const all = TOKEN_TYPES.flatMap((type) => files[type].vectors.map((vector) => ({ type, ...vector })))
const valid = all.flatMap(({ payload, ...rest }) => (payload ? [{ ...rest, payload: payload as { kid: string } }] : []))

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')
/** The running Node in the place of noble. */
const node: SignatureSuite = {
  ...portableSignatures,
  verifyEd25519: (key, message, signature) =>
    verify(null, message, { key: Buffer.concat([SPKI, key]), format: 'der', type: 'spki' }, signature),
  signEd25519: (seed, message) =>
    new Uint8Array(sign(null, message, createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' }))),
}

function check(type: TokenTypeName, token: string, suite: SignatureSuite = node) {
  const { org, now, keys } = files[type]
  return outcome(() => verifiers[type](token, resolverOf(keys), { org, now, suite }))
}
const keyOf = (kid: string) => files.ask.keys.find((key) => key.kid === kid)!
const jwk = (kid: string, secret: boolean) => {
  const { key, seed } = keyOf(kid)
  return importJWK({ kty: 'OKP', crv: 'Ed25519', x: key.key, ...(secret ? { d: seed } : {}) }, 'Ed25519')
}
const sealAs = (type: string, payload: JsonValue, kid: string) => {
  const header = encodeBase64url(Buffer.from(`{"alg":"Ed25519","typ":"postern-${type}+jwt"}`))
  const signed = `${header}.${encodeBase64url(encodeCanonical(payload))}`
  return `${signed}.${encodeBase64url(node.signEd25519(decodeBase64url(keyOf(kid).seed), Buffer.from(signed)))}`
}

describe('against jose', () => {
  test.each(valid)('jose verifies our $type: $name', async ({ type, token, payload }) => {
    const { payload: bytes, protectedHeader } = await compactVerify(token, await jwk(payload.kid, false), { algorithms: ['Ed25519'] })
    expect(protectedHeader).toEqual({ alg: 'Ed25519', typ: `postern-${type}+jwt` })
    expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(payload)
  })

  test.each(valid)('what jose signs is byte for byte what we sign: $type, $name', async ({ type, token, payload }) => {
    const signer = new CompactSign(encodeCanonical(payload as JsonValue)).setProtectedHeader({ alg: 'Ed25519', typ: `postern-${type}+jwt` })
    expect(await signer.sign(await jwk(payload.kid, true))).toBe(token)
  })

  test('jose refuses every token that we refuse for its signature', async () => {
    for (const { type, token } of all.filter((vector) => vector.expect === 'BAD_SIGNATURE')) {
      const { kid } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
      await expect(compactVerify(token, await jwk(kid, false)), `${type} ${token}`).rejects.toThrow()
    }
  })
})

test('the portable suite and the running Node agree on every vector', () => {
  for (const { type, token, name, expect: code } of all) expect(check(type, token, node), `${type}: ${name}`).toBe(code)
})

describe('a token of one type never verifies as another', () => {
  test.each(valid)('$type: $name', ({ type, token }) => {
    for (const other of TOKEN_TYPES) expect(check(other, token)).toBe(other === type ? 'ok' : 'WRONG_TYPE')
  })

  test.each(valid)("even under the other's header, signed by the same key: $type, $name", ({ type, payload }) => {
    for (const other of TOKEN_TYPES.filter((name) => name !== type)) {
      expect(check(other, sealAs(other, payload as JsonValue, payload.kid))).not.toBe('ok')
    }
  })
})

describe('a changed token is refused', () => {
  const samples = TOKEN_TYPES.map((type) => ({ type, token: files[type].vectors[0]!.token }))

  test.each(samples)('$type: any one character replaced', ({ type, token }) => {
    const change = fc.tuple(fc.nat(token.length - 1), fc.constantFrom(...'ABCabc019-_.=+/ \n\0é'))
    fc.assert(
      fc.property(change, ([at, character]) => {
        fc.pre(token[at] !== character)
        expect(check(type, token.slice(0, at) + character + token.slice(at + 1))).not.toBe('ok')
      }),
      { numRuns: 400 },
    )
  })

  test.each(samples)('$type: any part cut out, doubled or inserted', ({ type, token }) => {
    const place = fc.nat(token.length)
    fc.assert(
      fc.property(place, place, fc.string({ maxLength: 3 }), (a, b, more) => {
        const changed = token.slice(0, a) + more + token.slice(b)
        fc.pre(changed !== token)
        expect(check(type, changed)).not.toBe('ok')
      }),
      { numRuns: 400 },
    )
  })

  test.each(samples)('$type: every single bit of payload and signature flipped', ({ type, token }) => {
    const [header, ...parts] = token.split('.')
    parts.forEach((part, which) => {
      const bytes = decodeBase64url(part)
      for (let bit = 0; bit < bytes.length * 8; bit += which === 0 ? 5 : 1) {
        const flipped = bytes.slice()
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        const changed = parts.map((other, i) => (i === which ? encodeBase64url(flipped) : other))
        expect(check(type, [header, ...changed].join('.'))).not.toBe('ok')
      }
    })
  })
})

describe('accepted payloads are canonical', () => {
  test.each(valid)('$type: $name', ({ token, payload }) => {
    expect(token.split('.')[1]).toBe(encodeBase64url(encodeCanonical(payload as JsonValue)))
  })
})

test('the hash of a token is the SHA-256 of its text', () => {
  expect(tokenHash('abc')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
})

test('a key of the wrong use or algorithm is refused even when the resolver offers it', () => {
  const { org, now, keys, vectors } = files.call
  const { key } = keys.find(({ kid }) => kid === (vectors[0]!.payload as { kid: string }).kid)!
  const offer = (change: object) => outcome(() => verifyCall(vectors[0]!.token, () => ({ ...key, ...change }), { org, now, suite: node }))
  expect(offer({})).toBe('ok')
  expect(offer({ use: 'auth' })).toBe('WRONG_KEY_USE')
  expect(offer({ alg: 'ssh-ed25519' })).toBe('WRONG_KEY_USE')
})

test('the resolver is asked for the issuer, the key id and the one use of the type', () => {
  const uses = { ask: 'call', grant: 'issue', call: 'call', receipt: 'receipt', ack: 'receipt', hold: 'receipt' }
  for (const type of TOKEN_TYPES) {
    const asked: string[] = []
    const { org, now, vectors } = files[type]
    const { token, payload } = vectors[0] as { token: string; payload: { iss: string; kid: string } }
    const resolve: KeyResolver = (iss, kid, use) => void asked.push(`${iss} ${kid} ${use}`)
    expect(outcome(() => verifiers[type](token, resolve, { org, now, suite: node }))).toBe('UNKNOWN_KEY')
    expect(asked).toEqual([`${payload.iss} ${payload.kid} ${uses[type]}`])
  }
})
