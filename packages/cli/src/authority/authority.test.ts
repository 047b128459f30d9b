import type { StateDir } from '@postern/daemon'
import { openStateDir } from '@postern/daemon'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FakeControl } from '../../../../test/fixtures/fake-control.ts'
import type { Branch } from '../../../../test/fixtures/organisation.ts'
import { found, grow, revocation } from '../../../../test/fixtures/organisation.ts'
import { signKey } from '../../../../test/fixtures/people.ts'
import type { Home } from '../../../../test/fixtures/processes.ts'
import { openHome } from '../../../../test/fixtures/processes.ts'
import { readAuthority, syncAuthority } from './authority.ts'

let home: Home
let dir: StateDir
beforeEach(async () => {
  home = await openHome('cli-authority')
  dir = await openStateDir('person', '@ana', home.state)
})
afterEach(() => home[Symbol.asyncDispose]())

const sha = (letter: string) => `${letter.repeat(42)}A`
const withPolicy = (branch: Branch, letter: string) => grow(branch, 'policy.set', { sha256: sha(letter), name: 'main' })
const genesis = found()
const long = withPolicy(withPolicy(genesis, 'a'), 'b')
const sync = (branch: Branch, org = genesis.org) => syncAuthority(dir, org, new FakeControl(branch))

describe('the log of the control plane', () => {
  test('is replayed from the pinned organisation and kept', async () => {
    const { state, entries } = await sync(long)
    expect(state.seq).toBe(2)
    expect(entries).toHaveLength(3)
    expect((await readAuthority(dir, genesis.org))?.state.head).toBe(long.state.head)
  })

  test('may grow between two commands', async () => {
    await sync(genesis)
    expect((await sync(long)).entries).toHaveLength(3)
  })

  test('that is shorter than before ends the command with exit code 8, and keeps the evidence', async () => {
    await sync(long)
    await expect(sync(withPolicy(genesis, 'a'))).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK', exit: 'verification' })
    expect(await dir.read('evidence-rolled-back-2.json')).toBeDefined()
  })

  test('that shows another statement at a known place ends it and every later one', async () => {
    await sync(long)
    const other = withPolicy(withPolicy(genesis, 'a'), 'c')
    await expect(sync(other)).rejects.toMatchObject({ code: 'LOG_FORKED', exit: 'verification' })
    await expect(sync(long)).rejects.toMatchObject({ code: 'LOG_FORKED' })
  })

  test('of another organisation ends it', async () => {
    await expect(sync(found({ name: 'Evil' }))).rejects.toMatchObject({ code: 'WRONG_ORGANISATION', exit: 'verification' })
  })

  test('that says our organisation and serves another one’s genesis ends it', async () => {
    const liar = new FakeControl({ ...found({ name: 'Evil' }), org: genesis.org })
    await expect(syncAuthority(dir, genesis.org, liar)).rejects.toMatchObject({ code: 'LOG_REFUSED', exit: 'verification' })
  })

  test('with a statement that nobody entitled signed ends before it', async () => {
    const forged = [...genesis.entries, { bytes: long.entries[1]!.bytes, signatures: [] }]
    await expect(sync({ ...long, entries: forged })).rejects.toMatchObject({
      code: 'LOG_REFUSED',
      message: expect.stringContaining('statement 1'),
    })
    expect((await readAuthority(dir, genesis.org))?.state.seq).toBe(0)
  })

  test('that arrives after its time is applied, and a person is told', async () => {
    const late = grow(genesis, 'policy.set', { sha256: sha('a'), name: 'main' }, { nva: genesis.state.at + 61 })
    const { state, warnings } = await sync(late)
    expect(state.seq).toBe(1)
    expect(warnings).toEqual([expect.stringContaining('after the time in which edges take them up')])
  })

  test('is refused by disk as well: a stored log that was cut is found', async () => {
    await sync(long)
    const bytes = (await dir.read('log.jsonl'))!
    await dir.write('log.jsonl', bytes.subarray(0, bytes.indexOf(0x0a) + 1))
    await expect(sync(long)).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK' })
  })

  test('is read by commands that run at once, one after the other', async () => {
    const states = await Promise.all([sync(long), sync(long), sync(long)])
    expect(new Set(states.map(({ state }) => state.head))).toEqual(new Set([long.state.head]))
    expect((await readAuthority(dir, genesis.org))?.entries).toHaveLength(3)
  })
})

test('a revocation that nobody entitled signed is left out, and a person is told', async () => {
  const target = { kind: 'enrolment', id: sha('x') } as const
  const control = new FakeControl(long)
  control.revocations = [revocation(long, target), revocation(long, { ...target, id: sha('y') }, { by: [signKey('@mallory')] })]
  const { revocations, warnings } = await syncAuthority(dir, genesis.org, control)
  expect(revocations.held.size).toBe(1)
  expect(warnings.filter((warning) => warning.includes('NOT_ENTITLED'))).toHaveLength(1)
})
