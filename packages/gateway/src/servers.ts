import { dirname } from 'node:path'
import { makePrivateDirectory, OperationError, writeDurably } from '@postern/daemon'
import { stringify } from 'smol-toml'
import type { GatewayFile, ServerConfig } from './config.ts'
import { parseGatewayFile, readGatewayFile } from './config.ts'

/** What a person says to add a server. */
export type ServerEntry = Pick<ServerConfig, 'command'> & Partial<ServerConfig>

/**
 * Writes a server into a gateway's own file; a running gateway reads it again by itself. Comments in the file are not kept.
 * @throws {OperationError} CONFIG_INVALID, also when the name is taken and `replace` is not given
 */
export async function addServer(path: string, name: string, entry: ServerEntry, { replace = false } = {}): Promise<void> {
  const current = await readGatewayFile(path)
  if (Object.hasOwn(current.servers, name) && !replace) {
    throw new OperationError('CONFIG_INVALID', `${path} has a server ${name} already`, { fix: `postern server remove ${name}` })
  }
  await write(path, { ...current, servers: { ...current.servers, [name]: entry as ServerConfig } })
}

/** @returns false when there was none of that name. */
export async function removeServer(path: string, name: string): Promise<boolean> {
  const current = await readGatewayFile(path)
  if (!Object.hasOwn(current.servers, name)) return false
  const { [name]: _, ...servers } = current.servers
  await write(path, { ...current, servers })
  return true
}

export const listServers = async (path: string): Promise<GatewayFile['servers']> => (await readGatewayFile(path)).servers

/** Checks what it writes by reading it, so that no file is left that the gateway would refuse. */
async function write(path: string, file: Partial<GatewayFile>): Promise<void> {
  const text = stringify(file)
  parseGatewayFile(text, path)
  await makePrivateDirectory(dirname(path))
  await writeDurably(path, text)
}
