// A Postern of a story's own: `postern up` on free ports with an embedded database in a directory that goes with it.
import { join } from 'node:path'
import type { CliResult } from '../../fixtures/cli.ts'
import { runCli, runCliJson } from '../../fixtures/cli.ts'
import type { Child, ChildOptions, Home } from '../../fixtures/processes.ts'
import { freePorts, openHome, scripts, startNode } from '../../fixtures/processes.ts'

export interface Postern extends AsyncDisposable {
  readonly home: Home
  readonly console: string
  readonly signer: string
  /** What `npm start` prints while nobody owns it. */
  readonly genesisLink: string | undefined
  readonly up: Child
  cli(args: readonly string[]): Promise<CliResult>
  json<T>(args: readonly string[]): Promise<T>
  /** A command that stays, in a terminal of its own. */
  run(name: string, args: readonly string[], options?: ChildOptions): Child
}

export interface PosternOptions {
  /** Ports and data of one that was stopped. */
  readonly again?: Postern
  readonly args?: readonly string[]
}

export async function startPostern(options: PosternOptions = {}): Promise<Postern> {
  const home = options.again?.home ?? (await openHome('e2e'))
  const portOf = (url: string) => Number(new URL(url).port)
  const again = options.again && [portOf(options.again.console), portOf(options.again.signer)]
  const [port, signerPort, relayPort] = again ? [...again, ...(await freePorts(1))] : await freePorts(3)
  const ports = ['--port', String(port), '--signer-port', String(signerPort), '--relay-port', String(relayPort)]
  const args = ['up', ...ports, '--data', join(home.path, 'data'), ...(options.args ?? [])]
  const up = startNode('postern up', scripts.cli, args, { env: home.env })
  await up.said(/ready in [\d.]+ s/, 90_000)
  const children: Child[] = []
  return {
    home,
    console: `http://localhost:${port}`,
    signer: `http://localhost:${signerPort}`,
    genesisLink: /http:\/\/localhost:\d+\/genesis#\S+/.exec(up.output())?.[0],
    up,
    cli: (command) => runCli(home, command),
    json: (command) => runCliJson(home, command),
    run(name, command, more) {
      const child = startNode(name, scripts.cli, command, { env: home.env, ...more })
      children.push(child)
      return child
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...children.map((child) => child.stop()), up.stop()])
      await home[Symbol.asyncDispose]()
    },
  }
}
