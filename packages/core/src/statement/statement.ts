import { sha256 } from '@noble/hashes/sha2.js'
import { encodeBase64url } from '../bytes/base64url.ts'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { parseSigned } from '../bytes/canonical.ts'
import type { JsonValue } from '../bytes/json.ts'
import { isJsonObject } from '../bytes/json.ts'
import { digest, integer, object, oneOf, refuse, unixSeconds } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import type { Entry } from './kind.ts'
import type { GenesisBody } from './kinds/genesis.ts'
import { genesisBody } from './kinds/genesis.ts'
import type { Bodies, ChainOp } from './kinds.ts'
import { isChainOp, KINDS } from './kinds.ts'
import { sortedSet } from './names.ts'

/** Statement 0: founds the organisation, whose id is the hash of these bytes. */
export interface Genesis {
  readonly v: 1
  readonly op: 'genesis'
  readonly seq: 0
  readonly at: number
  readonly nva: number
  readonly body: GenesisBody
}
interface Chained<O extends ChainOp> {
  readonly v: 1
  readonly op: O
  readonly seq: number
  /** Unix seconds, not before the previous statement's. */
  readonly at: number
  /** Not valid after, Unix seconds: gates progress and never meaning (`admitEntries`). */
  readonly nva: number
  readonly org: string
  /** `linkHash` of statement `seq` − 1. */
  readonly prev: string
  /** Hashes of revocations that the chain did not name before, in order. */
  readonly rev: readonly string[]
  readonly body: Bodies[O]
}
/** Any statement after genesis, told apart by `op`. */
export type ChainStatement = { [O in ChainOp]: Chained<O> }[ChainOp]
export type Statement = Genesis | ChainStatement

export const MAX_REV = 64
/** `nva` is at most this long after `at`. */
export const MAX_NVA_SECONDS = 604_800
export const DEFAULT_NVA_SECONDS = 86_400

const seq = integer(1, Number.MAX_SAFE_INTEGER)
const times = { at: unixSeconds, nva: unixSeconds }
const genesisShape = object({ v: oneOf(1), op: oneOf('genesis'), seq: oneOf(0), ...times, body: genesisBody })
const rev = sortedSet(digest, MAX_REV)
const envelope = <O extends ChainOp>(op: O) =>
  object({ v: oneOf(1), op: oneOf(op), seq, ...times, org: digest, prev: digest, rev, body: KINDS[op].body })

/**
 * Reads a statement: form, fields, and what can be said about times without a state. Does NOT verify signatures, chain position
 * or meaning: see `applyStatement`.
 * @throws {VerifyError} those of `parseSigned`; MALFORMED, UNKNOWN_FIELD, UNKNOWN_VERSION, UNKNOWN_OP, BAD_TIME, and those of
 *   the shapes of the body (BAD_ATSIGN, WRONG_KEY_USE)
 * @see packages/core/spec/statement.md §2
 */
export function parseStatement(bytes: Uint8Array): Statement {
  const value = parseSigned(bytes)
  const op = knownOp(value)
  const statement = (op === 'genesis' ? genesisShape(value, '') : envelope(op)(value, '')) as Statement
  const { at, nva } = statement
  if (nva < at || nva > at + MAX_NVA_SECONDS) throw new VerifyError('BAD_TIME', `nva ${nva} is not within 7 days after at ${at}`)
  return statement
}

function knownOp(value: JsonValue): ChainOp | 'genesis' {
  if (!isJsonObject(value)) return refuse('', 'expected an object')
  const { v, op } = value
  if (!Number.isSafeInteger(v) || (v as number) < 1) refuse('v', 'expected a version')
  if (v !== 1) throw new VerifyError('UNKNOWN_VERSION', `version ${v}, expected 1`)
  if (typeof op !== 'string') return refuse('op', 'expected text')
  if (op !== 'genesis' && !isChainOp(op)) throw new VerifyError('UNKNOWN_OP', `unknown operation ${JSON.stringify(op)}`)
  return op
}

/** What every version of the format keeps, so that an edge can tell where a statement belongs that it cannot read. */
export interface Position {
  readonly org: string
  readonly seq: number
  readonly prev: string
  readonly nva: number
}

/**
 * The position of a statement of a later version or with an unknown operation. Everything else in it is left unread.
 * @throws {VerifyError} those of `parseSigned`; MALFORMED
 */
export function parsePosition(bytes: Uint8Array): Position {
  const value = parseSigned(bytes)
  if (!isJsonObject(value)) return refuse('', 'expected an object')
  const field = (name: string): JsonValue => (Object.hasOwn(value, name) ? value[name]! : null)
  const [org, prev] = [digest(field('org'), 'org'), digest(field('prev'), 'prev')]
  return { org, seq: seq(field('seq'), 'seq'), prev, nva: unixSeconds(field('nva'), 'nva') }
}

const LINK_LABEL = utf8('postern-link-v1\0')

/** SHA-256("postern-link-v1\0" ‖ bytes), base64url: the next statement's `prev`, and the id of what the statement enrols. */
export const linkHash = (bytes: Uint8Array): string => encodeBase64url(sha256(concatBytes(LINK_LABEL, bytes)))

/** SHA-256 of the genesis bytes, base64url: the organisation's id, which edges pin. */
export const organisationOf = (genesisBytes: Uint8Array): string => encodeBase64url(sha256(genesisBytes))

/** The statement as its kind sees it. */
export function entryOf<O extends ChainOp>(statement: Chained<O>, bytes: Uint8Array): Entry<Bodies[O]> {
  const { seq, at, nva, body } = statement
  return { seq, at, nva, body, link: linkHash(bytes) }
}
