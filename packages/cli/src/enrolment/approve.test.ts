import { comparisonWords, decodeBase64url, keyIdOf, parseStatement } from '@postern/core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createTestContext, openTestPerson } from '../../../../test/fixtures/cli-person.ts'
import { FakeControl } from '../../../../test/fixtures/fake-control.ts'
import type { Branch } from '../../../../test/fixtures/organisation.ts'
import { draft, found, grow } from '../../../../test/fixtures/organisation.ts'
import { requestOf, signKey, T0 } from '../../../../test/fixtures/people.ts'
import type { Home } from '../../../../test/fixtures/processes.ts'
import { openHome } from '../../../../test/fixtures/processes.ts'
import { syncAuthority } from '../authority/authority.ts'
import type { ApproveOptions } from './approve.ts'
import { approve, pickEnrolment } from './approve.ts'
import { listEnrolments } from './queue.ts'

let home: Home
beforeEach(async () => {
  home = await openHome('cli-approve')
})
afterEach(() => home[Symbol.asyncDispose]())

const far = T0 + 100 * 365 * 86_400
const wordsOf = (org: string, { request }: { request: string }) => comparisonWords(org, decodeBase64url(request)).join(' ')

type Made = ReturnType<typeof requestOf>
const queued = (made: Made, id = 'request-one', facts = {}) => ({ id, ...made, tags: [], facts, invited_by: '@ana', created: T0, exp: far })

/** What waits, as the approver sees it. */
async function setUp(
  made: readonly Made[],
  { branch = found(), as = '@ana', tags = [] as string[] }: { branch?: Branch; as?: string; tags?: string[] } = {},
) {
  const control = new FakeControl(branch)
  control.enrolments = made.map((one, i) => ({ ...queued(one, `request-${i}`), tags }))
  const person = await openTestPerson(home, branch.org, control, as)
  const { state } = await syncAuthority(person.dir, branch.org, control)
  return { control, person, waiting: await listEnrolments(control, state), branch }
}
const agent = (org: string, generation = 1, owner?: string) =>
  requestOf(org, 'agent', '@bot', { generation, exp: far, ...(owner ? { owner } : {}) })

describe('an enrolment', () => {
  test('is signed when the words of the other screen are given', async () => {
    const branch = found()
    const made = requestOf(branch.org, 'gateway', '@gw', { exp: far })
    const { control, person, waiting } = await setUp([made])
    const words = wordsOf(branch.org, made)
    const chosen = pickEnrolment(waiting, '@gw', words)
    expect(await approve(createTestContext(), person, chosen, { words })).toMatchObject({ status: 'appended', op: 'gateway.enroll' })
    expect(control.entries).toHaveLength(2)
  })

  test('is signed once more when somebody was faster, and lasts as long as was shown', async () => {
    const branch = found()
    const made = agent(branch.org)
    const { control, person, waiting } = await setUp([made])
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
    control.beforeAppend = () => {
      if (control.entries.length > 1) return
      control.entries.push(draft(branch, 'policy.set', { sha256: `${'p'.repeat(42)}A`, name: 'main' }))
      vi.setSystemTime(Date.now() + 5000)
    }
    try {
      const outcome = await approve(createTestContext(), person, waiting[0]!, { words: wordsOf(branch.org, made) })
      expect(outcome).toMatchObject({ status: 'appended', seq: 2 })
    } finally {
      vi.useRealTimers()
    }
  })

  test('is not signed by --yes alone: the queue is the control plane’s word', async () => {
    const branch = found()
    const { control, person, waiting } = await setUp([agent(branch.org)])
    await expect(approve(createTestContext({ yes: true }), person, waiting[0]!, {})).rejects.toMatchObject({ code: 'CONFIRM' })
    expect(control.entries).toHaveLength(1)
  })

  test('whose words are other ones ends with exit code 8, without saying which', async () => {
    const branch = found()
    const [mine, theirs] = [agent(branch.org, 1), agent(branch.org, 2)]
    const { waiting } = await setUp([theirs])
    const error = (() => {
      try {
        return pickEnrolment(waiting, '@bot', wordsOf(branch.org, mine))
      } catch (caught) {
        return caught as Error
      }
    })()
    expect(error).toMatchObject({ code: 'WORDS_DIFFER', exit: 'verification' })
    expect(JSON.stringify(error) + (error as Error).message).not.toContain(wordsOf(branch.org, theirs))
  })

  test('is found by its words among several that ask for the same name', async () => {
    const branch = found()
    const made = [agent(branch.org, 1), agent(branch.org, 2), agent(branch.org, 3)]
    const { waiting } = await setUp(made)
    expect(pickEnrolment(waiting, '@bot', wordsOf(branch.org, made[1]!)).id).toBe('request-1')
    expect(() => pickEnrolment(waiting, '@bot', undefined)).toThrow('could be 3 things')
  })

  test('whose keys prove nothing is not even shown', async () => {
    const branch = found()
    const forged = { ...agent(branch.org), proofs: agent(branch.org, 2).proofs }
    expect((await setUp([forged])).waiting).toEqual([])
  })

  test('gets no tag that the queue suggests unless somebody says so', async () => {
    const branch = found()
    const made = agent(branch.org)
    const words = wordsOf(branch.org, made)
    const { person, waiting, control } = await setUp([made], { tags: ['admin'] })
    await expect(approve(createTestContext(), person, waiting[0]!, { words })).rejects.toMatchObject({ code: 'USAGE' })
    await approve(createTestContext(), person, waiting[0]!, { words, tags: 'dev' })
    expect(parseStatement(control.entries[1]!.bytes)).toMatchObject({ body: { tags: ['dev'] } })
  })
})

