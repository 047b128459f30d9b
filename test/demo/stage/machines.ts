import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Home } from '../../fixtures/processes.ts'
import { scripts, startNode } from '../../fixtures/processes.ts'

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
  await using child = startNode(`postern ${args.join(' ')}`, scripts.cli, ['--json', '--no-input', ...args], {
    env,
    cwd: path,
    speaks: true,
  })
  const late = setTimeout(() => child.process.kill(), COMMAND_MS)
  child.process.stdin?.end()
  const [stdout, code] = await Promise.all([text(child.process.stdout!), child.exit]).finally(() => clearTimeout(late))
  if (code !== 0) throw new Error(`postern ${args.join(' ')} on ${name} ended with ${code}:\n${child.output() || stdout}`)
  return (JSON.parse(stdout) as { data: T }).data
}
