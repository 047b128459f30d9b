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
 * Shows who asks, has the words compared, and signs the enrolment.
 * @throws {CliError} WORDS_DIFFER (exit code 8); as `signStatement`
 */
export async function approve(context: Context, person: SignedIn, waiting: WaitingEnrolment, options: ApproveOptions): Promise<Outcome> {
  await compareWords(context, waiting, options.words)
  const kid = keyIdOf((await person.key()).public)
  const op = opOf(waiting, options)
  const tags = tagsOf(context, waiting, options)
  return signStatement(context, person, {
    op,
    body: (state) => bodyOf(op, waiting, { ...options, tags, approver: approverOf(state, person.profile.atsign), kid }) as never,
    notes: notesOf(waiting),
    isConfirmed: true,
  })
}

/**
 * The one check that keeps a control plane from putting its own keys in place of the machine's: the words of the other screen.
 */
async function compareWords(context: Context, { words, request }: WaitingEnrolment, given: string | undefined): Promise<void> {
  const { input } = context.settings
  if (given !== undefined) {
    if (
      given
        .trim()
        .toLowerCase()
        .split(/[\s,]+/)
        .join(' ') === words.join(' ')
    )
      return
    throw new CliError('WORDS_DIFFER', 'these are not the words of this request', {
      why: `it has: ${words.join(' ')}`,
      fix: `if ${request.atsign} shows others, refuse: somebody may have put other keys in its place`,
      exit: 'verification',
    })
  }
  context.say(`${request.kind} ${request.atsign} shows, if nobody stands between:   ${words.join(' ')}`)
  await confirm('Does its screen show the same six words?', {
    given: false,
    input,
    flag: "--words '<the six words that its screen shows>'",
  })
}

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
  readonly kid: KeyId
}

function bodyOf(op: ChainOp, { bytes, proofs, request }: WaitingEnrolment, decided: Decided): Bodies[ChainOp] {
  const fields = { request: encodeBase64url(bytes), proofs }
  if (op === 'admin.add') return fields
  const { kind } = request
  const exp = now() + integerOf(decided.days ?? String(DAYS[kind]), '--days', 1, 3650) * DAY
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
