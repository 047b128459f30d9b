// Commands that ask nobody: as scripts run them, with pipes for a terminal.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli, runCliJson } from '../../../../test/fixtures/cli.ts'
import { draft, found, grow } from '../../../../test/fixtures/organisation.ts'
import { requestOf, signKey, T0 } from '../../../../test/fixtures/people.ts'
import type { Home } from '../../../../test/fixtures/processes.ts'
import { openHome, root, scripts } from '../../../../test/fixtures/processes.ts'
import { encodeEvidence } from '../audit/evidence.ts'

let home: Home
beforeAll(async () => {
  home = await openHome('offline')
})
afterAll(() => home[Symbol.asyncDispose]())
const cli = (...args: string[]) => runCli(home, args)

describe('client print', () => {
  test('prints on stdout what can be pasted, and nothing else', async () => {
    const { code, stdout, stderr } = await cli('client', 'print', 'vscode', 'fs', '--agent', '@ana-claude')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const args = [join(root, scripts.cli), 'connector', 'run', 'fs', '--agent', '@ana-claude']
    const env = { XDG_STATE_HOME: home.env.XDG_STATE_HOME }
    expect(stdout).toBe(`${JSON.stringify({ servers: { fs: { type: 'stdio', command: process.execPath, args, env } } }, null, 2)}\n`)
  })

  test('warns of a client that splits arguments at spaces', async () => {
    const { code, stderr } = await runCli(home, ['client', 'print', 'cursor', 'fs', '--agent', '@a'])
    expect(code).toBe(0)
    expect(stderr.includes('splits arguments at spaces')).toBe(/\s/.test(root + process.execPath))
  })

  test.each([
    ['of a client that nobody knows', ['emacs', 'fs', '--agent', '@a'], 2],
    ['of something that is no server', ['codex', 'F S', '--agent', '@a'], 2],
    ['without an agent on this machine', ['codex', 'fs'], 3],
  ])('%s ends with exit code', async (_, args, code) => {
    expect(await cli('client', 'print', ...args)).toMatchObject({ code, stdout: '' })
  })
})

describe('server', () => {
  const at = ['--gateway', '@gw-a']

  test('add, list and remove keep the gateway’s file, and show no value of a variable', async () => {
    const entry = ['--cwd', '/srv', '--env', 'B,A', '--set', 'TOKEN=s3cret', '--', 'npx', '-y', 'a b']
    const added = JSON.parse((await cli('--json', 'server', 'add', 'fs', ...at, ...entry)).stdout).data
    const path = join(home.config, 'gateway', '@gw-a.toml')
    expect(added).toEqual({
      gateway: '@gw-a',
      name: 'fs',
      command: 'npx',
      args: ['-y', 'a b'],
      cwd: '/srv',
      env: ['A', 'B'],
      set: ['TOKEN'],
      path,
      running: false,
    })
    expect(await cli('server', 'list', ...at)).toEqual({ code: 0, stdout: 'fs\t["npx","-y","a b"]\t/srv\tA,B,TOKEN\n', stderr: '' })
    expect((await cli('server', 'remove', 'fs', ...at)).code).toBe(0)
    expect(await cli('server', 'list', ...at)).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test('a name that is taken is a conflict unless it is to be replaced', async () => {
    const command = ['server', 'add', 'mail', ...at, '--', 'mail-server']
    expect((await cli(...command)).code).toBe(0)
    expect((await cli(...command)).code).toBe(9)
    expect((await cli('server', 'add', 'mail', '--replace', ...at, '--', 'other')).code).toBe(0)
    expect(await runCliJson(home, ['server', 'list', ...at])).toMatchObject([{ name: 'mail', command: 'other' }])
  })

  test.each([
    ['a name that no statement could carry', ['add', 'F S', ...at, '--', 'x'], 2],
    ['a variable without a value', ['add', 'x', ...at, '--set', 'NAME', '--', 'x'], 2],
    ['a server that is not there', ['remove', 'gone', ...at], 3],
    ['no gateway on this machine', ['list'], 3],
  ])('%s ends with exit code', async (_, args, code) => {
    expect((await cli('server', ...args)).code).toBe(code)
  })
})

describe('audit verify of a file', () => {
  const founded = found()
  const branch = grow(founded, 'gateway.enroll', { ...requestOf(founded.org, 'gateway', '@gw'), exp: T0 + 1_000_000, tags: [] })
  const evidence = { log: branch.entries, revocations: [], policies: [], receipts: [], acks: [], from: null, to: T0 + 60, isComplete: true }
  const forged = draft(branch, 'admin.remove', { atsign: '@ana' as never }, { by: [signKey('@mallory')] })

  const verify = async (text: string, ...args: string[]) => {
    const path = join(home.path, 'evidence.json')
    await writeFile(path, text)
    return cli('audit', 'verify', path, ...args)
  }

  test('succeeds by the pin alone: no profile, no network', async () => {
    const { code, stdout, stderr } = await verify(encodeEvidence(branch.org, evidence), '--org', branch.org)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(
      [
        '✓ log          2 statements from the pinned genesis, the last of 2026-11-20 08:01 UTC',
        '✓ revocations  none, and the log names none',
        '✓ policies     no policy was ever signed',
        '✓ receipts     0 receipts signed by enrolled gateways',
        '✓ gaps         the numbers of receipts have no gap: none was left out in the middle',
        '✓ acks         0 gateways acknowledged this same log, 0 all of it and of the revocations',
        'Verification succeeded. Covers genesis → 2026-11-20T08:01:00Z.',
        '',
      ].join('\n'),
    )
  })

  test('fails with exit code 8 when a statement in it is forged', async () => {
    const { code, stdout } = await verify(
      encodeEvidence(branch.org, { ...evidence, log: [...branch.entries, forged] }),
      '--org',
      branch.org,
      '--json',
    )
    expect(code).toBe(8)
    expect(JSON.parse(stdout).data).toMatchObject({
      verified: false,
      checks: [{ id: 'log', status: 'failed' }, ...Array(5).fill({ status: 'skipped' })],
    })
  })

  test('of another organisation ends with exit code 8, also when the file lies about whose it is', async () => {
    const other = found({ name: 'Other' }).org
    expect((await verify(encodeEvidence(branch.org, evidence), '--org', other)).stderr).toContain('WRONG_ORGANISATION')
    expect((await verify(encodeEvidence(other, evidence), '--org', other)).code).toBe(8)
  })

  test('that is no such file ends with exit code 8, that is not there with 3, without a pin with 2', async () => {
    expect((await verify('{"schema":"postern.audit"}', '--org', branch.org)).code).toBe(8)
    expect((await cli('audit', 'verify', join(home.path, 'gone.json'), '--org', branch.org)).code).toBe(3)
    expect((await verify(encodeEvidence(branch.org, evidence))).code).toBe(2)
  })
})

test('grant list on a machine without agents is empty, and nobody can ask for one', async () => {
  expect(await runCliJson(home, ['grant', 'list'])).toEqual([])
  expect((await cli('grant', 'request', 'fs.read')).code).toBe(3)
})
