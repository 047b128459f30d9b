import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KeyResolver, PublicKey } from '@postern/core'

/** A key of the token vectors, with its seed (base64url) so that tests can make more tokens. Never used outside tests. */
export interface TestKey {
  readonly iss: string
  readonly kid: string
  readonly seed: string
  readonly key: PublicKey
}

/** One of test/vectors/{ask,grant,call,receipt,ack,hold}/verify.json. Valid vectors have the payload they were made of. */
export interface TokenVectors {
  readonly org: string
  readonly now: number
  readonly audience?: string
  readonly keys: readonly TestKey[]
  readonly vectors: readonly { readonly name: string; readonly token: string; readonly expect: string; readonly payload?: object }[]
}

export const TOKEN_TYPES = ['ask', 'grant', 'call', 'receipt', 'ack', 'hold'] as const
export type TokenTypeName = (typeof TOKEN_TYPES)[number]

export const readTokenVectors = (type: TokenTypeName): TokenVectors =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'vectors', type, 'verify.json'), 'utf8'))

/** What verified authority state would answer. */
export const resolverOf =
  (keys: readonly TestKey[]): KeyResolver =>
  (iss, kid, use) =>
    keys.find((known) => known.iss === iss && known.kid === kid && known.key.use === use)?.key
