import { EdgeError } from '@postern/core'
import { OperationError, runMain } from '@postern/daemon'
import { readGatewayConfig } from './config.ts'
import { systemDeps } from './deps.ts'
import { start } from './gateway.ts'

const [atsign = ''] = process.argv.slice(2)
await runMain('gateway', async ({ log }) => {
  try {
    return await start(await readGatewayConfig(atsign), systemDeps(log))
  } catch (error) {
    if (error instanceof EdgeError) throw new OperationError(error.code, error.message, { cause: error }) // for the operator, not a defect
    throw error
  }
})
