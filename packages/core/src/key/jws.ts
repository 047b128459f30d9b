// JWS compact with one constant header per type: what asks, grants, calls, receipts, acks and holds share. packages/core/spec/jws.md
import { decodeBase64urlCodes, encodeBase64url } from '../bytes/base64url.ts'
import { utf8 } from '../bytes/bytes.ts'
import { encodeCanonical, parseSigned } from '../bytes/canonical.ts'
import type { JsonValue } from '../bytes/json.ts'
import { isJsonObject } from '../bytes/json.ts'
import type { Shape } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import type { AtSign } from './atsign.ts'
import { verifyEd25519 } from './ed25519.ts'
import type { KeyId, KeyUse, PublicKey } from './public-key.ts'
import { rawKey } from './public-key.ts'
import type { Hash, SignatureSuite } from './suite.ts'
import { portableSignatures, sha256Text } from './suite.ts'

/** Longest token, in characters. */
export const MAX_TOKEN_CHARS = 16_384
/** How far two honest clocks may differ. */
export const CLOCK_TOLERANCE_SECONDS = 120

declare const verified: unique symbol
/** A value whose signature, organisation, key and times were checked. Only `verify…` functions make one. */
export type Verified<T> = T & { readonly [verified]: true }

/**
 * Finds a key in *verified* authority state: the one enrolled for `iss` under exactly this `kid` for this `use`, or undefined. Whether an
 * expired lease or a revoked identity still has keys is the caller's decision.
 */
export type KeyResolver = (iss: AtSign, kid: KeyId, use: KeyUse) => PublicKey | undefined

/** What a verifier knows by itself. */
export interface TokenContext {
  /** The organisation this verifier has pinned. */
  readonly org: string
  /** Unix seconds, by the verifier's own clock. */
  readonly now: number
  readonly suite: SignatureSuite
  /** Default 120. A gateway that checks its own grant passes 0: there is only one clock. */
  readonly toleranceSeconds?: number
}

/** What every payload carries. packages/core/spec/jws.md §3 */
export type Claims = { readonly v: 1; readonly org: string; readonly iss: AtSign; readonly kid: KeyId }

/** One type of token: the header it must have, the one use its key must have, the fields it may have. */
export interface TokenType<T extends Claims> {
  readonly header: string
  readonly use: KeyUse
  readonly shape: Shape<T>
}

type TokenName = 'ask' | 'grant' | 'call' | 'receipt' | 'ack' | 'hold'

/** @see packages/core/spec/jws.md §2 */
export function tokenType<T extends Claims>(name: TokenName, use: KeyUse, shape: Shape<T>): TokenType<T> {
  return { header: encodeBase64url(utf8(`{"alg":"Ed25519","typ":"postern-${name}+jwt"}`)), use, shape }
}

/**
 * Signs a payload, after checking its shape, so that nothing is signed that nobody would accept. Does NOT check that the seed belongs to
 * `kid`, nor times.
 * @throws {VerifyError} what the shape finds; TOO_LARGE
 */
export function signToken<T extends Claims>(type: TokenType<T>, payload: T, seed: Uint8Array, suite: SignatureSuite): string {
  const bytes = encodeCanonical(payload as unknown as JsonValue)
  type.shape(parseSigned(bytes), '')
  const signed = `${type.header}.${encodeBase64url(bytes)}`
  const token = `${signed}.${encodeBase64url(suite.signEd25519(seed, utf8(signed)))}`
  if (token.length > MAX_TOKEN_CHARS) throw new VerifyError('TOO_LARGE', `token of more than ${MAX_TOKEN_CHARS} characters`)
  return token
}

/**
 * Checks header, encoding, fields, organisation, key, use and signature, in that order. Does NOT check times, revocation, leases or replay.
 * @throws {VerifyError} TOO_LARGE, WRONG_TYPE, MALFORMED, NOT_CANONICAL, UNKNOWN_FIELD, UNKNOWN_VERSION, WRONG_ORG, UNKNOWN_KEY,
 * WRONG_KEY_USE, BAD_SIGNATURE
 * @see packages/core/spec/jws.md §4
 */
export function verifyToken<T extends Claims>(type: TokenType<T>, token: string, resolve: KeyResolver, context: TokenContext): T {
  const { signed, payload, signature } = splitToken(type.header, token)
  const claims = readClaims(type, payload)
  if (claims.org !== context.org) throw new VerifyError('WRONG_ORG', `token of organisation ${claims.org}, expected ${context.org}`)
  const key = resolve(claims.iss, claims.kid, type.use)
  if (!key) throw new VerifyError('UNKNOWN_KEY', `${claims.iss} has no ${type.use} key ${claims.kid}`)
  const raw = rawKeyFor(key, type.use)
  if (!verifyEd25519(raw, signed, signature, context.suite)) throw new VerifyError('BAD_SIGNATURE', `not signed by ${claims.iss}`)
  return claims
}

const SIGNATURE_CHARS = 86

/** The token is attacker-controlled: nothing of it is read before its header is the constant. */
function splitToken(header: string, token: string) {
  if (token.length > MAX_TOKEN_CHARS) throw new VerifyError('TOO_LARGE', `token of more than ${MAX_TOKEN_CHARS} characters`)
  if (!token.startsWith(header) || token[header.length] !== '.') throw new VerifyError('WRONG_TYPE', 'the header is not the expected one')
  const end = token.length - SIGNATURE_CHARS - 1
  if (end <= header.length || token[end] !== '.') throw new VerifyError('MALFORMED', 'not a compact JWS with a 64-byte signature')
  const codes = utf8(token)
  if (codes.length !== token.length) throw new VerifyError('MALFORMED', 'a character that no token has')
  return {
    signed: codes.subarray(0, end),
    payload: decodeBase64urlCodes(codes.subarray(header.length + 1, end)),
    signature: decodeBase64urlCodes(codes.subarray(end + 1)),
  }
}

function readClaims<T extends Claims>(type: TokenType<T>, payload: Uint8Array): T {
  const value = parseSigned(payload)
  if (isJsonObject(value) && Number.isSafeInteger(value.v) && value.v !== 1) {
    throw new VerifyError('UNKNOWN_VERSION', `version ${value.v}, expected 1`)
  }
  return type.shape(value, '')
}

function rawKeyFor(key: PublicKey, use: KeyUse): Uint8Array {
  if (key.use !== use || key.alg !== 'ed25519')
    throw new VerifyError('WRONG_KEY_USE', `expected an ed25519 ${use} key, found ${key.alg} ${key.use}`)
  const known = rawKeys.get(key)
  if (known) return known
  const raw = rawKey(key)
  rawKeys.set(key, raw)
  return raw
}
/** A key of the log verifies many tokens. Keys are immutable, and these bytes go to the verifier and nowhere else. */
const rawKeys = new WeakMap<PublicKey, Uint8Array>()

/**
 * [from, until), each side widened by the tolerance.
 * @throws {VerifyError} NOT_YET_VALID, EXPIRED
 */
export function checkTimes(from: number, until: number, now: number, toleranceSeconds = CLOCK_TOLERANCE_SECONDS): void {
  if (now < from - toleranceSeconds) throw new VerifyError('NOT_YET_VALID', `valid from ${from}, now ${now}`)
  if (now >= until + toleranceSeconds) throw new VerifyError('EXPIRED', `valid until ${until}, now ${now}`)
}

/** SHA-256 of the whole token as it travels, base64url: `gth`, `cth`. Does NOT look into it. packages/core/spec/jws.md §5 */
export const tokenHash = (token: string, suite: Hash = portableSignatures): string => sha256Text(token, suite)
