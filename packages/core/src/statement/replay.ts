import { VerifyError } from '../errors.ts'
import { admitPublicKey } from '../key/admission.ts'
import type { Signed } from '../key/signature.ts'
import type { SignatureSuite } from '../key/suite.ts'
import { reserveKey } from './enrol.ts'
import { enrolFounders, newKeys } from './founders.ts'
import { checkUse } from './key-use.ts'
import type { Effect, Entry, Kind, StatementClass } from './kind.ts'
import { isAdminClass } from './kind.ts'
import type { ChainOp } from './kinds.ts'
import { KINDS } from './kinds.ts'
import type { Needed } from './signatures.ts'
import { checkComplete, neededSignatures, signingKeys, validSigners } from './signatures.ts'
import type { State } from './state.ts'
import { adminsOf } from './state.ts'
import type { ChainStatement, Genesis, Position, Statement } from './statement.ts'
import { entryOf, linkHash, organisationOf, parsePosition, parseStatement } from './statement.ts'
import { checkReachable } from './thresholds.ts'

/**
 * The state after genesis: these bytes hash to the pinned organisation, and every administrator's key and the recovery key
 * signed them. Does NOT look at the time.
 * @param org From the edge's own pin, never from the bytes or from whoever carried them.
 * @throws {VerifyError} WRONG_ORG, those of `parseStatement`, SIGNATURE_MISSING, THRESHOLD_UNREACHABLE, BAD_KEY, KEY_REUSED, NAME_TAKEN
 * @see packages/core/spec/statement.md §5.1
 */
export function startState(genesis: Signed, org: string, suite: SignatureSuite): State {
  const found = organisationOf(genesis.bytes)
  if (found !== org) throw new VerifyError('WRONG_ORG', `genesis of organisation ${found}, expected ${org}`)
  const { effect, needed } = prepareGenesis(genesis, suite)
  checkComplete(needed)
  return effect.state
}

function prepareGenesis(signed: Signed, suite: SignatureSuite) {
  const statement = parseStatement(signed.bytes)
  if (statement.op !== 'genesis') throw new VerifyError('BAD_SEQ', `the log begins with genesis, not ${statement.op}`)
  const effect = found(statement, signed.bytes)
  return { effect, needed: neededSignatures('genesis', signed, effect.state, effect, suite) }
}

function found({ at, body }: Genesis, bytes: Uint8Array): Effect {
  checkUse(body.recovery, 'recovery')
  admitPublicKey(body.recovery)
  const link = linkHash(bytes)
  const bare: State = {
    org: organisationOf(bytes),
    name: body.name,
    seq: 0,
    head: link,
    at,
    thresholds: body.thresholds,
    site: { origins: body.signer.origins, rpId: body.signer.rp_id },
    consoleOrigins: body.console.origins,
    recovery: body.recovery,
    identities: new Map(),
    keys: new Map(),
    reserved: new Map(),
    names: new Map(),
    enrolments: new Map(),
    servers: new Map(),
    invites: new Map(),
    releases: new Map(),
    named: new Set(),
  }
  const state = enrolFounders(reserveKey(bare, body.recovery, 'recovery'), 0, link, body.admins)
  checkReachable(state)
  return { state, keys: [...newKeys(undefined, body.admins), { key: body.recovery, why: 'recovery' }] }
}

/**
 * The state after one more statement, or a refusal. Class and signatures needed are worked out from `state`, never read from the
 * bytes. A statement that a current administrator signed and this version cannot read (unknown operation, later version) halts:
 * the same state comes back with `halted`, and nothing is applied any more.
 * Does NOT look at clocks (`admitEntries`), revocations (`isRevoked`) or leases (`standingOf`).
 * @throws {VerifyError} WRONG_ORG, BAD_SEQ, BAD_PREV, BAD_TIME, BAD_REV, HALTED, THRESHOLD_NOT_MET, SIGNATURE_MISSING, those of
 *   `parseStatement` and of the kind (statement.md §5)
 * @see packages/core/spec/statement.md §6
 */
