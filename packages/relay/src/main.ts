import { runMain } from '@postern/daemon'
import { readRelayConfig } from './config.ts'
import { start } from './start.ts'

await runMain('postern-relay', async ({ log }) => start(readRelayConfig(), { log }))
