import type { Bodies, ChainOp, Needed, Signed, State } from '@postern/core'
import {
  canonicalText,
  describe,
  draftStatement,
  encodeBase64url,
  encodeSigned,
  keyIdOf,
  linkHash,
  neededFor,
  parseStatement,
  policyDigest,
  unnamedIn,
  VerifyError,
} from '@postern/core'
import { signWithBrowser } from '../browser/sign.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { exitOf } from '../exit-codes.ts'
import type { SignedIn } from '../profile/person.ts'
import { now, surroundings } from '../surroundings.ts'
import type { Authority } from './authority.ts'
import { syncAuthority } from './authority.ts'

/** A statement to be made. `body` sees the state it will be applied to; a second attempt may see another one. */
export interface Proposal<O extends ChainOp> {
  readonly op: O
  /** Called again after a conflict; times in it are those of the first call, or it would never mean the same. */
  readonly body: (state: State) => Bodies[O]
  /** Asks in place of `Sign this?`: an enrolment has its words compared. Throws for a no. */
  readonly confirm?: () => Promise<void>
  /** Bytes that travel along: the document of `policy.set`. */
  readonly policy?: Uint8Array
  /** More to know before signing, in front of the sentences. */
  readonly notes?: readonly string[]
}

/** What became of it: in the log, or waiting for others. */
export interface Outcome {
  readonly status: 'appended' | 'waiting'
  readonly op: ChainOp
  readonly seq: number
  /** Link hash of the statement: its name, and the id of what it enrols. */
  readonly hash: string
  /** `waiting`: id of the request that collects signatures. */
  readonly request?: string
  /** `waiting`: how many signatures of administrators are there and needed. */
  readonly signed?: number
  readonly needed?: number
}

const MAX_CONFLICTS = 5

/**
 * Drafts a statement on the verified log, shows in words exactly what is signed, asks, signs and hands it in. If somebody was faster and
 * it still means the same, it is drafted again without a second question.
 * @throws {CliError} DECLINED, CONFIRM; CONFLICT when it means something else by now; whatever core refuses, with its code
 */
export async function signStatement<O extends ChainOp>(context: Context, person: SignedIn, proposal: Proposal<O>): Promise<Outcome> {
  let shown: string | undefined
  for (let attempt = 0; ; attempt += 1) {
    const authority = await syncFor(context, person, attempt === 0)
    const bytes = draft(authority, proposal)
    const sentences = describe('statement', bytes, authority.state)
    const meaning = meaningOf(bytes, sentences)
    if (shown === undefined) await show(context, proposal, sentences)
    else if (shown !== meaning) throw changedMeanwhile()
    shown = meaning
    try {
      const key = await person.key()
      if (key.isPasskey) return await throughBrowser(context, person, proposal, bytes)
      return await handIn(context, person, proposal, await sign(person, bytes), authority.state)
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'CONFLICT' || attempt >= MAX_CONFLICTS) throw error
      context.detail('somebody else signed a statement first; drafting this one again')
    }
  }
}

async function syncFor(context: Context, { dir, profile, client }: SignedIn, isFirst: boolean): Promise<Authority> {
  const authority = await syncAuthority(dir, profile.org, client)
  if (isFirst) for (const warning of authority.warnings) context.warn(warning)
  return authority
}

function draft<O extends ChainOp>({ state, revocations }: Authority, { op, body }: Proposal<O>): Uint8Array {
  const content = body(state)
  const isHolder = 'via' in content && content.via !== undefined
  const rev = isHolder ? [] : unnamedIn(revocations, state)
  return refusing(() => {
    const bytes = draftStatement(state, op, content, { at: now(), rev })
    neededFor({ bytes, signatures: [] }, state, surroundings.suite)
    return bytes
  })
}

/** What core refuses here is our own draft: not a failed verification of something received. */
export function refusing<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    const exit = exitOf(error.code)
    throw new CliError(error.code, error.message, { exit: exit === 'verification' ? 'usage' : exit, cause: error })
  }
}

/** Everything but place and date; a lease by its end alone, since how long that is from now changes with every second. */
const meaningOf = (bytes: Uint8Array, sentences: readonly string[]): string =>
  canonicalText([
    canonicalText((JSON.parse(new TextDecoder().decode(bytes)) as { body: never }).body),
    ...sentences
      .filter((sentence) => !/^It is (statement \d+, after|dated) /.test(sentence))
      .map((sentence) => sentence.replace(/(lasts|for) [\w ,]+, until /g, '$1 until ')),
  ])

