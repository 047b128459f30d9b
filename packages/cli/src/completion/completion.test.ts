import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli } from '../../../../test/fixtures/cli.ts'
import type { Home } from '../../../../test/fixtures/processes.ts'
import { openHome, root, scripts } from '../../../../test/fixtures/processes.ts'
import { CONSOLE_PAGES } from '../console-pages.ts'
import { NOUNS } from '../nouns.ts'
import { createProgram } from '../program.ts'
import { complete } from './complete.ts'
import { SCRIPTS } from './scripts.ts'

let home: Home
beforeAll(async () => {
  home = await openHome('completion')
  for (const agent of ['@ana-claude', '@bot']) mkdirSync(join(home.state, 'agent', agent), { recursive: true, mode: 0o700 })
})
afterAll(() => home[Symbol.asyncDispose]())
const values = async (...typed: string[]) => (await complete(createProgram(), typed, home.env)).map(({ value }) => value)

describe('what comes next', () => {
  test('at the beginning is every command, with what it does', async () => {
    expect(await values('')).toEqual(NOUNS.map(({ name }) => name))
    expect(await complete(createProgram(), ['compl'], home.env)).toEqual([
      { value: 'completion', about: 'completes commands and live names in bash, zsh, fish and pwsh' },
    ])
  })

  test.each([
    [['gateway', 'su'], ['suspend']],
    [
      ['client', ''],
      ['list', 'add', 'remove', 'verify', 'print'],
    ],
    [
      ['client', 'add', 'c'],
      ['claude-desktop', 'claude-code', 'cursor', 'codex'],
    ],
    [['client', 'add', 'cursor', ''], []],
    [['completion', ''], Object.keys(SCRIPTS)],
    [
      ['code', 'new', ''],
      ['gateway', 'agent', 'person'],
    ],
    [['open', 'fl'], ['fleet']],
    [
      ['connector', 'run', 'fs', '--agent', '@'],
      ['@ana-claude', '@bot'],
    ],
    [
      ['--color', 'a'],
      ['auto', 'always'],
    ],
    [['client', 'add', 'cursor', 'fs', '--jo'], ['--join']],
    [['--json', 'client', 'add', 'v'], ['vscode']],
    [['nothing', ''], []],
    [['agent', 'nothing', ''], []],
    [['agent', 'show', ''], []],
  ])('of %j is %j', async (typed, expected) => {
    expect(await values(...typed)).toEqual(expected)
  })

  test('every option of every command is among those offered for it', async () => {
    for (const noun of NOUNS) {
      const program = createProgram()
      ;(await noun.load()).register(program)
      const command = program.commands.find((one) => one.name() === noun.name)!
      for (const verb of [command, ...command.commands]) {
        const path = verb === command ? [noun.name] : [noun.name, verb.name()]
        expect(await values(...path, '--')).toEqual(expect.arrayContaining(verb.options.map(({ long }) => long)))
      }
    }
  })
})

describe('a shell that asks', () => {
  test('gets lines with a tab, silence for what is unknown, and exit code 0', async () => {
    expect(await runCli(home, ['__complete', 'sig'])).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^signer\t.+\nsign\t.+\n|^sign\t.+\nsigner\t.+\n/),
      stderr: '',
    })
    expect(await runCli(home, ['__complete', 'gateway', 'show', '@'])).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await runCli(home, ['__complete'])).toMatchObject({ code: 0, stderr: '' })
  })

  test.skipIf(!existsSync('/bin/bash'))('bash completes through the script, atSigns included', async () => {
    const bin = join(home.path, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'postern'), `#!/bin/sh\nexec '${process.execPath}' '${join(root, scripts.cli)}' "$@"\n`, { mode: 0o755 })
    const ask = (line: readonly string[]) =>
      new Promise<string[]>((resolve, reject) => {
        const words = line.map((word) => `'${word}'`).join(' ')
        const script = `eval "$(postern completion bash)"; COMP_WORDS=(${words}); COMP_CWORD=${line.length - 1}; _postern; printf '%s\\n' "\${COMPREPLY[@]}"`
        const env = { ...home.env, PATH: `${bin}:${home.env.PATH}` } as never
        execFile('/bin/bash', ['--norc', '-c', script], { env }, (error, stdout) =>
          error ? reject(error) : resolve(stdout.split('\n').filter(Boolean)),
        )
      })
    expect(await ask(['postern', 'cli'])).toEqual(['client'])
    expect(await ask(['postern', 'call', 'fs.read', '--agent', '@b'])).toEqual(['@bot'])
  })

  test('offline says nothing, and leaves nothing behind', async () => {
    expect((await runCli(home, ['__complete', 'agent', 'suspend', ''])).stdout).toBe('')
    expect(
      existsSync(join(home.path, '.cache', 'postern', 'completion')) ? readdirSync(join(home.path, '.cache', 'postern', 'completion')) : [],
    ).toEqual([])
  })
})

test.each(Object.entries(SCRIPTS))('the %s script asks for every word, and says where to put it', async (shell, script) => {
  expect(script).toContain('postern __complete')
  expect(script).toContain(`postern completion ${shell}`)
  expect((await runCli(home, ['completion', shell])).stdout).toBe(script)
})

test.each(CONSOLE_PAGES)('the page %s that can be opened is there', (page) => {
  expect(existsSync(join(root, 'app/(console)', page, 'page.tsx'))).toBe(true)
})

test('a shell that is not known is wrong usage', async () => {
  expect(await runCli(home, ['completion', 'cmd'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('known: bash, zsh, fish, pwsh'),
  })
})
