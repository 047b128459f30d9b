// The peers: other people's packages, outside the workspaces, with a lockfile of their own. Installed when first needed.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { nestedEnvironment, npmScript } from '../../packages/cli/ensure-node.mjs'
import { startNode } from '../fixtures/processes.ts'

const directory = join(import.meta.dirname, 'peers')
const installed = join(directory, 'node_modules/.package-lock.json')

/** Path of something in the peers' directory. */
export const peer = (...path: string[]): string => join(directory, ...path)
export const importPeer = <T>(file: string): Promise<T> => import(pathToFileURL(peer(file)).href)

/** @throws when the registry cannot be reached and they are not here yet */
export async function installPeers(say: (line: string) => void): Promise<void> {
  const isFresh = existsSync(installed) && statSync(installed).mtimeMs >= statSync(peer('package-lock.json')).mtimeMs
  if (isFresh) return
  say('installing the peers (npm ci --ignore-scripts in test/bench/peers) …')
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const script = npmScript()
  if (!script) throw new Error('npm was not found beside this Node.js or on PATH: the peers cannot be installed')
  const npm = startNode('npm', script, args, { cwd: directory, env: nestedEnvironment() })
  const code = await npm.exit
  if (code !== 0) throw new Error(`the peers could not be installed (exit code ${code}):\n${npm.output()}`)
}

/** The versions that are measured, from their lockfile. */
export function peerVersions(): Record<string, string> {
  type Manifest = { readonly dependencies: Record<string, string> }
  return (JSON.parse(readFileSync(peer('package.json'), 'utf8')) as Manifest).dependencies
}
