import type { AtSign, Bodies, ChainOp, DelegationBody, Identity, KeyId, State } from '@postern/core'
import { encodeBase64url, isAtSign, keyIdOf } from '@postern/core'
import type { Outcome } from '../authority/statement.ts'
import { signStatement } from '../authority/statement.ts'
import type { Context } from '../context.ts'
import { CliError, usageError } from '../errors.ts'
import { atSignOf, integerOf, listOf } from '../inputs.ts'
import type { SignedIn } from '../profile/person.ts'
import { confirm } from '../prompt.ts'
import { now } from '../surroundings.ts'
import type { WaitingEnrolment } from './queue.ts'
import { pick } from './queue.ts'

const DAY = 86_400
/** Leases by default. */
const DAYS = { person: 365, agent: 30, gateway: 180 } as const

/** What the approver decides beyond yes. */
export interface ApproveOptions {
  readonly words?: string
  readonly tags?: string
  readonly days?: string
  readonly owner?: string
  readonly delegate?: string
  readonly servers?: string
  readonly admin?: boolean
}

/**
 * Of the requests that go by a name, the one that is meant: with `--words`, the one that has them. This is the check that keeps a control
 * plane from putting its own keys in place of a machine's.
 * @throws {CliError} NOT_FOUND, USAGE, WORDS_DIFFER (exit code 8)
 */
export function pickEnrolment(enrolments: readonly WaitingEnrolment[], typed: string, words: string | undefined): WaitingEnrolment {
  const namesOf = ({ id, request }: WaitingEnrolment) => [id, request.atsign]
  if (words === undefined) return pick(enrolments, typed, namesOf, 'enrolment')
  const said = words
    .trim()
    .toLowerCase()
    .split(/[\s,]+/)
  const meant = enrolments.filter((item) => item.words.join() === said.join())
  if (meant.some((item) => namesOf(item).includes(typed))) return pick(meant, typed, namesOf, 'enrolment')
  const { request } = pick(enrolments, typed, namesOf, 'enrolment')
  throw new CliError('WORDS_DIFFER', 'these are not the words of this request', {
    why: `what waits here is not what ${request.atsign} has made: other keys, or another name, organisation or attempt`,
    fix: `look again; if its screen really shows these words, refuse: postern refuse ${request.atsign}`,
    exit: 'verification',
  })
}

/**
 * Shows who asks and what is granted, has the words compared, and signs the enrolment.
 * @throws {CliError} CONFIRM without a terminal and without `--words`; as `signStatement`
 */
export async function approve(context: Context, person: SignedIn, waiting: WaitingEnrolment, options: ApproveOptions): Promise<Outcome> {
  const kid = keyIdOf((await person.key()).public)
  const op = opOf(waiting, options)
  const tags = tagsOf(context, waiting, options)
  const isCompared = options.words !== undefined
  const at = now()
  return signStatement(context, person, {
    op,
    body: (state) => bodyOf(op, waiting, { ...options, tags, approver: approverOf(state, person.profile.atsign), kid, at }) as never,
    notes: notesOf(waiting),
    confirm: () => confirm(questionOf(waiting), { given: isCompared, input: context.settings.input, flag: FLAG }),
  })
}

/** `--yes` is not enough: it would sign whatever the control plane has put into the queue. */
const FLAG = "--words '<the six words that its screen shows>'"
const questionOf = ({ request, words }: WaitingEnrolment): string =>
  `Does the screen of ${request.atsign} show exactly these six words:  ${words.join(' ')} ?  Sign?`

function opOf({ request }: WaitingEnrolment, { admin }: ApproveOptions): ChainOp {
  if (admin && request.kind !== 'person') throw usageError('only a person can become an administrator')
  return admin ? 'admin.add' : `${request.kind}.enroll`
}

/** Tags come from whoever approves; those that the queue suggests only count when somebody has looked at them. */
function tagsOf({ settings }: Context, { tags }: WaitingEnrolment, options: ApproveOptions): readonly string[] {
  if (options.tags !== undefined) return listOf(options.tags)
  if (tags.length > 0 && !settings.input)
    throw usageError(`the queue suggests the tags ${tags.join(', ')}`, `say which it gets: --tags ${tags.join(',')}`)
  return [...tags].sort()
}

function notesOf({ facts, invitedBy }: WaitingEnrolment): readonly string[] {
  const told = Object.entries(facts).map(([name, value]) => `${name} ${value}`)
  return [`Reported, not signed: ${told.length > 0 ? told.join(', ') : 'nothing'}; the code was made by ${invitedBy}.`]
}

function approverOf(state: State, atsign: string): Identity {
  const identity = isAtSign(atsign) ? state.identities.get(atsign) : undefined
  if (!identity) throw new CliError('NOT_PERMITTED', `${atsign} is not enrolled any more`, { exit: 'notPermitted' })
  return identity
}

interface Decided extends Omit<ApproveOptions, 'tags'> {
  readonly tags: readonly string[]
  readonly approver: Identity
  /** When the lease begins. */
  readonly at: number
  readonly kid: KeyId
}

function bodyOf(op: ChainOp, { bytes, proofs, request }: WaitingEnrolment, decided: Decided): Bodies[ChainOp] {
  const fields = { request: encodeBase64url(bytes), proofs }
  if (op === 'admin.add') return fields
  const { kind } = request
  const exp = decided.at + integerOf(decided.days ?? String(DAYS[kind]), '--days', 1, 3650) * DAY
  const lease = { ...fields, exp, tags: decided.tags }
  if (kind === 'gateway') return lease
  if (kind === 'person') return { ...lease, ...delegationOf(decided, exp) }
  return { ...lease, ...holderOf(decided, exp, request.owner) }
}

function delegationOf({ delegate, servers, tags }: Decided, exp: number): { delegation?: DelegationBody } {
  if (delegate === undefined) return {}
  const agents = integerOf(delegate, '--delegate', 1, 1000)
  return { delegation: { agents, tags, exp, ...(servers === undefined ? {} : { servers: listOf(servers) }) } }
}

/** An administrator decides as one; anybody else in their own name, within their delegation, which also bounds the lease. */
function holderOf({ approver, kid, owner }: Decided, exp: number, asked: AtSign | undefined) {
  const named = owner === undefined ? asked : atSignOf(owner)
  if (approver.admin) return named ? { owner: named } : {}
  const end = approver.delegation?.exp ?? exp
  return { owner: named ?? approver.atsign, via: kid, exp: Math.min(exp, end) }
}
