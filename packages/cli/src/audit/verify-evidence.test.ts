import type { Signed } from '@postern/core'
import { policyDigest, utf8 } from '@postern/core'
import { describe, expect, test } from 'vitest'
import { ackOf, agent, endOfAgent, foundWithGateway, gateway, now, policyText, receiptOf } from '../../../../test/fixtures/evidence.ts'
import { draft, found, genesisOf, grow, revocation, signStatement } from '../../../../test/fixtures/organisation.ts'
import { signKey, T0 } from '../../../../test/fixtures/people.ts'
import type { Evidence } from './evidence.ts'
import { encodeEvidence, parseEvidence } from './evidence.ts'
import { headlineOf, walkLog } from './log-walk.ts'
import { gapsIn, verifyEvidence } from './verify-evidence.ts'

const branch = foundWithGateway()
const { org } = branch
const end = endOfAgent(branch)
const whole: Evidence = {
  log: branch.entries,
  revocations: [end.signed],
  policies: [{ sha256: policyDigest(policyText), bytes: policyText }],
  receipts: [
    receiptOf(branch, 3),
    receiptOf(branch, 2, { decision: 'deny', code: 'ARGUMENT_REFUSED', status: 'not_run' }),
    receiptOf(branch, 1),
  ],
  acks: [ackOf(branch, [end.hash])],
  from: null,
  to: now,
  isComplete: true,
}
const statuses = (change: Partial<Evidence>, pin = org) =>
  Object.fromEntries(verifyEvidence(pin, { ...whole, ...change }, now).map(({ id, status }) => [id, status]))
const detail = (id: string, change: Partial<Evidence>) =>
  verifyEvidence(org, { ...whole, ...change }, now).find((check) => check.id === id)!.detail
const good = { log: 'ok', revocations: 'ok', policies: 'ok', receipts: 'ok', gaps: 'ok', acks: 'ok' }

describe('what holds together', () => {
  test('is found good in every part', () => {
    expect(statuses({})).toEqual(good)
  })

  test('is still good after it was a file', () => {
    const read = parseEvidence(utf8(encodeEvidence(org, whole)), 'evidence.json')
    expect(read).toEqual({ ...whole, org })
    expect(statuses(read)).toEqual(good)
  })

  test('an organisation in which nothing has happened yet is good', () => {
    const young = found()
    expect(statuses({ log: young.entries, revocations: [], policies: [], receipts: [], acks: [] }, young.org)).toEqual(good)
  })

  test('a revocation by an administrator who has left since counts by the state of then', () => {
    const two = found({ admins: ['@ana', '@bob'] })
    const signed = revocation(two, { kind: 'grant', id: end.hash }, { by: [signKey('@bob')] })
    const alone = grow(two, 'admin.remove', { atsign: '@bob' as never })
    const [, revocations] = verifyEvidence(two.org, { ...whole, log: alone.entries, revocations: [signed] }, now)
    expect(revocations).toMatchObject({ id: 'revocations', status: 'ok' })
  })
})

describe('the log', () => {
  const rest = { revocations: 'skipped', policies: 'skipped', receipts: 'skipped', gaps: 'skipped', acks: 'skipped' }

  test('of another organisation fails, and nothing in it is looked at', () => {
    expect(statuses({}, found({ name: 'Other' }).org)).toEqual({ log: 'failed', ...rest })
  })

  test('with a statement that nobody entitled signed fails, and names the statement', () => {
    const forged = draft(branch, 'release', { target: { kind: 'grant', id: end.hash } }, { by: [signKey('@mallory')] })
    expect(statuses({ log: [...branch.entries, forged] })).toEqual({ log: 'failed', ...rest })
    expect(detail('log', { log: [...branch.entries, forged] })).toContain('statement 4 does not verify: THRESHOLD_NOT_MET')
  })

  test('with one byte changed fails', () => {
    const change = ({ bytes, signatures }: Signed): Signed => ({
      bytes: utf8(new TextDecoder().decode(bytes).replace('main', 'mail')),
      signatures,
    })
    expect(statuses({ log: branch.entries.map((entry, i) => (i === 3 ? change(entry) : entry)) }).log).toBe('failed')
  })

  test('with a statement left out fails', () => {
    expect(statuses({ log: branch.entries.filter((_, i) => i !== 2) }).log).toBe('failed')
  })

  test('that is empty fails', () => {
    expect(statuses({ log: [] }).log).toBe('failed')
  })
})

describe('revocations', () => {
  test('by somebody who may not revoke fail', () => {
    const forged = revocation(branch, { kind: 'grant', id: end.hash }, { by: [signKey('@mallory')] })
    expect(statuses({ revocations: [end.signed, forged] })).toMatchObject({ log: 'ok', revocations: 'failed' })
    expect(detail('revocations', { revocations: [forged] })).toContain('NOT_ENTITLED')
  })

  test('that the log names and that are missing fail', () => {
    const { entries } = grow(branch, 'release', { target: { kind: 'grant', id: end.hash } }, { rev: [end.hash] })
    expect(statuses({ log: entries }).revocations).toBe('ok')
    expect(statuses({ log: entries, revocations: [] }).revocations).toBe('failed')
  })
})

describe('policies', () => {
  test('a document that is missing fails', () => {
    expect(statuses({ policies: [] })).toEqual({ ...good, policies: 'failed' })
  })

  test('another document under the signed digest fails', () => {
    expect(statuses({ policies: [{ sha256: policyDigest(policyText), bytes: utf8('{"v":1,"name":"other","rules":[]}') }] }).policies).toBe(
      'failed',
    )
  })
})

