import { policyDigest } from '@postern/core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ackOf, agent, foundWithGateway, gateway, now, policyText, receiptOf } from '../../../../test/fixtures/evidence.ts'
import type { ToldControl } from '../../../../test/fixtures/told-control.ts'
import { openToldControl, openToldPerson } from '../../../../test/fixtures/told-control.ts'
import type { Context } from '../context.ts'
import type { SignedIn } from '../profile/person.ts'
import { collectEvidence } from './collect.ts'
import { showReceipts, showStatements } from './show.ts'
import { verifyEvidence } from './verify-evidence.ts'

const branch = foundWithGateway()
const warned: string[] = []
const context = { warn: (line: string) => void warned.push(line) } as unknown as Context

let control: ToldControl
let told: Awaited<ReturnType<typeof openToldPerson>>
let person: SignedIn
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: now * 1000 })
  warned.length = 0
  control = await openToldControl(branch)
  told = await openToldPerson(control, branch)
  person = told as unknown as SignedIn
})
afterEach(async () => {
  await told[Symbol.asyncDispose]()
  await control[Symbol.asyncDispose]()
  vi.useRealTimers()
})

const query = (): URLSearchParams => new URLSearchParams(control.asked.findLast((line) => line.includes('/receipts?'))?.split('?')[1])

describe('receipts', () => {
  test('are shown as the gateway signed them, each verified here', async () => {
    control.told.receipts = [receiptOf(branch, 2, { decision: 'deny', code: 'ARGUMENT_REFUSED', status: 'not_run' }), receiptOf(branch, 1)]
    const report = await showReceipts(context, person, { limit: '50' })
    expect(report).toMatchObject({ schema: 'audit.show.receipts', exit: 'done' })
    expect(report.data).toMatchObject([
      { verified: true, agent, decision: 'deny', code: 'ARGUMENT_REFUSED', rseq: 2 },
      { verified: true, agent, decision: 'allow', code: 'OK', rseq: 1, key_live: true },
    ])
    expect(warned).toEqual([])
  })

  test('one that the gateway did not sign is shown as that, without its contents, and ends with exit code 8', async () => {
    control.told.receipts = [receiptOf(branch, 1, {}, '@mallory')]
    const report = await showReceipts(context, person, { limit: '50' })
    expect(report.exit).toBe('verification')
    expect(report.data).toMatchObject([{ verified: false, problem: expect.stringContaining('BAD_SIGNATURE') }])
    expect(JSON.stringify(report.data)).not.toContain('read_text_file')
  })

  test('a number that is missing on the page is said', async () => {
    control.told.receipts = [receiptOf(branch, 4), receiptOf(branch, 1)]
    await showReceipts(context, person, { limit: '50' })
    expect(warned).toEqual([`receipts 2–3 of ${gateway} are missing here; postern audit verify looks everywhere`])
  })

  test('with a filter the numbers say nothing, and the filter reaches the control plane', async () => {
    control.told.receipts = [receiptOf(branch, 4), receiptOf(branch, 1)]
    await showReceipts(context, person, { limit: '7', agent, tool: 'fs.read_text_file', decision: 'allow', since: '1h', cursor: '9' })
    expect(warned).toEqual([])
    const asked = { limit: '7', agent, server: 'fs', tool: 'read_text_file', decision: 'allow', from: String(now - 3600), cursor: '9' }
    expect(Object.fromEntries(query())).toEqual(asked)
  })
})

describe('statements', () => {
  test('are shown newest first with what they do and who signed', async () => {
    const report = await showStatements(context, person, { limit: '2' })
    expect(report.next).toBe('2')
    expect(report.data).toMatchObject([
      { seq: 3, op: 'policy.set', signed_by: ['@ana'], policy: policyDigest(policyText) },
      { seq: 2, op: 'agent.enroll', headline: `${agent} becomes an agent: it may ask for grants under the policy.` },
    ])
    const older = await showStatements(context, person, { limit: '2', cursor: report.next })
    expect(older.next).toBeUndefined()
    expect(older.data).toMatchObject([{ seq: 1 }, { seq: 0, signed_by: ['@ana', 'recovery'] }])
  })
})

describe('what is collected for verification', () => {
  test('holds together when the control plane gives all of it', async () => {
    control.told.receipts = [receiptOf(branch, 1)]
    control.told.acks = [ackOf(branch)]
    control.told.policies = { [policyDigest(policyText)]: policyText }
    const evidence = await collectEvidence(person)
    expect(evidence).toMatchObject({ from: null, isComplete: true })
    expect(verifyEvidence(branch.org, evidence, now).map(({ status }) => status)).toEqual(Array(6).fill('ok'))
  })

  test('names a policy whose document the control plane does not give', async () => {
    const evidence = await collectEvidence(person)
    expect(verifyEvidence(branch.org, evidence, now).find(({ status }) => status === 'failed')).toMatchObject({ id: 'policies' })
  })

  test('begins with genesis, however long ago that is, unless told otherwise', async () => {
    vi.setSystemTime((now + 70 * 86_400) * 1000)
    await collectEvidence(person)
    expect(control.asked.filter((line) => line.includes('/receipts?'))).toHaveLength(3)
    await collectEvidence(person, now + 69 * 86_400)
    expect(query().get('from')).toBe(String(now + 69 * 86_400))
  })
})
