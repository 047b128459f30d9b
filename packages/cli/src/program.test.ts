import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli } from '../../../test/fixtures/cli.ts'
import type { Home } from '../../../test/fixtures/processes.ts'
import { openHome } from '../../../test/fixtures/processes.ts'
import { GROUPS, NOUNS } from './nouns.ts'
import { createProgram, overview } from './program.ts'

let home: Home
beforeAll(async () => {
  home = await openHome('cli')
})
afterAll(() => home[Symbol.asyncDispose]())

const helpOf = (command: Command): string[] => [command.helpInformation(), ...command.commands.flatMap(helpOf)]

describe('help', () => {
  test('the overview is what it was', () => {
    expect(overview(createProgram())).toMatchSnapshot()
  })

  test.each(NOUNS.map((noun) => [noun.name, noun] as const))('of postern %s is what it was', async (name, noun) => {
    const program = createProgram()
    ;(await noun.load()).register(program)
    const command = program.commands.find((one) => one.name() === name)!
    expect(command.commands.map((verb) => verb.name())).toEqual(noun.verbs)
    expect(helpOf(command).join('\n')).toMatchSnapshot()
  })

  test('every command and every option says what it is for', async () => {
    const silent: string[] = []
    const look = (command: Command) => {
      if (!command.description()) silent.push(command.name())
      for (const option of command.options) if (!option.description) silent.push(`${command.name()} ${option.long}`)
      for (const child of command.commands) look(child)
    }
    for (const noun of NOUNS) {
      const program = createProgram()
      ;(await noun.load()).register(program)
      for (const command of program.commands) look(command)
    }
    expect(silent).toEqual([])
  })

  test('no option of a command hides a global one', async () => {
    const hidden: string[] = []
    const globals = new Set(createProgram().options.flatMap(({ long, short }) => [long, short]))
    const look = (command: Command) => {
      for (const { long, short } of command.options)
        if (globals.has(long) || (short && globals.has(short))) hidden.push(`${command.name()} ${long}`)
      for (const child of command.commands) look(child)
    }
    for (const noun of NOUNS) {
      const program = createProgram()
      ;(await noun.load()).register(program)
      for (const command of program.commands) look(command)
    }
    expect(hidden).toEqual([])
  })

  test('every command of the overview stands in one group', () => {
    const names = GROUPS.flatMap(([, nouns]) => nouns.map(({ name }) => name))
    expect(new Set(names).size).toBe(names.length)
  })

  test('--help prints the overview and loads no command', async () => {
    const { code, stdout } = await runCli(home, ['--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('gateway enroll|run|list|show|apply|suspend|release|revoke')
    expect(await readFile(new URL('./nouns.ts', import.meta.url), 'utf8')).not.toMatch(/^import (?!type)/m)
  })
})

test('the version is that of the package', async () => {
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
  expect((await runCli(home, ['version', '-q'])).stdout).toBe(`${version}\n`)
})

describe('a command line', () => {
  test('that is misspelt gets a guess and exit code 2', async () => {
    expect(await runCli(home, ['gatway', 'list'])).toEqual({
      code: 2,
      stdout: '',
      stderr: "error: unknown command 'gatway'\n  fix: did you mean gateway?\n  ref: USAGE\n",
    })
    expect((await runCli(home, ['gateway', 'lst'])).stderr).toContain('did you mean list?')
    expect((await runCli(home, ['whoami', '--jsn'])).stderr).toContain('did you mean --json?')
  })

  test('without a command gets the overview, without a verb the verbs', async () => {
    expect((await runCli(home, [])).stdout).toBe((await runCli(home, ['--help'])).stdout)
    const { code, stderr } = await runCli(home, ['org'])
    expect(code).toBe(2)
    expect(stderr).toBe('error: which one? show\n  fix: postern org --help\n  ref: USAGE\n')
  })

  test('takes global flags before and after the command', async () => {
    const before = await runCli(home, ['--json', 'version'])
    const after = await runCli(home, ['version', '--json=1'])
    expect(before.stdout).toBe(after.stdout)
    expect(JSON.parse(before.stdout)).toMatchObject({
      schema: 'postern.version',
      v: 1,
      next: null,
      warnings: [],
      data: { node: process.versions.node },
    })
  })

  test('with --json gets its error as a document too', async () => {
    const { code, stdout, stderr } = await runCli(home, ['whoami', '--json'])
    expect(code).toBe(4)
    expect(stderr).toContain('error: this machine belongs to nobody yet')
    expect(JSON.parse(stdout)).toMatchObject({ schema: 'postern.error', error: { code: 'NO_PROFILE', exit: 4 } })
  })
})
