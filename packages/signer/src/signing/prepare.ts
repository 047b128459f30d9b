import type {
  AtSign,
  Describable,
  EnrolmentRequest,
  GenesisBody,
  InviteSignerRequest,
  LoginSignerRequest,
  Namespace,
  Needed,
  PublicKey,
  RevocationSignerRequest,
  Signature,
  State,
  StatementSignerRequest,
  Suite,
  VerifiedHeld,
} from '@postern/core'
import {
  approvalOf,
  decodeBase64url,
  describe,
  describeApproval,
  draftGenesis,
  draftStatement,
  encodeApproval,
  encodeBase64url,
  encodeEnrolmentRequest,
  encodeLogin,
  linkHash,
  MAX_LOGIN_SECONDS,
  neededFor,
  parseEnrolmentRequest,
  parseRevocation,
  parseStatement,
  VerifyError,
} from '@postern/core'
import { SignerError } from '../errors.ts'

/** What a passkey is asked to sign here. Each has one namespace, and nothing outside this file chooses one. */
export type SignedKind = Describable | 'approval'
const NAMESPACES: { readonly [kind in SignedKind]: Namespace } = {
  statement: 'postern-statement-v1',
  revocation: 'postern-revocation-v1',
  login: 'postern-login-v1',
  approval: 'postern-approval-v1',
  enrolment: 'postern-enrolment-v1',
}

/**
 * Bytes that were parsed as what they claim to be, with the sentences that core makes of exactly these bytes. The only thing that
 * `sign` takes, and only this file makes one: what was shown and what is signed cannot be two things.
 */
export interface Prepared {
  readonly kind: SignedKind
  readonly namespace: Namespace
  readonly sentences: readonly string[]
  /** A copy: changing it changes nothing. */
  readonly bytes: Uint8Array
  /** Of the bytes, computed here, base64url. */
  readonly sha256: string
}

const made = new WeakMap<Prepared, Uint8Array>()

/** @throws {VerifyError} when the bytes are not of that kind, or of another organisation than the state's */
function prepared(kind: SignedKind, bytes: Uint8Array, state: State | undefined, suite: Suite, held?: VerifiedHeld): Prepared {
  const own = bytes.slice()
  const sentences = kind === 'approval' ? describeApproval(own, state, held) : describe(kind, own, state)
  const result: Prepared = Object.freeze({
    ...{ kind, namespace: NAMESPACES[kind], sentences: Object.freeze([...sentences]), sha256: encodeBase64url(suite.sha256(own)) },
    bytes: own.slice(),
  })
  made.set(result, own)
  return result
}

/** The bytes of something that was prepared here. @throws {TypeError} for anything else */
export function bytesToSign(prepared: Prepared): Uint8Array {
  const bytes = made.get(prepared)
  if (!bytes) throw new TypeError('only what was prepared, and so shown, can be signed')
  return bytes.slice()
}

/** What the control plane keeps under an id, as it came. */
export interface Found {
  readonly bytes: Uint8Array
  readonly signatures: readonly Signature[]
}

/** What everything is compared with: this device's own verified state, and its clock. */
export interface Pin {
  readonly state: State
  readonly now: number
  readonly suite: Suite
}

/** A statement that may be signed now. */
export interface ReadyStatement {
  readonly prepared: Prepared
  readonly op: string
  readonly seq: number
  readonly nva: number
  /** Link hash. */
  readonly hash: string
  /** Whose signatures it needs and has. */
  readonly needed: Needed
  /** The request inside an enrolling statement: its words are compared before it is signed. */
  readonly enrolment?: { readonly request: EnrolmentRequest; readonly bytes: Uint8Array }
  /** `policy.set`: of the document's bytes. */
  readonly policy?: string
}

/**
 * Reads what waits under the id of a request, and refuses what is not exactly what was named, or cannot be the next statement of the log
 * that this device has verified.
 * @throws {SignerError} OTHER_BYTES, WRONG_KIND, WRONG_ORGANISATION, TAKEN, NOT_NEXT, EXPIRED, INVALID, NEEDS_RECOVERY_KEY
 */
export function prepareStatement(request: StatementSignerRequest, found: Found, pin: Pin): ReadyStatement {
  checkBytes(request, found, pin)
  const { state, now, suite } = pin
  const statement = reading(() => parseStatement(found.bytes))
  if (statement.op === 'genesis') throw new SignerError('WRONG_KIND', 'a genesis statement is signed on its own page only')
  checkOrg(statement.org, request.org, state)
  const { seq, prev, nva, op, body } = statement
  if (seq <= state.seq) throw new SignerError('TAKEN', `statement ${seq}; the log has ${state.seq}`)
  if (seq !== state.seq + 1 || prev !== state.head) throw new SignerError('NOT_NEXT', `statement ${seq} after ${state.seq}`)
  if (nva < now) throw new SignerError('EXPIRED')
  const needed = reading(() => neededFor(found, state, suite))
  if (needed.class === 'recovery') throw new SignerError('NEEDS_RECOVERY_KEY')
  const enrolling = 'request' in body && typeof body.request === 'string' ? decodeBase64url(body.request) : undefined
  return {
    prepared: reading(() => prepared('statement', found.bytes, state, suite)),
    ...{ op, seq, nva, needed, hash: linkHash(found.bytes) },
    ...(enrolling ? { enrolment: { request: reading(() => parseEnrolmentRequest(enrolling)), bytes: enrolling } } : {}),
    ...(op === 'policy.set' ? { policy: body.sha256 } : {}),
  }
}

