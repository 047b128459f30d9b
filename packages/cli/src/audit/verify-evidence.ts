import type { Ack, KeyResolver, Receipt, RevocationSet, Signed, State } from '@postern/core'
import {
  addRevocation,
  emptyRevocations,
  missingFrom,
  policyDigest,
  revocationHash,
  revocationsDigest,
  utcText,
  VerifyError,
  verifyAck,
  verifyReceipt,
} from '@postern/core'
import type { Check } from '../doctor/checks.ts'
import { surroundings } from '../surroundings.ts'
import type { Evidence } from './evidence.ts'
import type { WalkedLog } from './log-walk.ts'
import { LogBroken, walkLog } from './log-walk.ts'

const { suite } = surroundings

/**
 * Verifies everything from the pin, without asking anybody: the log from genesis, revocations, policy documents, receipts and the gaps
 * between them, acks against the log. Does NOT know what was kept from whoever collected it, apart from what the gaps, acks and the
 * log's own references give away.
 * @param org The pin.
 * @param now Unix seconds.
 */
export function verifyEvidence(org: string, evidence: Evidence, now: number): readonly Check[] {
  const { check, log } = checkLog(org, evidence)
  if (!log) return [check, ...['revocations', 'policies', 'receipts', 'gaps', 'acks'].map((id) => skipped(id, 'the log does not verify'))]
  const { check: revocations, set } = checkRevocations(evidence, log)
  const { check: receipts, verified } = checkReceipts(evidence, log, now)
  return [check, revocations, checkPolicies(evidence, log), receipts, checkGaps(evidence, verified), checkAcks(evidence, log, set, now)]
}

const skipped = (id: string, detail: string): Check => ({ id, status: 'skipped', detail })
const ok = (id: string, detail: string): Check => ({ id, status: 'ok', detail })
const failed = (
  id: string,
  problems: readonly string[],
  fix = 'keep what you have as evidence, and ask the other administrators',
): Check => ({
  ...{ id, status: 'failed', fix },
  detail: problems.length > SHOWN ? `${problems.slice(0, SHOWN).join('; ')}; and ${problems.length - SHOWN} more` : problems.join('; '),
})
const SHOWN = 5
const many = (count: number, what: string) => `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`

function checkLog(org: string, { log }: Evidence): { check: Check; log?: WalkedLog } {
  try {
    const walked = walkLog(org, log)
    const { seq, at, halted } = walked.states.at(-1)!
    if (halted) {
      const detail = `statement ${halted.seq} and what follows cannot be read by this version: ${halted.reason}`
      return { check: { id: 'log', status: 'warning', detail, fix: 'verify it with a newer version' }, log: walked }
    }
    return { check: ok('log', `${many(seq + 1, 'statement')} from the pinned genesis, the last of ${utcText(at)}`), log: walked }
  } catch (error) {
    if (!(error instanceof LogBroken)) throw error
    return { check: failed('log', [`statement ${error.seq} does not verify: ${error.code}: ${error.message}`]) }
  }
}

function checkRevocations({ revocations }: Evidence, { states }: WalkedLog): { check: Check; set: RevocationSet } {
  let set = emptyRevocations()
  const problems: string[] = []
  for (const signed of revocations) {
    const next = takeUp(set, signed, states)
    if (next instanceof VerifyError) problems.push(`revocation ${revocationHash(signed.bytes)}: ${next.code}`)
    else set = next
  }
  for (const hash of missingFrom(set, states.at(-1)!)) problems.push(`revocation ${hash} is named by the log and missing`)
  if (problems.length > 0) return { check: failed('revocations', problems), set }
  const count =
    set.held.size === 0 ? 'none, and the log names none' : `${many(set.held.size, 'revocation')}, each signed by somebody entitled`
  return { check: ok('revocations', count), set }
}

/** It counts by the state of any time, the latest first: its signer may have left since. */
function takeUp(set: RevocationSet, signed: Signed, states: readonly State[]): RevocationSet | VerifyError {
  let refusal: VerifyError | undefined
  for (const state of [...states].reverse()) {
    try {
      return addRevocation(set, signed, state, suite)
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      refusal ??= error
    }
  }
  return refusal!
}

function checkPolicies({ policies }: Evidence, { entries }: WalkedLog): Check {
  const held = new Set(policies.map(({ bytes }) => policyDigest(bytes)))
  const wrong = policies
    .filter(({ sha256, bytes }) => policyDigest(bytes) !== sha256)
    .map(({ sha256 }) => `the document filed as ${sha256} is another one`)
  const named = new Set(entries.flatMap(({ policy }) => policy ?? []))
  const missing = [...named].filter((sha256) => !held.has(sha256)).map((sha256) => `the document of policy ${sha256} is missing`)
  if (wrong.length + missing.length > 0) return failed('policies', [...wrong, ...missing])
  const detail =
    named.size === 0 ? 'no policy was ever signed' : `the document of every signed policy is there (${named.size}) and has its digest`
  return ok('policies', detail)
}

