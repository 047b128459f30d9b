import { chmod, mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runCli } from '../../../../test/fixtures/cli.ts'
import type { Home } from '../../../../test/fixtures/processes.ts'
import { openHome } from '../../../../test/fixtures/processes.ts'
import type { Profile } from './config-file.ts'
import { configFilePath, freeProfileName, readConfigFile, saveProfile } from './config-file.ts'

let home: Home
beforeEach(async () => {
  home = await openHome('cli')
})
afterEach(() => home[Symbol.asyncDispose]())

const org = (letter: string) => `${letter.repeat(42)}A`
const profile = (name: string, letter = 'a'): Profile => ({
  ...{ name, org: org(letter), control: 'http://localhost:3000', atsign: '@ana', state: '@ana', key: 'own' },
})

describe('config.toml', () => {
  test('lies where XDG says, or in ~/.config', () => {
    expect(configFilePath({ XDG_CONFIG_HOME: '/x', HOME: '/home/ana' })).toBe('/x/postern/config.toml')
    expect(configFilePath({ HOME: '/home/ana' })).toBe('/home/ana/.config/postern/config.toml')
    expect(configFilePath({ XDG_CONFIG_HOME: 'relative', HOME: '/home/ana' })).toBe('/home/ana/.config/postern/config.toml')
  })

  test('that is not there has no profiles', async () => {
    expect(await readConfigFile(home.env)).toEqual({ profiles: {} })
  })

  test('keeps profiles side by side and uses the last one that was saved', async () => {
    await saveProfile(profile('acme'), home.env)
    const path = await saveProfile(profile('globex', 'b'), home.env)
    const { profile: current, profiles } = await readConfigFile(home.env)
    expect(current).toBe('globex')
    expect(Object.keys(profiles)).toEqual(['acme', 'globex'])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  test('gives a second organisation of the same name a name of its own', async () => {
    expect(await freeProfileName('Ac Me!', org('a'), home.env)).toBe('ac-me')
    await saveProfile(profile('ac-me'), home.env)
    expect(await freeProfileName('Ac Me!', org('a'), home.env)).toBe('ac-me')
    expect(await freeProfileName('Ac Me!', org('b'), home.env)).toBe('ac-me-2')
  })

  test.each([
    ['not TOML', '[profiles', 'is not TOML'],
    ['an unknown option', '[profiles.a]\ncolour = 1\n', 'Unrecognized key'],
    ['an organisation cut short', `[profiles.a]\ncontrol="http://x"\norg="abc"\natsign="@a"\nstate="@a"\nkey="own"\n`, '43 characters'],
  ])('with %s is refused by name, and nothing runs', async (_, text, why) => {
    const path = configFilePath(home.env)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
    const { code, stderr } = await runCli(home, ['whoami'])
    expect(code).toBe(2)
    expect(stderr).toContain(path)
    expect(stderr).toContain(why)
  })

  test('--profile comes before POSTERN_PROFILE, which comes before the file', async () => {
    await saveProfile(profile('acme'), home.env)
    const named = async (args: readonly string[], env = {}) => (await runCli(home, ['whoami', ...args], { env })).stderr
    expect(await named(['--profile', 'flag'], { POSTERN_PROFILE: 'variable' })).toContain('there is no profile flag')
    expect(await named([], { POSTERN_PROFILE: 'variable' })).toContain('there is no profile variable')
    expect(await named([])).toContain('you are not signed in')
  })
})

describe('a person’s files', () => {
  test('that others can read are refused, with the chmod that repairs it', async () => {
    await saveProfile(profile('acme'), home.env)
    const file = join(home.state, 'person', '@ana', 'sign.json')
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeFile(file, '{}')
    await chmod(file, 0o644)
    const { code, stderr } = await runCli(home, ['login'])
    expect(code).toBe(1)
    expect(stderr).toContain(`fix: chmod 600 '${file}'`)
    expect(stderr).toContain('ref: KEY_FILE_MODE')
  })

  test('in a directory that others may write to are refused', async () => {
    await saveProfile(profile('acme'), home.env)
    const directory = join(home.state, 'person', '@ana')
    await mkdir(directory, { recursive: true })
    await chmod(directory, 0o777)
    expect((await runCli(home, ['login'])).stderr).toContain(`fix: chmod 700 '${directory}'`)
  })

  test('of another organisation than the profile names end everything with exit code 8', async () => {
    await saveProfile(profile('acme'), home.env)
    const directory = join(home.state, 'person', '@ana')
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await writeFile(join(directory, 'org.json'), JSON.stringify({ v: 1, org: org('z'), control: 'http://localhost:3000' }))
    const { code, stderr } = await runCli(home, ['whoami'])
    expect(code).toBe(8)
    expect(stderr).toContain('WRONG_ORGANISATION')
  })
})