describe('receipts', () => {
  test.each([
    ['signed by another key', receiptOf(branch, 4, {}, '@gw-other'), 'BAD_SIGNATURE'],
    ['from the future', receiptOf(branch, 4, { t1: now + 500 }), 'NOT_YET_VALID'],
    ['under a policy that nobody signed', receiptOf(branch, 4, { pol: end.hash }), 'a policy that nobody signed'],
    ['about an agent that was never enrolled', receiptOf(branch, 4, { agent: '@ghost' as never }), 'never enrolled'],
    ['that tells another story under a number that is taken', receiptOf(branch, 3, { code: 'CHANGED' }), 'exists twice'],
  ])('one %s fails', (_, token, why) => {
    expect(statuses({ receipts: [...whole.receipts, token] })).toMatchObject({ receipts: 'failed', acks: 'ok' })
    expect(detail('receipts', { receipts: [...whole.receipts, token] })).toContain(why)
  })

  test('the same one twice is no contradiction', () => {
    expect(statuses({ receipts: [...whole.receipts, whole.receipts[0]!] })).toEqual(good)
  })

  test('one by a gateway that was revoked since is still evidence', () => {
    const gone = revocation(branch, { kind: 'enrolment', id: branch.state.identities.get(gateway)!.enrolment })
    expect(statuses({ revocations: [end.signed, gone] }).receipts).toBe('ok')
  })
})

describe('gaps', () => {
  test('one left out in the middle, or at the beginning, is found', () => {
    expect(statuses({ receipts: [receiptOf(branch, 1), receiptOf(branch, 3)] })).toEqual({ ...good, gaps: 'failed' })
    expect(detail('gaps', { receipts: [receiptOf(branch, 5)] })).toBe(`receipts 1–4 of ${gateway} are missing`)
  })

  test('where only a part of the time was asked for, a gap is a warning and the first number may be any', () => {
    expect(statuses({ from: T0, receipts: [receiptOf(branch, 7)] }).gaps).toBe('ok')
    expect(statuses({ from: T0, receipts: [receiptOf(branch, 7), receiptOf(branch, 9)] }).gaps).toBe('warning')
  })

  test('whoever does not see all receipts does not judge them', () => {
    expect(statuses({ isComplete: false, receipts: [receiptOf(branch, 3)] }).gaps).toBe('skipped')
  })

  test('each run of a gateway counts from 1', () => {
    const run = (epoch: string, rseq: number) => ({ iss: gateway, epoch, rseq }) as never
    expect(gapsIn([run('a', 1), run('a', 2), run('b', 1)], true)).toEqual([])
    expect(gapsIn([run('a', 2), run('b', 1)], true)).toEqual([`receipt 1 of ${gateway} is missing`])
  })
})

describe('acks', () => {
  const shorter = branch.entries.slice(0, 3)

  test('of a statement that is not in the log show that somebody holds statements back', () => {
    expect(statuses({ log: shorter, policies: [], receipts: [] })).toEqual({ ...good, acks: 'failed' })
    expect(detail('acks', { log: shorter })).toContain('holds statements back')
  })

  test('of another statement in the same place show that there are two logs', () => {
    expect(detail('acks', { acks: [ackOf(branch, [end.hash], { head: end.hash })] })).toContain('two logs')
  })

  test('of more revocations than are here show that one is held back', () => {
    expect(statuses({ revocations: [] })).toEqual({ ...good, acks: 'failed' })
  })

  test('under another key fail', () => {
    expect(statuses({ acks: [ackOf(branch, [], {}, '@gw-other')] }).acks).toBe('failed')
  })

  test('of a gateway that is behind are no contradiction', () => {
    const behind = foundWithGateway()
    expect(statuses({ acks: [ackOf({ ...behind, state: walkLog(org, behind.entries).states[1]! })] }).acks).toBe('ok')
  })
})

describe('a walk along the log', () => {
  test('says of each statement what it does and whose signatures counted, not whose are merely there', () => {
    const [, enrolled] = branch.entries
    const busy = [branch.entries[0]!, signStatement(enrolled!.bytes, [signKey('@ana'), signKey('@mallory')])]
    const { entries } = walkLog(org, busy)
    expect(entries.map(({ op, signedBy }) => [op, signedBy])).toEqual([
      ['genesis', ['@ana', 'recovery']],
      ['gateway.enroll', ['@ana']],
    ])
    expect(entries.map(headlineOf)).toEqual([
      'This founds the organisation "Acme".',
      `${gateway} becomes a gateway: it issues grants and enforces the policy for the servers pinned to it.`,
    ])
  })

  test('refuses genesis of another organisation at statement 0', () => {
    expect(() => walkLog(org, [genesisOf({ name: 'Other' })])).toThrow(expect.objectContaining({ seq: 0, code: 'WRONG_ORG' }))
  })
})

describe('a file', () => {
  const text = encodeEvidence(org, whole)
  test.each([
    ['cut short', text.slice(0, -20)],
    ['with a field that nobody knows', text.replace('"v":1', '"v":1,"extra":true')],
    ['of a later version', text.replace('"v":1', '"v":2')],
    ['with a name twice', text.replace('"v":1', '"v":1,"v":1')],
    ['with an agent’s name where receipts belong', text.replace(/"receipts":\[/, `"receipts":[7,"${agent}",`)],
  ])('%s is refused with exit code 8', (_, damaged) => {
    expect(() => parseEvidence(utf8(damaged), 'evidence.json')).toThrow(
      expect.objectContaining({ code: 'VERIFICATION_FAILED', exit: 'verification' }),
    )
  })
})