const changedMeanwhile = () =>
  new CliError('CONFLICT', 'somebody else signed first, and this would mean something else now', {
    fix: 'run the command again and read what it says now',
    exit: 'conflict',
  })

async function show<O extends ChainOp>(
  context: Context,
  { notes = [], confirm = () => context.confirm('Sign this?') }: Proposal<O>,
  sentences: readonly string[],
): Promise<void> {
  sayAll(context, [...notes, ...sentences])
  await confirm()
}

export function sayAll(context: Context, sentences: readonly string[]): void {
  for (const sentence of sentences) context.show(`  ${sentence}`)
}

async function sign(person: SignedIn, bytes: Uint8Array): Promise<Signed> {
  const key = await person.key()
  return { bytes, signatures: [await key.sign('postern-statement-v1', bytes)] }
}

/** The document of a policy goes ahead, because a statement is complete with the signature of the browser. */
async function throughBrowser<O extends ChainOp>(
  context: Context,
  person: SignedIn,
  { op, policy }: Proposal<O>,
  bytes: Uint8Array,
): Promise<Outcome> {
  if (policy) await person.client.put(`/api/v1/policies/${policyDigest(policy)}`, policy)
  const { id, status } = await signWithBrowser(context, person, { kind: 'statement', bytes })
  const { seq } = parseStatement(bytes)
  const outcome = { op, seq, hash: linkHash(bytes) }
  if (status === 'complete') return { ...outcome, status: 'appended' }
  context.say(`◌ signed; it needs more signatures. Others sign with: postern sign ${outcome.hash}`)
  return { ...outcome, status: 'waiting', request: id }
}

async function handIn<O extends ChainOp>(
  context: Context,
  person: SignedIn,
  { op, policy }: Proposal<O>,
  signed: Signed,
  state: State,
): Promise<Outcome> {
  const needed = refusing(() => neededFor(signed, state, surroundings.suite))
  const key = await person.key()
  requireCount(needed, person.profile.atsign, keyIdOf(key.public))
  const hash = linkHash(signed.bytes)
  if (!needed.complete) return collect(context, person, op, signed, needed)
  const json = { entry: encodeSigned(signed), ...(policy ? { policy: encodeBase64url(policy) } : {}) }
  const { seq } = await person.client.call<{ seq: number }>('/api/v1/log', { json })
  return { status: 'appended', op, seq, hash }
}

/** A signature that nobody counts would only look like one. @throws {CliError} NOT_PERMITTED */
export function requireCount({ parts, class: of }: Needed, atsign: string, kid: string): void {
  const counts = parts.some((part) => (part.by === 'admins' ? part.signed.length > 0 : part.met))
  if (counts) return
  const why = parts.map((part) =>
    part.by === 'admins' ? `${part.class}: ${part.m} of ${part.candidates.join(', ')}` : `the ${part.why} key ${part.kid}`,
  )
  throw new CliError('NOT_PERMITTED', `a signature of ${atsign} counts for nothing here`, {
    why: `a ${of} statement needs ${why.join(' and ')}; key ${kid} is none of them`,
    exit: 'notPermitted',
  })
}

async function collect(context: Context, { client }: SignedIn, op: ChainOp, signed: Signed, needed: Needed): Promise<Outcome> {
  const { id, seq, hash, status } = await client.call<{ id: string; seq: number; hash: string; status: string }>('/api/v1/requests', {
    json: encodeSigned(signed),
  })
  if (status === 'complete') return { status: 'appended', op, seq, hash }
  const admins = needed.parts.find((part) => part.by === 'admins')
  context.say(`◌ signed; it needs more signatures. Others sign with: postern sign ${hash}`)
  return { status: 'waiting', op, seq, hash, request: id, ...(admins ? { signed: admins.signed.length, needed: admins.m } : {}) }
}

/** `agent.enroll is statement 7` for people. */
export const outcomeText = ({ status, op, seq }: Outcome): string =>
  status === 'appended' ? `✓ signed · ${op} is statement ${seq} of the log` : `◌ ${op} waits for more signatures`
