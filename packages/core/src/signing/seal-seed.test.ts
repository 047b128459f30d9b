import { hkdfSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { fromHex, outcome, readVectors } from '../../../../test/read-vectors.ts'
import { sealSeed } from './seal-seed.ts'

const vectors = readVectors<{ prf: string; nonce: string; seed?: string }>('key/seal-seed.json')

test.each(vectors)('the seal seed of a passkey: $name → $expect', ({ prf, nonce, seed, expect: code }) => {
  expect(outcome(() => sealSeed(fromHex(prf), fromHex(nonce)))).toBe(code)
  if (seed === undefined) return
  expect(sealSeed(fromHex(prf), fromHex(nonce))).toEqual(fromHex(seed))
  const salt = Buffer.concat([Buffer.from('postern-seal-v1'), fromHex(nonce)])
  expect(new Uint8Array(hkdfSync('sha256', fromHex(prf), salt, '', 32))).toEqual(fromHex(seed))
})
