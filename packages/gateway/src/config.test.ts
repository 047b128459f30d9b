import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { childEnvironment, parseGatewayFile, readGatewayConfig } from './config.ts'
import { addServer, listServers, removeServer } from './servers.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'postern-config-'))
})
afterEach(() => rmSync(home, { recursive: true }))

test('a gateway without a file has no servers and the documented defaults', async () => {
  const config = await readGatewayConfig('@gw', { HOME: home })
  expect(config.servers).toEqual({})
  expect(config.limits.children).toBe(128)
  expect(config.path).toBe(join(home, '.config/postern/gateway/@gw.toml'))
})

test.each([
  ['an unknown option', 'verify = false'],
  ['an unknown option of a server', '[servers.fs]\ncommand = "x"\nshell = true'],
  ['a relative directory', '[servers.fs]\ncommand = "x"\ncwd = "here"'],
  ['no command', '[servers.fs]'],
  ['a control plane that is not http', 'control = "file:///etc"'],
  ['something that is not TOML', '= ='],
])('%s is refused', (_, text) => {
  expect(() => parseGatewayFile(text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})

describe('the environment of a server', () => {
  const own = { PATH: '/bin', HOME: '/home/a', POSTERN_SECRET: 's', GITHUB_TOKEN: 't', LANG: 'C' }
  const server = parseGatewayFile('[servers.a]\ncommand="x"\nenv=["GITHUB_TOKEN","MISSING"]\nset={A="1"}').servers.a!
  test('has what every program expects, what it was allowed and what it was given, nothing else', () => {
    expect(childEnvironment(server, own)).toEqual({ PATH: '/bin', HOME: '/home/a', GITHUB_TOKEN: 't', A: '1' })
  })
})

describe('adding servers', () => {
  test('a server that was added is read back, and the file is private', async () => {
    const path = join(home, 'gateway', '@gw.toml')
    await addServer(path, 'fs', { command: '/usr/bin/node', args: ['a b', '"q"'] })
    await addServer(path, 'memory', { command: 'npx', set: { KEY: 'v' } })
    expect(await listServers(path)).toMatchObject({ fs: { args: ['a b', '"q"'] }, memory: { set: { KEY: 'v' } } })
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })
  test('a name is taken once, and is free again after it was removed', async () => {
    const path = join(home, '@gw.toml')
    await addServer(path, 'fs', { command: 'a' })
    await expect(addServer(path, 'fs', { command: 'b' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    expect(await removeServer(path, 'fs')).toBe(true)
    expect(await removeServer(path, 'fs')).toBe(false)
    await addServer(path, 'fs', { command: 'b' })
  })
  test('nothing is written that the gateway would refuse', async () => {
    const path = join(home, '@gw.toml')
    await expect(addServer(path, 'Not A Name', { command: 'a' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    expect(await listServers(path)).toEqual({})
  })
})