/** @throws {SignerError} OTHER_BYTES, WRONG_ORGANISATION, INVALID */
export function prepareRevocation(request: RevocationSignerRequest, found: Found, pin: Pin): Prepared {
  checkBytes(request, found, pin)
  const revocation = reading(() => parseRevocation(found.bytes))
  checkOrg(revocation.org, request.org, pin.state)
  if (revocation.at > pin.now + CLOCK_SECONDS) throw new SignerError('INVALID', 'it is dated in the future: check the clock')
  return reading(() => prepared('revocation', found.bytes, pin.state, pin.suite))
}

const CLOCK_SECONDS = 120

/**
 * The login that a request asks for, made here. `state` may be unknown: then nothing about the person or the console is checked, and
 * whoever verifies it does.
 * @throws {SignerError} WRONG_CONSOLE for a console that is not the organisation's, WRONG_ORGANISATION, INVALID
 */
export function prepareLogin(
  request: LoginSignerRequest,
  atsign: AtSign,
  { state, now, suite }: Partial<Pin> & Omit<Pin, 'state'>,
): Prepared {
  const { org, console, nonce, session_key } = request
  if (request.atsign && request.atsign !== atsign) throw new SignerError('INVALID', `asked for ${request.atsign}`)
  if (state) checkOrg(state.org, org, state)
  if (state && !session_key && !state.consoleOrigins.includes(console)) throw new SignerError('WRONG_CONSOLE', console)
  const login = { org, atsign, console, nonce, at: now, exp: now + MAX_LOGIN_SECONDS, ...(session_key ? { session_key } : {}) }
  return reading(() => prepared('login', encodeLogin(login), state, suite))
}

/** A decision about exactly the call that was opened and verified. @throws {SignerError} EXPIRED, WRONG_ORGANISATION, INVALID */
export function prepareApproval(held: VerifiedHeld, decision: 'approve' | 'refuse', { state, now, suite }: Pin, reason?: string): Prepared {
  checkOrg(held.hold.org, state.org, state)
  if (held.hold.exp <= now) throw new SignerError('EXPIRED')
  return reading(() => prepared('approval', encodeApproval(approvalOf(held.hold, decision, now, reason)), state, suite, held))
}

/** A person's own request, for keys that were just made here. @throws {SignerError} INVALID */
export function prepareEnrolment(request: EnrolmentRequest, { state, suite }: Pick<Pin, 'state' | 'suite'>): Prepared {
  checkOrg(request.org, state.org, state)
  return reading(() => prepared('enrolment', encodeEnrolmentRequest(request), state, suite))
}

/** What a fleet invite shall allow, as the console's draft says; its key is made here. */
export interface InviteTerms {
  readonly kind: 'gateway' | 'agent'
  readonly tags: readonly string[]
  readonly uses: number
  readonly exp: number
  readonly owner?: AtSign
}

/** @throws {SignerError} WRONG_ORGANISATION, INVALID */
export function prepareInvite(
  request: InviteSignerRequest,
  terms: InviteTerms,
  key: PublicKey,
  { state, now, suite }: Pin,
): ReadyStatement {
  checkOrg(request.org, state.org, state)
  const { kind, uses, exp, owner } = terms
  const body = { key, kind, uses, exp, tags: [...terms.tags].sort(), ...(owner ? { owner } : {}) }
  const bytes = reading(() => draftStatement(state, 'invite', body, { at: now }))
  const { seq, nva } = parseStatement(bytes)
  return {
    prepared: reading(() => prepared('statement', bytes, state, suite)),
    ...{ op: 'invite', seq, nva, hash: linkHash(bytes), needed: reading(() => neededFor({ bytes, signatures: [] }, state, suite)) },
  }
}

/** Statement 0, of an organisation that does not exist yet. @throws {SignerError} INVALID */
export const prepareGenesis = (body: GenesisBody, { now, suite }: Pick<Pin, 'now' | 'suite'>): Prepared =>
  reading(() => prepared('statement', draftGenesis(body, { at: now }), undefined, suite))

function checkBytes(request: StatementSignerRequest | RevocationSignerRequest, { bytes }: Found, { suite }: Pin): void {
  if (encodeBase64url(suite.sha256(bytes)) !== request.sha256) throw new SignerError('OTHER_BYTES')
}

/** Three times the same: in the bytes, in the request, in the state that was replayed from the pin. */
function checkOrg(found: string, asked: string, state: State): void {
  if (found !== asked || found !== state.org) throw new SignerError('WRONG_ORGANISATION')
}

/** What core refuses is a reason to sign nothing. */
function reading<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof VerifyError) throw new SignerError('INVALID', `${error.code}: ${error.message}`, { cause: error })
    throw error
  }
}
