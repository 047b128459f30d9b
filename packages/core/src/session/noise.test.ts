import { native } from '@postern/daemon'
import { expect, test } from 'vitest'
import { fromHex } from '../../../../test/read-vectors.ts'
import { readSharedData } from '../../../../test/shared-data.ts'
import { skipped } from '../../../../test/skipped.ts'
import { portable } from '../key/portable.ts'
import type { Split } from './noise.ts'
import { NoiseInitiator, NoiseResponder } from './noise.ts'

/** As cacophony, snow and noise-c publish them. */
interface NoiseVector {
  readonly protocol_name?: string
  readonly name?: string
  readonly init_prologue: string
  readonly init_static: string
  readonly init_ephemeral: string
  readonly init_remote_static: string
  readonly resp_prologue: string
  readonly resp_static: string
  readonly resp_ephemeral: string
  readonly handshake_hash?: string
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[]
}

const OURS = 'Noise_IK_25519_ChaChaPoly_SHA256'
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const NO_AAD = new Uint8Array(0)

function published(file: string): NoiseVector[] {
  const text = readSharedData(`vectors/noise/${file}.json.gz`)
  if (!text) skipped(`published Noise vectors of ${file}`, 'no external data')
  const all: NoiseVector[] = text ? JSON.parse(text).vectors : []
  return all.filter((vector) => (vector.protocol_name ?? vector.name) === OURS)
}

function handshake(vector: NoiseVector, suite: typeof portable): { initiator: Split; responder: Split; written: string[] } {
  const keys = (side: 'init' | 'resp') => ({
    staticSecret: fromHex(vector[`${side}_static`]),
    ephemeralSecret: fromHex(vector[`${side}_ephemeral`]),
    prologue: fromHex(vector[`${side}_prologue`]),
    suite,
  })
  const initiator = new NoiseInitiator(keys('init'), fromHex(vector.init_remote_static))
  const responder = new NoiseResponder(keys('resp'))
  const [first, second] = vector.messages
  const message1 = initiator.writeMessage1(fromHex(first!.payload))
  expect(hex(responder.readMessage1(message1).payload)).toBe(first!.payload)
  const { message, split } = responder.writeMessage2(fromHex(second!.payload))
  const finished = initiator.readMessage2(message)
  expect(hex(finished.payload)).toBe(second!.payload)
  return { initiator: finished.split, responder: split, written: [hex(message1), hex(message)] }
}

const sources = ['cacophony', 'snow', 'noise-c-basic'].map((file) => ({ file, vectors: published(file) }))
for (const { file, vectors } of sources.filter(({ vectors }) => vectors.length > 0)) {
  test.each([
    ['plain JavaScript', portable],
    ['Node', native],
  ] as const)(`the whole conversation of ${file} comes out byte for byte, with the primitives of %s`, (_, suite) => {
    expect(vectors).toHaveLength(1)
    const [vector] = vectors as [NoiseVector]
    const { initiator, responder, written } = handshake(vector, suite)
    expect(written).toEqual(vector.messages.slice(0, 2).map(({ ciphertext }) => ciphertext))
    if (vector.handshake_hash) expect(hex(initiator.handshakeHash)).toBe(vector.handshake_hash)
    expect(responder.handshakeHash).toEqual(initiator.handshakeHash)
    for (const [i, { payload, ciphertext }] of vector.messages.slice(2).entries()) {
      const [from, to] = i % 2 === 0 ? [initiator.toResponder, responder.toResponder] : [responder.toInitiator, initiator.toInitiator]
      expect(hex(from.encrypt(NO_AAD, fromHex(payload)))).toBe(ciphertext)
      expect(hex(to.decrypt(NO_AAD, fromHex(ciphertext))!)).toBe(payload)
    }
  })
}
