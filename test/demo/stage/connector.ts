import { join } from 'node:path'
import type { AtSign } from '@postern/core'
import { root, scripts } from '../../fixtures/processes.ts'
import type { DemoClient } from './client.ts'
import { openClient } from './client.ts'
import type { Stage } from './stage.ts'

/** An MCP client that starts the connector of an agent for one server, as every client does with what `postern client print` prints. */
export const openConnector = ({ home }: Pick<Stage, 'home'>, agent: AtSign, server: string): Promise<DemoClient> =>
  openClient({ command: process.execPath, args: [join(root, scripts.connector), '--agent', agent, '--server', server], env: home.env })