/** Any key that the log ever named for it: what it signed while it was live stays evidence. */
export const everKnown =
  ({ keys }: State): KeyResolver =>
  (iss, kid, use) => {
    const known = keys.get(kid)
    return known?.atsign === iss && known.use === use ? known.key : undefined
  }

function checkReceipts(
  { receipts }: Evidence,
  { entries, states }: WalkedLog,
  now: number,
): { check: Check; verified: readonly Receipt[] } {
  const state = states.at(-1)!
  const context = { org: state.org, now, suite }
  const policies = new Set(entries.flatMap(({ policy }) => policy ?? []))
  const problems: string[] = []
  const verified = new Map<string, Receipt>()
  for (const [index, token] of receipts.entries()) {
    try {
      const receipt = verifyReceipt(token, everKnown(state), context)
      const { iss, epoch, rseq, pol, agent } = receipt
      const name = `receipt ${rseq} of ${iss}`
      const twin = verified.get(`${iss} ${epoch} ${rseq}`)
      if (twin && JSON.stringify(twin) !== JSON.stringify(receipt)) problems.push(`${name} exists twice, with different contents`)
      if (pol !== undefined && !policies.has(pol)) problems.push(`${name} names a policy that nobody signed`)
      if (!state.names.has(agent)) problems.push(`${name} names ${agent}, who was never enrolled`)
      verified.set(`${iss} ${epoch} ${rseq}`, receipt)
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      problems.push(`receipt at place ${index}: ${error.code}: ${error.message}`)
    }
  }
  const list = [...verified.values()]
  if (problems.length > 0) return { check: failed('receipts', problems), verified: list }
  return { check: ok('receipts', `${many(list.length, 'receipt')} signed by enrolled gateways`), verified: list }
}

/** Numbers that are missing within one run of one gateway. With all receipts they begin at 1. */
export function gapsIn(receipts: readonly Receipt[], fromFirst: boolean): readonly string[] {
  const runs = new Map<string, { gateway: string; numbers: number[] }>()
  for (const { iss, epoch, rseq } of receipts) {
    const run = runs.get(`${iss} ${epoch}`) ?? { gateway: iss, numbers: [] }
    run.numbers.push(rseq)
    runs.set(`${iss} ${epoch}`, run)
  }
  return [...runs.values()].flatMap(({ gateway, numbers }) => {
    const sorted = [...new Set(numbers)].sort((a, b) => a - b)
    return [...(fromFirst ? [0] : []), ...sorted].flatMap((number, i, all) => {
      const next = all[i + 1]
      if (next === undefined || next === number + 1) return []
      return [
        next === number + 2
          ? `receipt ${number + 1} of ${gateway} is missing`
          : `receipts ${number + 1}–${next - 1} of ${gateway} are missing`,
      ]
    })
  })
}

function checkGaps({ from, isComplete }: Evidence, receipts: readonly Receipt[]): Check {
  if (!isComplete) return skipped('gaps', 'only an administrator sees all receipts')
  const gaps = gapsIn(receipts, from === null)
  if (gaps.length === 0) return ok('gaps', 'the numbers of receipts have no gap: none was left out in the middle')
  const found = failed('gaps', gaps, 'ask those gateways: their journals have what they signed')
  if (from === null) return found
  return { ...found, status: 'warning', fix: 'without --since: calls that began before then may have these numbers' }
}

function checkAcks({ acks }: Evidence, { states }: WalkedLog, set: RevocationSet, now: number): Check {
  const state = states.at(-1)!
  const { count, digest } = revocationsDigest(set.held.keys(), suite)
  const problems: string[] = []
  let current = 0
  for (const token of acks) {
    try {
      const ack = verifyAck(token, everKnown(state), { org: state.org, now, suite })
      problems.push(...contradictionsOf(ack, states, count))
      if (ack.seq === state.seq && ack.revocations.digest === digest) current += 1
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      problems.push(`an ack: ${error.code}: ${error.message}`)
    }
  }
  if (problems.length > 0) return failed('acks', problems)
  return ok('acks', `${many(acks.length, 'gateway')} acknowledged this same log, ${current} all of it and of the revocations`)
}

/** What a gateway has applied is signed by it: a log that does not contain that is not the one it obeys. */
function contradictionsOf({ iss, seq, head, revocations }: Ack, states: readonly State[], count: number): readonly string[] {
  const there = states[seq]
  return [
    ...(there ? [] : [`${iss} has applied statement ${seq}, which is not in this log: somebody holds statements back`]),
    ...(there && there.head !== head ? [`${iss} has applied another statement ${seq}: there are two logs`] : []),
    ...(revocations.count > count ? [`${iss} has applied ${revocations.count} revocations, and only ${count} are here`] : []),
  ]
}
