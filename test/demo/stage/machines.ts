import { spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Home } from '../../fixtures/processes.ts'
import { root, scripts } from '../../fixtures/processes.ts'

/** A computer of somebody, as far as processes can tell: directories of its own, and nothing of the others'. */
export interface Machine extends Omit<Home, typeof Symbol.asyncDispose> {
  readonly name: string
}

export async function makeMachine(home: Home, name: string): Promise<Machine> {
  const path = join(home.path, name)
  const directories = { XDG_STATE_HOME: 'state', XDG_CONFIG_HOME: 'config', XDG_RUNTIME_DIR: 'run' }
  const env: Record<string, string> = { ...home.env, HOME: path, XDG_CACHE_HOME: join(home.path, 'cache') }
  for (const [variable, directory] of Object.entries(directories)) {
    env[variable] = join(path, directory)
    await mkdir(env[variable], { recursive: true, mode: 0o700 })
  }
  return { name, path, state: join(env.XDG_STATE_HOME!, 'postern'), config: join(env.XDG_CONFIG_HOME!, 'postern'), env }
}

const COMMAND_MS = 60_000

/**
 * Runs `postern <args>` on a machine and returns the data of the one document that it prints.
 * @throws Error with what it wrote when it did not end with 0
 */
export async function postern<T>({ env, path, name }: Machine, ...args: readonly string[]): Promise<T> {
  const child = spawn(process.execPath, [join(root, scripts.cli), '--json', '--no-input', ...args], {
    ...{ env: { ...env }, cwd: path, stdio: ['ignore', 'pipe', 'pipe'], timeout: COMMAND_MS },
  })
  const ended = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  const [stdout, stderr, code] = await Promise.all([text(child.stdout!), text(child.stderr!), ended])
  if (code !== 0) throw new Error(`postern ${args.join(' ')} on ${name} ended with ${code}:\n${stderr || stdout}`)
  return (JSON.parse(stdout) as { data: T }).data
}
