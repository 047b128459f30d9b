import { resolve } from 'node:path'
import { readConnectorConfig, start, systemDeps } from '@postern/connector'
import { createLog, runMain } from '@postern/daemon'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { soleAgent } from '../local.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'

export function register(program: Command): void {
  const connector = program.command('connector').description('The local MCP server that a client starts.')
  connector
    .command('run')
    .description('Serve one MCP server to one client, over stdio or on loopback. stdout belongs to the protocol.')
    .argument('<server>', 'name of the server in the authority log, e.g. fs')
    .option('--agent <atsign>', 'the agent it speaks for; default: the only one here')
    .option('--join <join>', 'join string: makes the agent at its first start and asks to have it enrolled; later starts ignore it')
    .option('--owner <atsign>', 'with --join: the person the agent shall act for')
    .option('--http <port>', 'Streamable HTTP on 127.0.0.1 instead of stdio; 0 takes a free port')
    .option('--grant <file>', 'use this grant and ask for no other')
    .option('--relays <urls>', 'relays to dial instead of those that the control plane names')
    .option('--control <url>', 'where the control plane is now')
    .option('--token-file <file>', 'token that HTTP clients must show')
    .option('--wait-seconds <seconds>', 'how long a request waits for the gateway')
    .action(act(run))
}

async function run(context: Context, [server]: readonly string[], options: Options): Promise<undefined> {
  const { environment, verbose, debug } = context.settings
  const { agent, grant, tokenFile, ...rest } = options
  const flags = {
    ...rest,
    ...{ server, agent: agent ?? (await soleAgent(environment)) },
    ...(grant ? { grant: resolve(grant) } : {}),
    ...(tokenFile ? { tokenFile: resolve(tokenFile) } : {}),
  }
  const log = createLog('connector', { level: debug || verbose ? 'debug' : 'info' })
  const config = readConnectorConfig(flags, environment)
  await runMain('connector', () => start(config, systemDeps(log)), { log })
}
