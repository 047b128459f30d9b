import type { AtSign } from '@postern/core'
import type { DemoClient, ServerCommand } from './client.ts'
import { openClient } from './client.ts'
import type { Machine } from './machines.ts'
import { postern } from './machines.ts'

/** The official client, configured as any client is: with the command, arguments and environment that `postern client print` prints. */
export async function openConnector(machine: Machine, agent: AtSign, server: string): Promise<DemoClient> {
  type Printed = { readonly entry: { readonly mcpServers: Readonly<Record<string, ServerCommand>> } }
  const printed = await postern<Printed>(machine, 'client', 'print', 'claude-code', server, '--agent', agent)
  const [entry] = Object.values(printed.entry.mcpServers)
  const { PATH, HOME } = machine.env
  return openClient({ ...entry!, env: { PATH: PATH!, HOME: HOME!, ...entry!.env } })
}
