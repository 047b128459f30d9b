import type { Signature, Signed, State, Statement } from '@postern/core'
import {
  applyStatement,
  CLOCK_TOLERANCE_SECONDS,
  decodeBase64url,
  encodeBase64url,
  linkHash,
  missingFrom,
  parseStatement,
  VerifyError,
} from '@postern/core'
import type { z } from 'zod'
import type { Context } from '../context.ts'
import { orgOf } from '../context.ts'
import type { Transaction } from '../db/open.ts'
import { settleEnrolment } from '../enrolment/settle.ts'
import { ControlError } from '../errors.ts'
import { readSigned } from '../fields.ts'
import { limited } from '../limiter.ts'
import { keepPolicy, requirePolicy } from '../policy/service.ts'
import { settleDrafts } from '../policy/settle.ts'
import { settleRequests } from '../requests/settle.ts'
import { foundOrganisation } from './found.ts'
import type { Head } from './ledger.ts'
import { project } from './project.ts'
import type { appendInput, readAnswer } from './schema.ts'
import { isDuplicate, storeStatement } from './store.ts'

/**
 * Appends one statement: verified by core against the state before it, then stored where its seq is still free.
 * Sending the same statement again is answered like the first time.
 * @throws {ControlError} CONFLICT with the head; POLICY_MISSING, UNKNOWN_REVOCATION, LOG_INVALID; BAD_SECRET, ALREADY_FOUNDED
 * @throws {VerifyError} whatever core refuses
 */
export async function appendStatement(context: Context, input: z.output<typeof appendInput>): Promise<Head> {
  const signed = readSigned(input.entry)
  const statement = parseStatement(signed.bytes)
  checkTimes(statement, context.control.now())
  if (statement.op === 'genesis') return foundOrganisation(context, signed, statement, input.secret)
  const append = () => appendSigned(context, signed, input.policy)
  // It carries its own authority, so whoever brings a complete one may: an administrator whom a stolen key has revoked here must still
  // be able to answer with admin.remove. What does not verify is counted against all strangers together.
  return context.principal.role === 'anyone' ? limited(context.control.limits.strangers, append) : append()
}

/** The part that is the same for statements that arrive whole and those that were completed here signature by signature. */
export async function appendSigned({ control, principal }: Context, signed: Signed, policy?: string): Promise<Head> {
  const { ledger } = control
  await ledger.refresh()
  const statement = parseStatement(signed.bytes)
  const head = { seq: statement.seq, hash: linkHash(signed.bytes) }
  if (await isStored(control.db.prisma, ledger.org, head)) return head
  const after = verifyNext(ledger, statement, signed, control.suite)
  checkRevocations(ledger, after)
  const { org } = after
  const now = control.now()
  const document = statement.op === 'policy.set' && policy ? decodeBase64url(policy) : undefined
  try {
    await control.db.prisma.$transaction(async (tx) => {
      if (document) await keepPolicy(tx, org, document, 'atsign' in principal ? principal.atsign : '', now)
      if (statement.op === 'policy.set') await requirePolicy(tx, org, statement.body.sha256)
      await storeStatement(tx, org, head, statement.op, { bytes: encodeBase64url(signed.bytes), signatures: signed.signatures })
      await project(tx, statement, after)
      await settleEnrolment(tx, control.bus, statement, org, now)
      if (statement.op === 'policy.set') await settleDrafts(tx, org, statement.body.sha256)
      await settleRequests(tx, control.bus, org, head, now)
      await control.bus.publish(tx, { org, kind: 'log', data: { ...head } }, now)
    })
  } catch (error) {
    if (!isDuplicate(error)) throw error
    await ledger.refresh()
    throw conflict(ledger.head(), error)
  }
  await ledger.refresh()
  return head
}

/** One ahead of our clock has to wait; one past its `nva` would not be applied by edges that see it only now. */
function checkTimes({ at, nva }: Statement, now: number) {
  if (at > now + CLOCK_TOLERANCE_SECONDS) throw new VerifyError('NOT_YET_VALID', `at: ${at} is in the future, now ${now}`)
  if (nva < now) throw new VerifyError('EXPIRED', `nva: not valid after ${nva}, now ${now}`)
}

function verifyNext(ledger: Context['control']['ledger'], statement: Statement, signed: Signed, suite: Context['control']['suite']): State {
  const { state, broken } = ledger
  if (!state) throw new ControlError('NOT_FOUND', 'there is no organisation here yet')
  if (broken) throw new ControlError('LOG_INVALID', `what is stored at ${broken.seq} does not verify (${broken.code})`)
  const isOurs = statement.op !== 'genesis' && statement.org === state.org
  if (isOurs && (statement.seq !== state.seq + 1 || statement.prev !== state.head)) throw conflict(ledger.head())
  const after = applyStatement(state, signed, suite)
  if (after.halted) throw new VerifyError('UNKNOWN_OP', after.halted.reason)
  return after
}

const conflict = (head: Head | null, cause?: unknown) =>
  new ControlError('CONFLICT', 'this place in the log is taken: somebody signed another statement first', {
    fix: 'read the log, sign again for the new head',
    details: { head },
    cause,
  })

/** An edge would not serve before it holds them all, so a statement that names what nobody can fetch stops everybody. */
function checkRevocations({ revocations }: Context['control']['ledger'], after: State) {
  const missing = missingFrom(revocations, after)
  if (missing.length > 0) throw new ControlError('UNKNOWN_REVOCATION', 'rev names revocations that are not here', { details: { missing } })
}

async function isStored(prisma: Pick<Transaction, 'statement'>, org: string | undefined, { seq, hash }: Head): Promise<boolean> {
  if (!org) return false
  const row = await prisma.statement.findUnique({ where: { org_seq: { org, seq } }, select: { hash: true } })
  return row?.hash === hash
}

/**
 * The log as it is stored, byte for byte, from any seq. Does NOT verify: the reader does, from the genesis it pinned, and must see what
 * is really there.
 */
export async function readLog(context: Context, { from = 0, limit = 256 }: { from?: number | undefined; limit?: number | undefined }) {
  const org = orgOf(context)
  const { prisma } = context.control.db
  const rows = await prisma.statement.findMany({ where: { org, seq: { gte: from } }, orderBy: { seq: 'asc' }, take: limit + 1 })
  const newest = await prisma.statement.findFirst({ where: { org }, orderBy: { seq: 'desc' }, select: { seq: true, hash: true } })
  const entries = rows.slice(0, limit).map(({ seq, bytes, signatures }) => ({
    seq,
    bytes: encodeBase64url(new Uint8Array(bytes)),
    signatures: signatures as unknown as Signature[],
  }))
  const next = rows.length > limit ? rows[limit]!.seq : null
  return { org, entries, head: newest, next } satisfies z.input<typeof readAnswer>
}
