import { parseStatement } from '@postern/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestContext, openTestPerson } from '../../../../test/fixtures/cli-person.ts'
import { FakeControl } from '../../../../test/fixtures/fake-control.ts'
import type { Branch } from '../../../../test/fixtures/organisation.ts'
import { draft, found, revocation } from '../../../../test/fixtures/organisation.ts'
import { requestOf, signKey } from '../../../../test/fixtures/people.ts'
import type { Home } from '../../../../test/fixtures/processes.ts'
import { openHome } from '../../../../test/fixtures/processes.ts'
import { signStatement } from './statement.ts'

let home: Home
beforeEach(async () => {
  home = await openHome('cli-statement')
})
afterEach(() => home[Symbol.asyncDispose]())

const sha = (letter: string) => `${letter.repeat(42)}A`
const policySet = (letter = 'a') => ({ op: 'policy.set', body: () => ({ sha256: sha(letter), name: 'main' }) }) as const
const two = { root: { m: 2 }, sensitive: { m: 2 }, routine: { m: 1 } }

async function setUp(branch: Branch = found(), as = '@ana') {
  const control = new FakeControl(branch)
  return { control, person: await openTestPerson(home, branch.org, control, as) }
}

describe('a statement', () => {
  test('is shown in words, asked about, signed and handed in', async () => {
    const { control, person } = await setUp()
    const context = createTestContext({ answer: true })
    const outcome = await signStatement(context, person, policySet())
    expect(outcome).toMatchObject({ status: 'appended', op: 'policy.set', seq: 1 })
    expect(context.said.join('\n')).toContain(`The policy "main" with SHA-256 ${sha('a')}`)
    expect(context.questions).toEqual(['Sign this?'])
    expect(control.entries[1]!.signatures).toHaveLength(1)
  })

  test('that the person declines is not signed', async () => {
    const { control, person } = await setUp()
    await expect(signStatement(createTestContext({ answer: false }), person, policySet())).rejects.toMatchObject({ code: 'DECLINED' })
    expect(control.asked).not.toContain('POST /api/v1/log')
  })

  test('is not signed when there is nobody to ask and nothing was confirmed', async () => {
    const { person } = await setUp()
    await expect(signStatement(createTestContext(), person, policySet())).rejects.toMatchObject({ code: 'CONFIRM', exit: 'usage' })
  })

  test('names the revocations that the chain does not name yet', async () => {
    const branch = found()
    const { control, person } = await setUp(branch)
    control.revocations = [revocation(branch, { kind: 'grant', id: sha('g') })]
    await signStatement(createTestContext({ yes: true }), person, policySet())
    expect(parseStatement(control.entries[1]!.bytes)).toMatchObject({ rev: [expect.any(String)] })
  })

  test('is drafted again when somebody was faster, without a second question, if it means the same', async () => {
    const branch = found()
    const { control, person } = await setUp(branch)
    const context = createTestContext({ answer: true })
    control.beforeAppend = () => {
      if (control.entries.length === 1)
        control.entries.push(
          draft(branch, 'signer.set', {
            signer: { origins: ['https://s.example'], rp_id: 's.example' },
            console: { origins: ['https://c.example'] },
          }),
        )
    }
    expect(await signStatement(context, person, policySet())).toMatchObject({ seq: 2 })
    expect(context.questions).toHaveLength(1)
    expect(control.entries).toHaveLength(3)
  })

  test('that would mean something else by now is a conflict', async () => {
    const branch = found()
    const { control, person } = await setUp(branch)
    control.beforeAppend = () => {
      if (control.entries.length === 1) control.entries.push(draft(branch, 'policy.set', { sha256: sha('z'), name: 'other' }))
    }
    const context = createTestContext({ yes: true })
    await expect(signStatement(context, person, policySet())).rejects.toMatchObject({ code: 'CONFLICT', exit: 'conflict' })
    expect(control.entries).toHaveLength(2)
  })

  test('that core refuses is refused before anybody is asked', async () => {
    const branch = found()
    const { person } = await setUp(branch)
    const context = createTestContext({ yes: true })
    const body = { ...requestOf(branch.org, 'gateway', '@ana'), exp: branch.state.at + 1e9, tags: [] }
    await expect(signStatement(context, person, { op: 'gateway.enroll', body: () => body })).rejects.toMatchObject({
      code: 'KIND_CHANGED',
      exit: 'conflict',
    })
    expect(context.questions).toEqual([])
  })

  test('by somebody whose signature does not count is not handed in', async () => {
    const { control, person } = await setUp(found(), '@bob')
    await expect(signStatement(createTestContext({ yes: true }), person, policySet())).rejects.toMatchObject({
      code: 'NOT_PERMITTED',
      exit: 'notPermitted',
    })
    expect(control.asked).not.toContain('POST /api/v1/log')
  })

  test('that wants more signatures waits for them, and says how others sign', async () => {
    const { control, person } = await setUp(found({ admins: ['@ana', '@bob'], thresholds: two }))
    const context = createTestContext({ yes: true })
    const outcome = await signStatement(context, person, policySet())
    expect(outcome).toMatchObject({ status: 'waiting', signed: 1, needed: 2, request: 'request0' })
    expect(context.said.join('\n')).toContain(`postern sign ${outcome.hash}`)
    expect(control.entries).toHaveLength(1)
  })

  test('that a changed log no longer allows is not signed', async () => {
    const branch = found({ admins: ['@ana', '@bob'] })
    const { control, person } = await setUp(branch)
    control.beforeAppend = () => {
      if (control.entries.length === 1)
        control.entries.push(draft(branch, 'admin.remove', { atsign: '@ana' as never }, { by: [signKey('@bob')] }))
    }
    await expect(signStatement(createTestContext({ yes: true }), person, policySet())).rejects.toMatchObject({ code: 'NOT_PERMITTED' })
  })
})
