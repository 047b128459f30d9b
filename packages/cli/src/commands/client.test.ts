import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { runCli, runCliJson } from '../../../../test/fixtures/cli.ts'
import type { Home } from '../../../../test/fixtures/processes.ts'
import { openHome } from '../../../../test/fixtures/processes.ts'

const ORG = `${'A'.repeat(42)}E`
const JOIN = `https://console.example#${ORG}.F4KD-9TWP`
let home: Home
let file: string
beforeAll(async () => {
  home = await openHome('client')
  file = join(home.env.XDG_CONFIG_HOME!, 'Claude', 'claude_desktop_config.json')
})
afterAll(() => home[Symbol.asyncDispose]())
beforeEach(() => {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '{\n  "theme": "dark"\n}')
})
const text = () => readFileSync(file, 'utf8')
const add = (...more: string[]) => runCli(home, ['client', 'add', 'claude-desktop', 'fs', '--agent', '@ana-claude', ...more])

describe('client add', () => {
  test('shows the change and asks: nothing is done without an answer', async () => {
    const { code, stderr } = await add()
    expect(code).toBe(2)
    expect(stderr).toContain('+   "mcpServers": {')
    expect(stderr).toContain('fix: add --yes')
    expect(text()).toBe('{\n  "theme": "dark"\n}')
    expect(readdirSync(dirname(file))).toEqual(['claude_desktop_config.json'])
  })

  test('adds what the client starts, keeps a copy, and remove brings back every byte and no copy', async () => {
    const { code, stdout } = await add('--yes', '--json')
    expect(code).toBe(0)
    const { data } = JSON.parse(stdout)
    expect(JSON.parse(text()).mcpServers.fs).toMatchObject({
      command: process.execPath,
      args: [expect.stringContaining('main.ts'), 'connector', 'run', 'fs', '--agent', '@ana-claude'],
    })
    expect(readFileSync(data.backup, 'utf8')).toBe('{\n  "theme": "dark"\n}')
    const listed = await runCliJson<{ name: string; entries: object[] }[]>(home, ['client', 'list'])
    expect(listed.find(({ name }) => name === 'claude-desktop')!.entries).toEqual([{ name: 'fs', server: 'fs', agent: '@ana-claude' }])
    expect(await runCliJson(home, ['client', 'remove', 'claude-desktop', 'fs', '--yes'])).toMatchObject({ exact: true, backup: null })
    expect(text()).toBe('{\n  "theme": "dark"\n}')
    expect(existsSync(data.backup)).toBe(false)
  })

  test('a second time changes nothing', async () => {
    await add('--yes')
    const before = text()
    expect((await add('--yes')).stdout).toContain('has this entry already')
    expect(text()).toBe(before)
    await runCli(home, ['client', 'remove', 'claude-desktop', 'fs', '--yes'])
  })

  test('with a join string names the agent after its owner and passes the string on', async () => {
    const { code } = await runCli(home, ['client', 'add', 'cursor', 'fs', '--join', JOIN, '--owner', '@ana', '--yes'])
    expect(code).toBe(0)
    const cursor = join(home.path, '.cursor', 'mcp.json')
    const { args } = JSON.parse(readFileSync(cursor, 'utf8')).mcpServers.fs
    expect(args.slice(1)).toEqual(['connector', 'run', 'fs', '--agent', '@ana-cursor', '--join', JOIN, '--owner', '@ana'])
    await runCli(home, ['client', 'remove', 'cursor', 'fs', '--yes'])
    expect(existsSync(cursor)).toBe(false)
  })

  test('with a join string and nobody to name the agent after asks for a name', async () => {
    const { code, stderr } = await runCli(home, ['client', 'add', 'cursor', 'fs', '--join', JOIN, '--yes'])
    expect(code).toBe(2)
    expect(stderr).toContain('who shall the agent be?')
  })

  test.each([
    ['a client nobody knows', ['client', 'add', 'emacs', 'fs', '--agent', '@a'], 2, 'no client known here'],
    ['a server that is no name', ['client', 'add', 'vscode', 'FS!', '--agent', '@a'], 2, 'is not a server name'],
    ['a join string that is none', ['client', 'add', 'vscode', 'fs', '--join', 'nonsense'], 2, 'JOIN_STRING_INVALID'],
    [
      'the project file of a client that has none',
      ['client', 'add', 'claude-desktop', 'fs', '--agent', '@a', '--project'],
      2,
      'no file of its own',
    ],
    ['removing what is not there', ['client', 'remove', 'claude-desktop', 'nothing', '--yes'], 3, 'has no entry nothing'],
    ['verifying what is not there', ['client', 'verify', 'claude-desktop', 'nothing'], 3, 'has no entry nothing'],
  ])('refuses %s', async (_, args, exit, message) => {
    const { code, stderr } = await runCli(home, args)
    expect([code, stderr]).toEqual([exit, expect.stringContaining(message)])
  })
})

test('a file that is not JSON is left as it is, and the list says what is wrong with it', async () => {
  writeFileSync(file, '{ broken')
  const { code, stderr } = await add('--yes')
  expect(code).toBe(1)
  expect(stderr).toContain('ref: CLIENT_FILE_INVALID')
  expect(text()).toBe('{ broken')
  expect((await runCli(home, ['client', 'list'])).stdout).toContain('cannot be edited safely')
})

test('the project file is that of the directory, and a link is followed', async () => {
  const project = join(home.path, 'project')
  mkdirSync(join(project, '.vscode'), { recursive: true })
  writeFileSync(join(project, 'real.json'), '{\n\t// mine\n\t"servers": {},\n}\n')
  symlinkSync('../real.json', join(project, '.vscode', 'mcp.json'))
  const run = (...args: string[]) => runCli(home, ['client', ...args, '--project', '--yes'], { cwd: project })
  expect((await run('add', 'vscode', 'fs', '--agent', '@ana')).code).toBe(0)
  expect(readFileSync(join(project, 'real.json'), 'utf8')).toContain('\t// mine\n\t"servers": {\n\t\t"fs": {\n\t\t\t"type": "stdio",')
  expect((await run('remove', 'vscode', 'fs')).stdout).toContain('byte for byte')
  expect(readFileSync(join(project, 'real.json'), 'utf8')).toBe('{\n\t// mine\n\t"servers": {},\n}\n')
})
