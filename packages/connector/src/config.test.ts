import { expect, test } from 'vitest'
import { readConnectorConfig } from './config.ts'

const home = { HOME: '/home/ana' }
const messageOf = (flags: Record<string, string>, environment: Record<string, string> = home) => {
  try {
    readConnectorConfig(flags, environment)
    return 'ok'
  } catch (error) {
    return (error as Error).message
  }
}

test('agent and server are enough', () => {
  const config = readConnectorConfig({ agent: '@bot', server: 'fs' }, home)
  expect(config).toMatchObject({ agent: '@bot', server: 'fs', waitSeconds: 10, stateRoot: '/home/ana/.local/state/postern' })
  expect(config.http).toBeUndefined()
})

test('options stand in the environment too, and a flag wins', () => {
  const environment = {
    ...home,
    POSTERN_CONNECTOR_SERVER: 'crm',
    POSTERN_CONNECTOR_WAIT_SECONDS: '3',
    POSTERN_CONNECTOR_RELAYS: 'wss://a/relay, ws://b/relay',
  }
  const config = readConnectorConfig({ agent: '@bot', server: 'fs', http: '0' }, environment)
  expect(config).toMatchObject({ server: 'fs', http: 0, waitSeconds: 3, relays: ['wss://a/relay', 'ws://b/relay'] })
})

test('everything that is wrong is said at once, by the names that people write', () => {
  const message = messageOf({ agent: 'bot', http: '70000', grant: 'here', relays: 'http://x', tokenFile: 'there' })
  for (const flag of ['--agent', '--server', '--http', '--grant', '--relays', '--token-file']) expect(message).toContain(flag)
  expect(messageOf({ agent: '@bot', server: 'fs' }, { ...home, POSTERN_CONNECTOR_SEVER: 'fs' })).toContain(
    '--sever (or POSTERN_CONNECTOR_SEVER)',
  )
  expect(messageOf({ agent: '@bot', server: 'fs', control: 'ftp://x' })).toContain('--control')
})
