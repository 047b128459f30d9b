import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { Suite } from '@postern/core'
import { portable } from '@postern/core'
import { native } from '@postern/daemon'
import { expect, test } from 'vitest'
import { fromHex } from './read-vectors.ts'
import { readSharedData } from './shared-data.ts'
import { skipped } from './skipped.ts'

/** Wycheproof's verdict; `acceptable` means that libraries differ and the test says what ours does. */
type Case<Fields extends string> = Record<Fields, string> & { tcId: number; result: 'valid' | 'invalid' | 'acceptable'; flags: string[] }
interface Group<Fields extends string> {
  readonly ivSize?: number
  readonly tests: Case<Fields>[]
}

function wycheproof<Fields extends string>(name: string): Group<Fields>[] {
  const text = readSharedData(`vectors/wycheproof/${name}_test.json.gz`)
  if (!text) skipped(`Wycheproof ${name}`, 'no external data')
  return text ? JSON.parse(text).testGroups : []
}
const toHex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('hex')

const chacha = wycheproof<'key' | 'iv' | 'aad' | 'msg' | 'ct' | 'tag'>('chacha20_poly1305').filter(({ ivSize }) => ivSize === 96)
const suites: Record<string, Suite> = { portable, native }
test.runIf(chacha.length > 0).each(Object.entries(suites))('ChaCha20-Poly1305, %s, gives every verdict of Wycheproof', (_, suite) => {
  for (const { tcId, key, iv, aad, msg, ct, tag, result } of chacha.flatMap(({ tests }) => tests)) {
    const opened = suite.openChaCha(fromHex(key), fromHex(iv), fromHex(aad), fromHex(ct + tag))
    expect(toHex(opened), `${tcId}`).toBe(result === 'valid' ? msg : undefined)
    if (result === 'valid') expect(toHex(suite.sealChaCha(fromHex(key), fromHex(iv), fromHex(aad), fromHex(msg))), `${tcId}`).toBe(ct + tag)
  }
})

const exchanges = wycheproof<'public' | 'private' | 'shared'>('x25519')
test.runIf(exchanges.length > 0).each(Object.entries(suites))(
  'X25519, %s, gives every result of Wycheproof, and none for an all-zero one',
  (_, suite) => {
    for (const { tcId, public: peer, private: secret, shared, flags } of exchanges.flatMap(({ tests }) => tests)) {
      const expected = flags.includes('ZeroSharedSecret') ? undefined : shared
      expect(toHex(suite.x25519(fromHex(secret), fromHex(peer))), `${tcId}`).toBe(expected)
    }
  },
)
test('both suites make the same X25519 public key of a secret', () => {
  for (let byte = 0; byte < 256; byte += 15) {
    const secret = new Uint8Array(32).fill(byte)
    expect(native.x25519PublicKey(secret)).toEqual(portable.x25519PublicKey(secret))
  }
})

const derivations = wycheproof<'ikm' | 'salt' | 'info' | 'okm'>('hkdf_sha256')
test.runIf(derivations.length > 0)('HKDF-SHA256 gives every verdict of Wycheproof', () => {
  for (const one of derivations.flatMap(({ tests }) => tests)) {
    const size = Number((one as unknown as { size: number }).size)
    const run = () => toHex(hkdf(sha256, fromHex(one.ikm), fromHex(one.salt), fromHex(one.info), size))
    if (one.result === 'valid') expect(run(), `${one.tcId}`).toBe(one.okm)
    else expect(run, `${one.tcId}`).toThrow()
  }
})
