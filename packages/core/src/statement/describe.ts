import { VerifyError } from '../errors.ts'
import { organisationWords } from '../key/comparison.ts'
import { parseEnrolmentRequest } from './enrolment-request.ts'
import type { Kind, StatementClass } from './kind.ts'
import { isAdminClass } from './kind.ts'
import { describeGenesis } from './kinds/genesis.ts'
import type { ChainOp } from './kinds.ts'
import { KINDS } from './kinds.ts'
import { parseLogin } from './login.ts'
import { parseRevocation, targetsOf } from './revocation.ts'
import type { State, Target } from './state.ts'
import type { ChainStatement, Genesis } from './statement.ts'
import { entryOf, organisationOf, parseStatement } from './statement.ts'
import { targetText } from './targets.ts'
import { durationText, utcText } from './times.ts'
import { keyText, keyTexts, quoted, thresholdText, wordsText } from './wording.ts'

/** What people sign, apart from approvals of calls. */
export type Describable = 'statement' | 'revocation' | 'login' | 'enrolment'

const DESCRIBE: { readonly [kind in Describable]: (bytes: Uint8Array, state: State | undefined) => readonly string[] } = {
  statement: describeStatement,
  revocation: describeRevocation,
  login: describeLogin,
  enrolment: describeEnrolment,
}

/**
 * The sentences a person reads before signing exactly these bytes: everything material in them, in plain English, without
 * mark-up. `state` is the reader's own verified state; with it the sentences also say what changes. Does NOT say whether the
 * object would be accepted.
 * @throws {VerifyError} what parsing finds; WRONG_ORG when the state is of another organisation
 */
export function describe(kind: Describable, bytes: Uint8Array, state?: State): readonly string[] {
  return DESCRIBE[kind](bytes, state)
}

function describeStatement(bytes: Uint8Array, known: State | undefined): readonly string[] {
  const statement = parseStatement(bytes)
  if (statement.op === 'genesis') return foundingTexts(statement, bytes)
  checkOrganisation(statement.org, known)
  const state = known?.head === statement.prev && known.seq + 1 === statement.seq ? known : undefined
  const kind = KINDS[statement.op] as unknown as Kind<ChainStatement['body']>
  return [
    `${kind.title}.`,
    organisationText(statement.org, known),
    ...(known && !state ? [`This does not follow statement ${known.seq}, the last one known here: what it changes cannot be shown.`] : []),
    ...kind.describe(statement.body, entryOf<ChainOp>(statement, bytes), state),
    ...classText(kind.classOf(statement.body), state),
    ...revText(statement.rev),
    `It is statement ${statement.seq}, after ${statement.prev}.`,
    timesText(statement),
  ]
}

function foundingTexts(genesis: Genesis, bytes: Uint8Array): readonly string[] {
  return [...describeGenesis(genesis.body), organisationText(organisationOf(bytes), undefined), timesText(genesis)]
}

const timesText = ({ at, nva }: { at: number; nva: number }): string =>
  `It is dated ${utcText(at)}, and edges take it up until ${utcText(nva)} (${durationText(nva - at)}).`

/** @throws {VerifyError} WRONG_ORG */
function checkOrganisation(org: string, state: State | undefined): void {
  if (state && state.org !== org) throw new VerifyError('WRONG_ORG', `for organisation ${org}, expected ${state.org}`)
}

const organisationText = (org: string, state: State | undefined): string =>
  `Organisation${state ? ` ${quoted(state.name)}` : ''} ${org}, words: ${organisationWords(org).join(' ')}.`

function classText(of: StatementClass, state: State | undefined): readonly string[] {
  if (!isAdminClass(of)) return []
  return [`It is a ${of} statement${state ? ` and needs ${thresholdText(state.thresholds[of])}` : ''}.`]
}

function revText(rev: readonly string[]): readonly string[] {
  if (rev.length === 0) return []
  return [
    `Gateways serve only once they hold ${rev.length === 1 ? 'this revocation' : `these ${rev.length} revocations`}: ${rev.join(', ')}.`,
  ]
}

function describeRevocation(bytes: Uint8Array, state: State | undefined): readonly string[] {
  const revocation = parseRevocation(bytes)
  const { org, reason, at, until } = revocation
  const targets = targetsOf(revocation)
  checkOrganisation(org, state)
  return [
    ...aimTexts(targets, state, until === undefined ? undefined : { seconds: until - at, until }),
    ...(targets.every(({ kind }) => kind === 'grant')
      ? []
      : ['What it brought in stops too: rotated keys, and whatever was enrolled by it or acts for it.']),
    ...new Set(targets.flatMap(({ id, kind }) => adminText(id, kind, state))),
    reason ? `Reason: ${quoted(reason)}.` : 'No reason is given.',
    organisationText(org, state),
    `It is dated ${utcText(at)}.`,
  ]
}

/** One target is said in one sentence; of several, each has a sentence of its own, and none is left out. */
function aimTexts(targets: readonly Target[], state: State | undefined, suspension: { seconds: number; until: number } | undefined) {
  const verb = suspension ? 'suspends' : 'revokes'
  const ending = suspension
    ? ` for ${durationText(suspension.seconds)}, until ${utcText(suspension.until)}.`
    : ', for ever: it cannot be undone.'
  const [first, ...others] = targets.map((target) => targetText(target, state))
  if (others.length === 0) return [`This ${verb} the ${first}${ending}`]
  return [`This ${verb} ${targets.length} things at once${ending}`, ...[first, ...others].map((what) => `It ${verb} the ${what}.`)]
}

/** Aimed at an administrator it does less than people expect. */
function adminText(id: string, kind: string, state: State | undefined): readonly string[] {
  const admin = [...(state?.identities.values() ?? [])].find(
    (identity) =>
      identity.admin && (kind === 'enrolment' ? identity.enrolment === id : state?.keys.get(id as never)?.atsign === identity.atsign),
  )
  return admin ? [`${admin.atsign} is an administrator and can still sign the log: only removing the administrator ends that.`] : []
}

function describeLogin(bytes: Uint8Array, state: State | undefined): readonly string[] {
  const { org, atsign, console, at, exp, session_key } = parseLogin(bytes)
  checkOrganisation(org, state)
  return [
    session_key
      ? `${atsign} signs in at ${console} from a terminal; for up to 12 hours its requests are signed by the ${keyText(session_key)}.`
      : `${atsign} signs in at ${console} in the browser that asked.`,
    'It allows nothing else: what is decided there still needs its own signature.',
    organisationText(org, state),
    `It is dated ${utcText(at)} and can be used until ${utcText(exp)}.`,
  ]
}

function describeEnrolment(bytes: Uint8Array, state: State | undefined): readonly string[] {
  const { org, kind, atsign, keys, exp, owner } = parseEnrolmentRequest(bytes)
  checkOrganisation(org, state)
  return [
    `This asks to be enrolled as the ${kind} ${atsign}${owner ? `, acting for ${owner}` : ''}.`,
    ...keyTexts(atsign, keys),
    organisationText(org, state),
    `It can be granted until ${utcText(exp)}.`,
    wordsText(org, bytes),
  ]
}
