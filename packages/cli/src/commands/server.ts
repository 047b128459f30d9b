import { resolve } from 'node:path'
import { places, readHealth } from '@postern/daemon'
import { addServer, configPath, healthName, listServers, removeServer } from '@postern/gateway'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { CliError, notFound, usageError } from '../errors.ts'
import { atSignOf, listOf } from '../inputs.ts'
import { soleGateway } from '../local.ts'
import { cell } from '../output/cell.ts'
import type { Report } from '../output/report.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'

export function register(program: Command): void {
  const server = program.command('server').description("MCP servers behind this machine's gateway.")
  server
    .command('add')
    .description('Write a server into the gateway’s own file; a running gateway takes it up by itself.')
    .argument('<name>', 'its name in the organisation, e.g. fs')
    .argument('<command...>', 'behind --: what the gateway starts; no shell reads it')
    .option('--gateway <atsign>', 'default: the only one here')
    .option('--cwd <directory>', 'working directory; default: this one')
    .option('--env <names>', "variables of the gateway's own environment that it may see, separated by commas")
    .option('--set <name=value>', 'a variable and its value, for what is no secret; several times', collect)
    .option('--replace', 'in place of the one of that name')
    .action(act(add))
  server
    .command('list')
    .description('Servers in the gateway’s own file.')
    .option('--gateway <atsign>', 'default: the only one here')
    .action(act(list))
  server
    .command('remove')
    .description('Take a server out of the gateway’s own file. Its pins stay in the log.')
    .argument('<name>')
    .option('--gateway <atsign>', 'default: the only one here')
    .action(act(remove))
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

interface Place {
  readonly gateway: string
  readonly path: string
  readonly isRunning: boolean
}

async function placeOf({ settings: { environment } }: Context, given: string | undefined): Promise<Place> {
  const gateway = given === undefined ? await soleGateway(environment) : atSignOf(given)
  const at = places(environment)
  return { gateway, path: configPath(gateway, at.config), isRunning: (await readHealth(healthName(gateway), at)) !== undefined }
}

async function add(context: Context, [name = '', command = '', ...args]: readonly string[], options: Options): Promise<Report> {
  const { gateway, path, isRunning } = await placeOf(context, options.gateway)
  const env = [...listOf(options.env)]
  const entry = { command, args, cwd: resolve(options.cwd ?? '.'), ...(env.length > 0 ? { env } : {}), ...setOf(options.set) }
  if (!options.replace && Object.hasOwn(await listServers(path), name)) {
    throw new CliError('CONFLICT', `${gateway} has a server ${name} already`, {
      why: `it stands in ${path}`,
      fix: 'add --replace',
      exit: 'conflict',
    })
  }
  await addServer(path, name, entry, { replace: true })
  return {
    schema: 'server.add',
    data: { gateway, name, command, args, cwd: entry.cwd, env, set: Object.keys(entry.set ?? {}), path, running: isRunning },
    ids: [name],
    lines: [`✓ ${name} stands in ${path}`],
    hints: [
      isRunning ? `◌ ${gateway} takes it up now` : `→ postern gateway run ${gateway}`,
      `→ then postern tools list ${name}, and postern tools pin ${name}`,
    ],
  }
}

function setOf(given: readonly string[] | undefined): { set?: Record<string, string> } {
  if (!given) return {}
  const pairs = given.map((text) => {
    const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(text) ?? []
    if (name === undefined || value === undefined) throw usageError(`--set takes <NAME>=<value>, not ${text}`)
    return [name, value] as const
  })
  return { set: Object.fromEntries(pairs) }
}

/** Values of variables are left out everywhere: some people keep secrets there. */
async function list(context: Context, _args: readonly string[], options: Options): Promise<Report> {
  const { gateway, path, isRunning } = await placeOf(context, options.gateway)
  const servers = Object.entries(await listServers(path)).map(([name, server]) => ({ name, ...server, set: Object.keys(server.set) }))
  return {
    schema: 'server.list',
    data: servers.map((server) => ({ gateway, ...server, cwd: server.cwd ?? null })),
    ids: servers.map(({ name }) => name),
    table: {
      columns: ['name', 'command', 'directory', 'variables'],
      rows: servers.map(({ name, command, args, cwd, env, set }) => [name, commandCell(command, args), cwd, [...env, ...set]]),
      empty: `no server stands in ${path}`,
    },
    hints: [isRunning ? `${gateway} is running` : `${gateway} is not running: postern gateway run ${gateway}`],
  }
}

const commandCell = (command: string, args: readonly string[]) => cell(JSON.stringify([command, ...args]), [command, ...args].join(' '))

async function remove(context: Context, [name = '']: readonly string[], options: Options): Promise<Report> {
  const { gateway, path } = await placeOf(context, options.gateway)
  if (!(await removeServer(path, name))) throw notFound(`${gateway} has no server ${name}`, 'postern server list')
  return { schema: 'server.remove', data: { gateway, name, path }, ids: [name], lines: [`✓ ${name} is out of ${path}`] }
}
