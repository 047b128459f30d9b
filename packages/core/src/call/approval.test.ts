import { describe, expect, test } from 'vitest'
import { outcome, readVectors } from '../../../../test/read-vectors.ts'
import { readLogVectors } from '../../../../test/statement-vectors.ts'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { isSafeText } from '../bytes/canonical.ts'
import type { JsonObject } from '../bytes/json.ts'
import type { AtSign } from '../key/atsign.ts'
import { approvalWords } from '../key/comparison.ts'
import type { SignedJson } from '../key/signature.ts'
import { decodeSigned } from '../key/signature.ts'
import { portableSignatures as suite } from '../key/suite.ts'
import { addRevocation, emptyRevocations } from '../statement/revocation-set.ts'
import type { HeldCall } from './approval.ts'
import { encodeApproval, parseApproval, verifyApproval } from './approval.ts'
import type { ShownArgument } from './show-arguments.ts'
import { showArguments, showText } from './show-arguments.ts'

interface Case {
  readonly log: string
  readonly approval: SignedJson
  readonly held: HeldCall
  readonly approvers: readonly AtSign[]
  readonly revocations: readonly SignedJson[]
  readonly now: number
  readonly by?: string
}
const { vectors, stateOf } = readLogVectors<Case>('approval/verify.json')

function verify({ log, approval, held, approvers, revocations, now }: Case, bytes = decodeSigned(approval as never).bytes) {
  const state = stateOf(log)
  const set = revocations.reduce((all, signed) => addRevocation(all, decodeSigned(signed), state, suite), emptyRevocations())
  return verifyApproval({ ...decodeSigned(approval as never), bytes }, held, state, { approvers, revocations: set, now, suite })
}

test.each(vectors)('an approval: $name → $expect', (vector) => {
  expect(outcome(() => verify(vector))).toBe(vector.expect)
  if (vector.expect === 'ok') expect(verify(vector).by).toBe(vector.by)
})

test.each(vectors.filter((vector) => vector.expect === 'ok'))('it reads back as the bytes it was: $name', ({ approval }) => {
  const { bytes } = decodeSigned(approval as never)
  expect(encodeApproval(parseApproval(bytes))).toEqual(bytes)
})

describe('one flipped bit', () => {
  test.each(vectors.slice(0, 2))('anywhere in the bytes rejects: $name', (vector) => {
    const { bytes } = decodeSigned(vector.approval as never)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(outcome(() => verify(vector, flipped))).not.toBe('ok')
    }
  })
  test.each(vectors.slice(0, 2))('anywhere in the signature rejects: $name', (vector) => {
    const [signature] = vector.approval.signatures
    const sig = decodeBase64url(signature!.sig)
    for (let bit = 0; bit < sig.length * 8; bit++) {
      const flipped = sig.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const approval = { ...vector.approval, signatures: [{ ...signature!, sig: encodeBase64url(flipped) }] }
      expect(outcome(() => verify({ ...vector, approval }))).not.toBe('ok')
    }
  })
})

test('each field of the held call is compared', () => {
  const vector = vectors[0]!
  for (const name of Object.keys(vector.held) as (keyof HeldCall)[]) {
    const held = { ...vector.held, [name]: name === 'exp' ? vector.held.exp + 1 : 'other' }
    expect(
      outcome(() => verify({ ...vector, held })),
      name,
    ).toBe(name === 'org' ? 'WRONG_ORG' : 'WRONG_CALL')
  }
})

const shown = readVectors<{ args: JsonObject; shown: readonly ShownArgument[] }>('hold/arguments.json')
test.each(shown)('arguments as a person reads them: $name', ({ args, shown: expected }) => {
  expect(showArguments(args)).toEqual(expected)
  for (const { name, text } of showArguments(args)) expect(isSafeText(`${name} = ${text}`)).toBe(true)
})

test('two texts that differ never look the same', () => {
  const texts = ['<U+001F>', '\u001f', '\\u001f', '<U+003C>U+001F>', 'a\u0301', 'á', '<', '<U', 'a b', 'a\u00a0b', 'ab', 'a\u200bb']
  expect(new Set(texts.map(showText)).size).toBe(texts.length)
})

test('four words tell held calls apart, by organisation and call', () => {
  const { org, cth } = vectors[0]!.held
  expect(approvalWords(org, cth)).toHaveLength(4)
  expect(approvalWords(org, cth)).not.toEqual(approvalWords(cth, org))
})
