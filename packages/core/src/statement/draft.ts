import { encodeCanonical } from '../bytes/canonical.ts'
import type { JsonValue } from '../bytes/json.ts'
import type { KeyId } from '../key/public-key.ts'
import type { GenesisBody } from './kinds/genesis.ts'
import type { Bodies, ChainOp } from './kinds.ts'
import type { State } from './state.ts'
import { DEFAULT_NVA_SECONDS, parseStatement } from './statement.ts'

export interface DraftOptions {
  /** Unix seconds. Raised to the previous statement's `at` if this clock is behind. */
  readonly at: number
  /** Default: `at` + 24 h, and not after the end of the invite or delegation that `via` names. */
  readonly nva?: number
  /** Hashes from `unnamedIn`; empty for statements that no administrator signs. */
  readonly rev?: readonly string[]
}

/**
 * The bytes of the next statement, to be signed. Does NOT say whether it would be accepted: see `neededFor`.
 * @throws {VerifyError} what `parseStatement` finds
 */
export function draftStatement<O extends ChainOp>(state: State, op: O, body: Bodies[O], options: DraftOptions): Uint8Array {
  const at = Math.max(options.at, state.at)
  const nva = options.nva ?? Math.min(at + DEFAULT_NVA_SECONDS, endOfVia(state, body))
  const rev = [...(options.rev ?? [])].sort()
  return encode({ v: 1, op, seq: state.seq + 1, at, nva, org: state.org, prev: state.head, rev, body: body as JsonValue })
}

/** The bytes of a genesis statement; their hash is the organisation (`organisationOf`). */
export function draftGenesis(body: GenesisBody, { at, nva = at + DEFAULT_NVA_SECONDS }: { at: number; nva?: number }): Uint8Array {
  return encode({ v: 1, op: 'genesis', seq: 0, at, nva, body: body as JsonValue })
}

function encode(value: JsonValue): Uint8Array {
  const bytes = encodeCanonical(value)
  parseStatement(bytes)
  return bytes
}

function endOfVia(state: State, body: Bodies[ChainOp]): number {
  const via: KeyId | undefined = 'via' in body ? body.via : undefined
  if (!via) return Number.POSITIVE_INFINITY
  const person = state.keys.get(via)?.atsign
  const delegation = person && state.identities.get(person)?.delegation
  return state.invites.get(via)?.exp ?? delegation?.exp ?? Number.POSITIVE_INFINITY
}