describe('what is granted', () => {
  const granted = async (made: Made, options: ApproveOptions, more: { branch?: Branch; as?: string } = {}) => {
    const { person, waiting, control, branch } = await setUp([made], more)
    const words = wordsOf(branch.org, made)
    const outcome = await approve(createTestContext(), person, waiting[0]!, { words, ...options })
    return { outcome, body: parseStatement(control.entries.at(-1)!.bytes).body as Record<string, unknown> }
  }
  const days = (body: Record<string, unknown>) => Math.round(((body.exp as number) - Date.now() / 1000) / 86_400)

  test.each([
    ['gateway', '@gw', 180],
    ['agent', '@bot', 30],
    ['person', '@bob', 365],
  ] as const)('a %s gets a lease of its kind', async (kind, atsign, lease) => {
    const { body } = await granted(requestOf(found().org, kind, atsign, { exp: far }), {})
    expect(days(body)).toBe(lease)
  })

  test('a person may get a delegation, within their lease', async () => {
    const { body } = await granted(requestOf(found().org, 'person', '@bob', { exp: far }), {
      delegate: '2',
      tags: 'dev',
      servers: 'fs,crm',
      days: '10',
    })
    expect(body.delegation).toEqual({ agents: 2, tags: ['dev'], servers: ['crm', 'fs'], exp: body.exp })
    expect(days(body)).toBe(10)
  })

  test('a person may become an administrator; nothing else may', async () => {
    const { outcome } = await granted(requestOf(found().org, 'person', '@bob', { exp: far }), { admin: true })
    expect(outcome.op).toBe('admin.add')
    await expect(granted(agent(found().org), { admin: true })).rejects.toMatchObject({ code: 'USAGE' })
  })

  test('an agent acts for whom it asked, or for whom the administrator says', async () => {
    expect((await granted(agent(found().org, 1, '@ana'), {})).body.owner).toBe('@ana')
    expect((await granted(agent(found().org, 2), { owner: '@ana' })).body.owner).toBe('@ana')
    expect((await granted(agent(found().org, 3), {})).body.owner).toBeUndefined()
  })

  test('a person with a delegation enrols an agent of their own with their own key, and no longer than the delegation', async () => {
    const base = found()
    const end = Math.floor(Date.now() / 1000) + 5 * 86_400
    const bob = {
      ...requestOf(base.org, 'person', '@bob', { exp: far }),
      exp: end,
      tags: [],
      delegation: { agents: 1, tags: [], exp: end },
    }
    const branch = grow(base, 'person.enroll', bob)
    const { body } = await granted(agent(base.org), {}, { branch, as: '@bob' })
    expect(body).toMatchObject({ owner: '@bob', via: keyIdOf(signKey('@bob').publicKey), exp: end })
  })
})
