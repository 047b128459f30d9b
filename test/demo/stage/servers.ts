import { join } from 'node:path'
import { root } from '../../fixtures/processes.ts'
import type { ServerCommand } from './client.ts'

const script = (name: string) => join(root, 'node_modules/@modelcontextprotocol', name, 'dist/index.js')

/** The public MCP servers that the tour is about, as anybody would start them. */
export const publicServers = {
  filesystem: (directory: string): ServerCommand => ({ command: process.execPath, args: [script('server-filesystem'), directory] }),
  memory: (file: string): ServerCommand => ({
    command: process.execPath,
    args: [script('server-memory')],
    env: { MEMORY_FILE_PATH: file },
  }),
} as const

/** The same, with a witness in front who writes down which calls arrive. */
export const withWitness = ({ command, args, ...rest }: ServerCommand, file: string): ServerCommand => ({
  command: process.execPath,
  args: [join(import.meta.dirname, 'witness.ts'), file, command, ...args],
  ...rest,
})
