import { expect, test } from 'vitest'
import { addCommand, CLIENTS, clientOf, configText } from './clients.ts'

const served = { server: 'team.fs', agent: '@ana-claude' }
const args = ['connector', 'run', 'team.fs', '--agent', '@ana-claude']

test.each(CLIENTS.filter(({ format }) => format === 'json'))(
  '$title: the config is JSON under its own key, and names the server without a dot',
  (client) => {
    expect(JSON.parse(configText(client, served))).toEqual({ [client.key]: { 'team-fs': { command: 'postern', args } } })
  },
)
test('Codex takes TOML', () =>
  expect(configText(clientOf('codex'), served)).toBe(
    '[mcp_servers.team-fs]\ncommand = "postern"\nargs = ["connector", "run", "team.fs", "--agent", "@ana-claude"]',
  ))
test.each(CLIENTS.filter(({ link }) => link))('$title: the link opens the client and says the same as the config', (client) => {
  const link = new URL(client.link!(served))
  const text = client.id === 'cursor' ? atob(link.searchParams.get('config')!) : decodeURIComponent(link.search.slice(1))
  expect(JSON.parse(text)).toMatchObject({ command: 'postern', args })
  expect(['vscode:', 'cursor:']).toContain(link.protocol)
})
test.each(CLIENTS)('$title: nothing on a console page holds a join string', (client) => {
  const texts = [configText(client, served), addCommand(client, served), client.link?.(served) ?? '', client.command?.(served) ?? '']
  for (const text of texts) expect(text).not.toMatch(/--join|#[A-Za-z0-9_-]{43}\./)
})
test('an unknown client is treated as any other', () => expect(clientOf('zed').id).toBe('other'))
