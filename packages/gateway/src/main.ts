import { runMain } from '@postern/daemon'
import { readGatewayConfig } from './config.ts'
import { systemDeps } from './deps.ts'
import { start } from './gateway.ts'

const [atsign = ''] = process.argv.slice(2)
await runMain('gateway', async ({ log }) => start(await readGatewayConfig(atsign), systemDeps(log)))
