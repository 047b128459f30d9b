import { parseArgs } from 'node:util'
import { OperationError, runMain } from '@postern/daemon'
import { readConnectorConfig } from './config.ts'
import { systemDeps } from './deps.ts'
import { start } from './start.ts'

const text = { type: 'string' } as const

/** @throws {OperationError} CONFIG_INVALID for a flag that does not exist */
function readFlags(): Record<string, string | undefined> {
  const names = {
    agent: text,
    join: text,
    owner: text,
    server: text,
    http: text,
    grant: text,
    relays: text,
    control: text,
    'token-file': text,
    'wait-seconds': text,
  }
  try {
    const { values } = parseArgs({ options: names, strict: true })
    return Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name.replace(/-(.)/g, (_, c: string) => c.toUpperCase()), value]),
    )
  } catch (cause) {
    throw new OperationError('CONFIG_INVALID', (cause as Error).message, { cause })
  }
}

await runMain('connector', async ({ log }) => start(readConnectorConfig(readFlags()), systemDeps(log)))
