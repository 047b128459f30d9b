import type { JsonValue } from '../bytes/json.ts'
import type { Shape } from '../bytes/shape.ts'
import { bytesOf, flag, object, oneOf, pattern, refuse } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import type { PublicKey } from './public-key.ts'
import { KEY_ALGS, KEY_USES, rawKey } from './public-key.ts'
import { SUITES } from './suites.ts'

const fields = object(
  { use: oneOf(...KEY_USES), alg: oneOf(...KEY_ALGS), key: bytesOf(undefined, 65) },
  { app: pattern(/^ssh:[\x21-\x7e]{0,60}$/, 'an SSH application (ssh:…)'), credential: bytesOf(undefined, 1_023), device_bound: flag },
)

/**
 * The shape of a public key: an algorithm that may have this use, a key of its length, the fields of its algorithm and no
 * others. Does NOT look at the point: see `admitPublicKey`.
 */
export const publicKeyShape: Shape<PublicKey> = (value: JsonValue, path: string) => {
  const key: PublicKey = fields(value, path)
  const suite = SUITES[key.alg]
  if (!suite.uses.includes(key.use)) throw new VerifyError('WRONG_KEY_USE', `${path}: ${key.alg} is not for ${key.use}`)
  if (rawKey(key).length !== suite.keyBytes) refuse(`${path}.key`, `expected ${suite.keyBytes} bytes`)
  for (const name of ['app', 'credential', 'device_bound'] as const) {
    const presence = suite.keyFields[name]
    if (presence === 'required' && key[name] === undefined) refuse(`${path}.${name}`, 'missing')
    if (presence === 'forbidden' && key[name] !== undefined) refuse(`${path}.${name}`, `not for ${key.alg}`)
  }
  return key
}

/**
 * Admits a key, once, at enrolment: canonical encoding and a point that is safe to verify with. Afterwards it is used without
 * further checks. Takes what `publicKeyShape` returned.
 * @throws {VerifyError} BAD_KEY
 * @see packages/core/spec/key.md §3
 */
export function admitPublicKey(key: PublicKey): void {
  const suite = SUITES[key.alg]
  const raw = rawKey(key)
  if (raw.length !== suite.keyBytes) throw new VerifyError('BAD_KEY', `a ${key.alg} key has ${suite.keyBytes} bytes`)
  suite.admit(raw)
}
