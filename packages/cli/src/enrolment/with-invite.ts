import { text } from 'node:stream/consumers'
import type { AtSign, Enrolment, Identity, Invite, JoinString, KeyId, State } from '@postern/core'
import {
  createControlClient,
  decodeBase64url,
  draftStatement,
  encodeBase64url,
  encodeSigned,
  INVITE_TOKEN_BYTES,
  inviteKey,
  keyIdOf,
  neededFor,
  parseEnrolmentRequest,
  signDetached,
} from '@postern/core'
import { readPrivateFile } from '@postern/daemon'
import { refusing } from '../authority/statement.ts'
import type { Context } from '../context.ts'
import { CliError, notFound, usageError } from '../errors.ts'
import { now, surroundings } from '../surroundings.ts'
import type { Asked } from './ask.ts'
import { readJoinString, readPublicLog } from './join.ts'

/** A fleet token as it stands in a file: a join string whose last part is the token. */
export interface InviteToken {
  readonly join: JoinString
  readonly kid: KeyId
  readonly seed: Uint8Array
}

/**
 * Reads a token from a file that nobody else can read, or from stdin (`-`). It is never an argument.
 * @throws {CliError} NOT_FOUND, USAGE; {OperationError} KEY_FILE_MODE
 */
export async function readTokenFile(path: string): Promise<InviteToken> {
  const bytes = path === '-' ? new TextEncoder().encode(await text(process.stdin)) : await readPrivateFile(path)
  if (!bytes) throw notFound(`there is no file ${path}`)
  const join = readJoinString(new TextDecoder().decode(bytes))
  const { seed, publicKey } = inviteKey(tokenOf(join))
  return { join, seed, kid: keyIdOf(publicKey) }
}

/** @throws {CliError} USAGE */
function tokenOf({ code }: JoinString): Uint8Array {
  try {
    const token = decodeBase64url(code)
    if (token.length === INVITE_TOKEN_BYTES) return token
  } catch {
    // told below
  }
  throw usageError('this is the join string of a one-time code, not of an invite', 'without --token-file it is an argument')
}

const DAY = 86_400
/** The longest that an invite can give. */
const LEASE = { gateway: 180 * DAY, agent: 30 * DAY } as const
/** Many machines start at once, and each takes a place of its own in the log. */
const MAX_TRIES = 40

/**
 * Enrols a machine without asking anybody: the invite's key signs. Running it again, with the keys that are there, finds what was done.
 * @param make Makes keys and request; called when the log has been checked.
 * @throws {CliError} NOT_PERMITTED, CONFLICT; whatever core refuses, with its code
 */
export async function enrolWithInvite(
  context: Context,
  token: InviteToken,
  who: { readonly kind: 'gateway' | 'agent'; readonly atsign: AtSign },
  make: (owner: AtSign | undefined) => Promise<Enrolment>,
): Promise<Asked> {
  const client = createControlClient(token.join.control, undefined, surroundings)
  let enrolment: Enrolment | undefined
  for (let attempt = 1; ; attempt += 1) {
    const { state } = await readPublicLog(token.join, { invite: token.kid })
    if (attempt === 1)
      context.say(`✓ Organisation ${JSON.stringify(state.name)} ${state.org}, as pinned in the token; log checked from entry 0`)
    const invite = inviteIn(state, token.kid, who.kind)
    enrolment ??= await make(invite.owner)
    const done = enrolledIn(state, enrolment)
    if (done) return resultOf(enrolment, done, invite)
    const bytes = draft(state, who.kind, enrolment, invite)
    const signed = { bytes, signatures: [signDetached(token.seed, 'postern-statement-v1', bytes, surroundings.suite)] }
    refusing(() => neededFor(signed, state, surroundings.suite))
    try {
      const { seq } = await client.call<{ seq: number }>('/api/v1/log', { json: { entry: encodeSigned(signed) } })
      context.say(`✓ Enrolled as statement ${seq}, by invite ${token.kid.slice(0, 8)}`)
      return { ...resultOf(enrolment, { enrolledSeq: seq }, invite) }
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'CONFLICT' || attempt >= MAX_TRIES) throw error
      await new Promise((resolve) => setTimeout(resolve, 20 + (surroundings.random(1)[0]! * attempt) / 4)) // somebody else was faster
    }
  }
}

function inviteIn(state: State, kid: KeyId, kind: 'gateway' | 'agent'): Invite {
  const invite = state.invites.get(kid)
  const why = !invite ? 'the log does not know it' : invite.kind !== kind ? `it is for ${invite.kind}s` : undefined
  if (invite && !why) return invite
  throw new CliError('NOT_PERMITTED', 'this invite does not let it in', { exit: 'notPermitted', ...(why ? { why } : {}) })
}

/** Exactly our keys, enrolled by an earlier run whose answer was lost. */
function enrolledIn(state: State, { atsign, request }: Enrolment): Pick<Identity, 'enrolledSeq'> | undefined {
  const known = state.identities.get(atsign)
  const kids = new Set(known?.keys.map(keyIdOf))
  return known && parseEnrolmentRequest(request).keys.every((key) => kids.has(keyIdOf(key))) ? known : undefined
}

function draft(state: State, kind: 'gateway' | 'agent', { request, proofs }: Enrolment, { kid, tags, owner }: Invite): Uint8Array {
  const at = Math.max(now(), state.at)
  const body = { request: encodeBase64url(request), proofs, exp: at + LEASE[kind], tags, via: kid, ...(owner ? { owner } : {}) }
  return refusing(() => draftStatement(state, `${kind}.enroll`, body as never, { at }))
}

const resultOf = ({ atsign, join, words }: Enrolment, { enrolledSeq }: Pick<Identity, 'enrolledSeq'>, { kid }: Invite): Asked => ({
  ...{ id: kid, atsign, org: join.org, words, status: 'enrolled', approved_by: [kid], seq: enrolledSeq },
})