export function applyStatement(state: State, signed: Signed, suite: SignatureSuite): State {
  if (state.halted) throw new VerifyError('HALTED', `the log stands still since statement ${state.halted.seq}: ${state.halted.reason}`)
  const statement = readOrHalt(state, signed, suite)
  if ('halted' in statement) return statement
  const { next, needed } = prepare(state, statement, signed, suite)
  checkComplete(needed)
  return next
}

/** The whole log of an organisation, from genesis. Chain validity only: see `admitEntries` for what arrives from others. */
export function replay(org: string, entries: readonly Signed[], suite: SignatureSuite): State {
  const [genesis, ...rest] = entries
  if (!genesis) throw new VerifyError('BAD_SEQ', 'the log is empty')
  return rest.reduce((state, signed) => applyStatement(state, signed, suite), startState(genesis, org, suite))
}

/**
 * Whose signatures a statement needs and which it has. Everything but signatures must be in order already.
 * @param state The state before it; undefined for genesis.
 * @throws {VerifyError} as `applyStatement`, without THRESHOLD_NOT_MET and SIGNATURE_MISSING
 */
export function neededFor(signed: Signed, state: State | undefined, suite: SignatureSuite): Needed {
  if (!state) return prepareGenesis(signed, suite).needed
  return prepare(state, parseStatement(signed.bytes), signed, suite).needed
}

/** Who decides about a statement. */
export function classOf(statement: Statement): StatementClass {
  return statement.op === 'genesis' ? 'genesis' : kindOf(statement.op).classOf(statement.body)
}

/** The row of a statement's kind; the body's type is known to fit, since `parseStatement` read it by the same row. */
const kindOf = (op: ChainOp): Kind<ChainStatement['body']> => KINDS[op] as unknown as Kind<ChainStatement['body']>

function prepare(state: State, statement: Statement, signed: Signed, suite: SignatureSuite) {
  if (statement.op === 'genesis') throw new VerifyError('BAD_SEQ', 'genesis is the first statement only')
  checkPosition(state, statement)
  if (statement.at < state.at) throw new VerifyError('BAD_TIME', `at ${statement.at} is before the previous statement's ${state.at}`)
  const of = classOf(statement)
  if (!isAdminClass(of) && statement.rev.length > 0) throw new VerifyError('BAD_REV', 'only administrators name revocations')
  const entry: Entry<ChainStatement['body']> = entryOf(statement, signed.bytes)
  const effect = kindOf(statement.op).apply(state, entry, suite)
  return { next: advance(effect.state, statement, entry.link), needed: neededSignatures(of, signed, state, effect, suite) }
}

/** @throws {VerifyError} WRONG_ORG, BAD_SEQ, BAD_PREV */
function checkPosition(state: State, { org, seq, prev }: Omit<Position, 'nva'>): void {
  if (org !== state.org) throw new VerifyError('WRONG_ORG', `statement of organisation ${org}, expected ${state.org}`)
  if (seq !== state.seq + 1) throw new VerifyError('BAD_SEQ', `statement ${seq}, expected ${state.seq + 1}`)
  if (prev !== state.head) throw new VerifyError('BAD_PREV', `statement ${seq} follows ${prev}, expected ${state.head}`)
}

function advance(state: State, { seq, at, rev }: ChainStatement, head: string): State {
  return { ...state, seq, at, head, named: rev.length === 0 ? state.named : new Set([...state.named, ...rev]) }
}

/** @throws {VerifyError} those of `parseStatement`; UNKNOWN_OP and UNKNOWN_VERSION only for what no administrator signed */
function readOrHalt(state: State, signed: Signed, suite: SignatureSuite): Statement | (State & { halted: object }) {
  try {
    return parseStatement(signed.bytes)
  } catch (error) {
    if (!(error instanceof VerifyError) || (error.code !== 'UNKNOWN_OP' && error.code !== 'UNKNOWN_VERSION')) throw error
    checkPosition(state, parsePosition(signed.bytes))
    const keys = adminsOf(state).flatMap(signingKeys)
    if (validSigners(signed, keys, state.site, suite).size === 0) throw error
    return { ...state, halted: { seq: state.seq + 1, reason: error.message } }
  }
}
