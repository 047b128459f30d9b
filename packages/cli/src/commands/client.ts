import type { Command } from 'commander'
import type { Client, Entry } from '../clients.ts'
import { CLIENTS, cliMain, connectorEntry, documentOf, entryName, findClient, shellText, thisMachine } from '../clients.ts'
import type { Context } from '../context.ts'
import { usageError } from '../errors.ts'
import { atSignOf } from '../inputs.ts'
import { soleAgent } from '../local.ts'
import { escapeText } from '../output/escape.ts'
import type { Report } from '../output/report.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'

const NAMES = CLIENTS.map(({ name }) => name).join(', ')

export function register(program: Command): void {
  const client = program.command('client').description('MCP clients of this machine.')
  client
    .command('print')
    .description('The exact entry for an MCP client, to be pasted. Changes nothing.')
    .argument('<client>', NAMES)
    .argument('<server>', 'name of the server in the authority log, e.g. fs')
    .option('--agent <atsign>', 'the agent that the client is; default: the only one here')
    .option('--name <name>', 'name of the entry; default: the server’s')
    .action(act(print))
}

async function print(context: Context, [name = '', server = '']: readonly string[], options: Options): Promise<Report> {
  const { environment } = context.settings
  const client = findClient(name)
  if (!client) throw usageError(`${name} is no client known here`, `known: ${NAMES}; others take the same command and arguments`)
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(server)) throw usageError(`${server} is not a server name (a-z, 0-9, ., _ and -, at most 64)`)
  const agent = options.agent === undefined ? await soleAgent(environment) : atSignOf(options.agent)
  const entry = connectorEntry(cliMain, process.execPath, server, agent, environment)
  warnOfSpaces(context, client, entry)
  const machine = thisMachine(environment)
  const id: string = options.name ?? entryName(server)
  const { value, text } = documentOf(client, id, entry)
  const command = machine.platform === 'win32' ? undefined : client.command?.(id, entry)
  const file = client.file(machine)
  return {
    schema: 'client.print',
    data: {
      ...{ client: client.name, name: id, agent, server, format: client.format, key: client.key, entry: value, text },
      ...{ file, project_file: client.projectFile ?? null, command: command ?? null },
    },
    ids: [file],
    lines: client.format === 'json' ? text.split('\n') : text.split('\n').map(escapeText),
    hints: hintsOf(client, file, command),
  }
}

/** @see mcp.md §7: arguments with spaces arrive as several. */
function warnOfSpaces(context: Context, { title, splitsArguments }: Client, { command, args }: Entry): void {
  const spaced = [command, ...args].find((word) => /\s/.test(word))
  if (splitsArguments && spaced)
    context.warn(`${title} splits arguments at spaces, and ${spaced} has one: move it, or make a link without one`)
}

const hintsOf = (
  { title, projectFile, key, format, afterwards }: Client,
  file: string,
  command: readonly string[] | undefined,
): readonly string[] => [
  `→ ${title} reads ${file}${projectFile ? `, or ${projectFile} of a project` : ''}`,
  format === 'json' ? `  If "${key}" is there already, add only what stands inside it.` : '  Add it at the end of the file.',
  ...(command ? [`  The same by its own command: ${shellText(command)}`] : []),
  `  Then: ${afterwards}`,
]
