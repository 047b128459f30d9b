import { parse } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { CLIENTS, connectorEntry, documentOf, entryName, findClient, servedBy, shellText } from './clients.ts'

const machine = (platform: NodeJS.Platform, environment = {}) => ({
  platform,
  home: platform === 'win32' ? 'C:\\Users\\ana' : '/home/ana',
  environment,
})
const entry = connectorEntry('/opt/postern/main.ts', '/opt/node/bin/node', { server: 'fs', agent: '@ana-claude' }, {})

test('the connector is started by absolute paths alone: no npm, no shell, no environment', () => {
  expect(entry).toEqual({
    command: '/opt/node/bin/node',
    args: ['/opt/postern/main.ts', 'connector', 'run', 'fs', '--agent', '@ana-claude'],
    env: {},
  })
})

test('a state directory elsewhere is passed on, since clients do not pass variables', () => {
  expect(connectorEntry('m', 'n', { server: 'fs', agent: '@a' }, { XDG_STATE_HOME: '/srv/state' }).env).toEqual({
    XDG_STATE_HOME: '/srv/state',
  })
  expect(connectorEntry('m', 'n', { server: 'fs', agent: '@a' }, { XDG_STATE_HOME: 'relative' }).env).toEqual({})
})

describe.each([
  ['claude-desktop', 'darwin', '/home/ana/Library/Application Support/Claude/claude_desktop_config.json', 'mcpServers'],
  ['claude-desktop', 'win32', 'C:\\Users\\ana\\AppData\\Roaming\\Claude\\claude_desktop_config.json', 'mcpServers'],
  ['claude-desktop', 'linux', '/home/ana/.config/Claude/claude_desktop_config.json', 'mcpServers'],
  ['claude-code', 'linux', '/home/ana/.claude.json', 'mcpServers'],
  ['vscode', 'darwin', '/home/ana/Library/Application Support/Code/User/mcp.json', 'servers'],
  ['vscode', 'linux', '/home/ana/.config/Code/User/mcp.json', 'servers'],
  ['cursor', 'linux', '/home/ana/.cursor/mcp.json', 'mcpServers'],
  ['codex', 'darwin', '/home/ana/.codex/config.toml', 'mcp_servers'],
  ['codex', 'win32', 'C:\\Users\\ana\\.codex\\config.toml', 'mcp_servers'],
] as const)('%s on %s', (name, platform, file, key) => {
  const client = findClient(name)!

  test('reads this file', () => {
    expect(client.file(machine(platform))).toBe(file)
  })

  test('gets an entry that reads back as it was meant', () => {
    const { text, value } = documentOf(client, 'fs', { ...entry, env: { XDG_STATE_HOME: '/srv/state' } })
    const read = client.format === 'toml' ? parse(text) : JSON.parse(text)
    expect(read).toEqual(value)
    expect(read[key].fs).toMatchObject({ command: entry.command, args: entry.args, env: { XDG_STATE_HOME: '/srv/state' } })
  })
})

test('an entry that joins carries the join string; it is read back as what it serves', () => {
  const joining = connectorEntry('m', 'n', { server: 'fs', agent: '@a', join: 'https://c#org.CODE', owner: '@ana' }, {})
  expect(joining.args).toEqual(['m', 'connector', 'run', 'fs', '--agent', '@a', '--join', 'https://c#org.CODE', '--owner', '@ana'])
  expect(servedBy(joining)).toEqual({ server: 'fs', agent: '@a' })
  for (const other of [undefined, null, 'x', {}, { args: ['connector', 'run'] }, { args: ['connector', 'run', 'fs'] }, { args: [1] }])
    expect(servedBy(other)).toBeUndefined()
})

test('codex looks where CODEX_HOME says', () => {
  expect(findClient('codex')!.file(machine('linux', { CODEX_HOME: '/srv/codex' }))).toBe('/srv/codex/config.toml')
})

test('every client has a name of its own, and nothing inherited counts as one', () => {
  expect(new Set(CLIENTS.map(({ name }) => name)).size).toBe(CLIENTS.length)
  expect(findClient('toString')).toBeUndefined()
})

test('commands of the clients themselves can be pasted into a shell', () => {
  const spaced = { ...entry, args: ["/my files/it's here.ts"], env: { XDG_STATE_HOME: '/srv/my state' } }
  const words = findClient('claude-code')!.command!('fs', spaced)
  expect(shellText(words)).toBe(
    `claude mcp add --scope user fs --env 'XDG_STATE_HOME=/srv/my state' -- /opt/node/bin/node '/my files/it'\\''s here.ts'`,
  )
})

test('an entry is named as every client accepts it', () => {
  expect(entryName('notes.v2')).toBe('notes-v2')
})
