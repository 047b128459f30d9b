import { expect, test } from 'vitest'
import { outcome } from '../../../../test/read-vectors.ts'
import { readLogVectors } from '../../../../test/statement-vectors.ts'
import type { SignedJson } from '../key/signature.ts'
import { decodeSigned } from '../key/signature.ts'
import { portableSignatures as suite } from '../key/suite.ts'
import { encodeLogin, parseLogin, verifyLogin } from './login.ts'
import { addRevocation, emptyRevocations } from './revocation-set.ts'

type SignIn = { log: string; login: SignedJson; revocations: readonly SignedJson[]; console: string; now: number }
const { vectors, stateOf } = readLogVectors<SignIn>('login/verify.json')

test.each(vectors)('login: $name → $expect', ({ log, login, revocations, console, now, expect: code }) => {
  const state = stateOf(log)
  const held = revocations.reduce((set, signed) => addRevocation(set, decodeSigned(signed), state, suite), emptyRevocations())
  expect(outcome(() => verifyLogin(decodeSigned(login), state, { console, revocations: held, now, suite }))).toBe(code)
})

test.each(vectors.filter((vector) => vector.expect === 'ok'))('a login reads back as the bytes it was: $name', ({ login }) => {
  const { bytes } = decodeSigned(login)
  expect(encodeLogin(parseLogin(bytes))).toEqual(bytes)
})
