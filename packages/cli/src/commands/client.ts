import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Edit } from '../client-files/client-file.ts'
import { applyEdit, followLinks, planAdd, planRemove, readEntries } from '../client-files/client-file.ts'
import { awaitHandshake } from '../client-files/handshake.ts'
import { lineDiff } from '../client-files/line-diff.ts'
import { findRecord, keepRecord } from '../client-files/records.ts'
import type { Client, Entry, Machine, Served } from '../clients.ts'
import {
  CLIENTS,
  cliMain,
  connectorEntry,
  documentOf,
  entryName,
  fieldsOf,
  findClient,
  servedBy,
  shellText,
  thisMachine,
} from '../clients.ts'
import type { Context } from '../context.ts'
import { readJoinString } from '../enrolment/join.ts'
import { notFound, usageError } from '../errors.ts'
import { atSignOf, integerOf } from '../inputs.ts'
import { soleAgent } from '../local.ts'
import { state, when } from '../output/cell.ts'
import { escapeText } from '../output/escape.ts'
import type { Report } from '../output/report.ts'
import { readConfigFile } from '../profile/config-file.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'

const NAMES = CLIENTS.map(({ name }) => name).join(', ')
const SERVER = 'name of the server in the authority log, e.g. fs'

export function register(program: Command): void {
  const client = program.command('client').description('MCP clients of this machine.')
  client.command('list').description('Clients known here, their files, and which of their servers go through Postern.').action(act(list))
  client
    .command('add')
    .description('Add a server to the file of an MCP client: shows the change, asks, and keeps a copy of the file beside it.')
    .argument('<client>', NAMES)
    .argument('<server>', SERVER)
    .option('--agent <atsign>', 'the agent that the client is; default: the only one here, or with --join one named after you')
    .option('--join <join>', 'join string: the agent asks to be enrolled when the client starts it for the first time')
    .option('--owner <atsign>', 'with --join: the person it shall act for; default: you')
    .option('--name <name>', 'name of the entry; default: the server’s')
    .option('--project', 'the file of the project in this directory, instead of your own')
    .action(act(add))
  client
    .command('remove')
    .description('Undo add: byte for byte where the file is as add left it, else the entry alone.')
    .argument('<client>', NAMES)
    .argument('<name>', 'name of the entry')
    .option('--project', 'the file of the project in this directory, instead of your own')
    .action(act(remove))
  client
    .command('verify')
    .description('Wait until the client has really started the connector and introduced itself.')
    .argument('<client>', NAMES)
    .argument('<name>', 'name of the entry')
    .option('--wait <seconds>', 'how long', '30')
    .option('--project', 'the file of the project in this directory, instead of your own')
    .action(act(verify))
  client
    .command('print')
    .description('The exact entry for an MCP client, to be pasted. Changes nothing.')
    .argument('<client>', NAMES)
    .argument('<server>', SERVER)
    .option('--agent <atsign>', 'the agent that the client is; default: the only one here, or with --join one named after you')
    .option('--join <join>', 'join string: the agent asks to be enrolled when the client starts it for the first time')
    .option('--owner <atsign>', 'with --join: the person it shall act for; default: you')
    .option('--name <name>', 'name of the entry; default: the server’s')
    .action(act(print))
}

/** @throws {CliError} USAGE */
function clientOf(name: string): Client {
  const client = findClient(name)
  if (!client) throw usageError(`${name} is no client known here`, `known: ${NAMES}; others take the same command and arguments`)
  return client
}

/** @throws {CliError} USAGE */
function fileOf({ title, projectFile, file }: Client, machine: Machine, { project }: Options): string {
  if (!project) return file(machine)
  if (projectFile === undefined) throw usageError(`${title} has no file of its own in a project`)
  return resolve(projectFile)
}

/** @throws {CliError} USAGE, NOT_FOUND; {EdgeError} JOIN_STRING_INVALID */
async function servedOf(context: Context, client: Client, server: string, options: Options): Promise<Served> {
  const { environment } = context.settings
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(server)) throw usageError(`${server} is not a server name (a-z, 0-9, ., _ and -, at most 64)`)
  const join: string | undefined = options.join
  if (join === undefined) return { server, agent: options.agent === undefined ? await soleAgent(environment) : atSignOf(options.agent) }
  const { org } = readJoinString(join)
  const { profiles } = await readConfigFile(environment)
  const you = Object.values(profiles).find((profile) => profile.org === org)?.atsign
  const owner: string | undefined = options.owner ?? you
  if (options.agent === undefined && owner === undefined)
    throw usageError('who shall the agent be?', `add --agent @<you>-${client.suffix}, and --owner @<you> if it acts for you`)
  const agent = atSignOf(options.agent ?? `${owner}-${client.suffix}`.slice(0, 56))
  return { server, agent, join, owner: owner === undefined ? undefined : atSignOf(owner) }
}

async function add(context: Context, [name = '', server = '']: readonly string[], options: Options): Promise<Report> {
  const { environment } = context.settings
  const client = clientOf(name)
  const served = await servedOf(context, client, server, options)
  const entry = connectorEntry(cliMain, process.execPath, served, environment)
  warnOfSpaces(context, client, entry)
  const path = fileOf(client, thisMachine(environment), options)
  const id: string = options.name ?? entryName(server)
  const plan = await planAdd(client, path, id, fieldsOf(entry, client.fixed))
  const data = { client: client.name, name: id, agent: served.agent, server }
  if (!plan) {
    const line = `${client.title} has this entry already: ${path}`
    return { schema: 'client.add', data: { ...data, file: path, backup: null, changed: false }, ids: [path], lines: [line] }
  }
  await confirmEdit(context, client, plan)
  const record = await applyEdit(client, id, plan, stampOf(new Date()))
  await keepRecord(record, record, environment)
  return {
    schema: 'client.add',
    data: { ...data, file: plan.file, backup: record.backup, changed: true },
    ids: [plan.file],
    lines: [`✓ ${client.title} has ${id} now${record.backup ? `; the file as it was: ${record.backup}` : ''}`],
    hints: [`→ ${client.afterwards}`, `→ postern client verify ${client.name} ${id}     undo: postern client remove ${client.name} ${id}`],
  }
}

async function remove(context: Context, [name = '', id = '']: readonly string[], options: Options): Promise<Report> {
  const { environment } = context.settings
  const client = clientOf(name)
  const file = await followLinks(fileOf(client, thisMachine(environment), options))
  const which = { client: client.name, name: id, file }
  const record = await findRecord(which, environment)
  const plan = await planRemove(client, file, id, record)
  if (!plan) throw notFound(`${client.title} has no entry ${id} in ${file}`, 'postern client list')
  await confirmEdit(context, client, plan)
  const { backup } = await applyEdit(client, id, plan, stampOf(new Date()))
  await keepRecord(which, undefined, environment)
  if (plan.isExact) for (const copy of [backup, record?.backup]) if (copy) await rm(copy, { force: true }) // nothing is left to go back to
  const kept = plan.isExact ? null : backup
  return {
    schema: 'client.remove',
    data: { client: client.name, name: id, file: plan.file, exact: plan.isExact, backup: kept },
    ids: [plan.file],
    lines: [
      plan.isExact
        ? `✓ ${plan.file} is as it was before, byte for byte`
        : `✓ ${id} is gone; the file was changed since, so the rest stays. Before this: ${kept}`,
    ],
    hints: [`→ ${client.afterwards}`],
  }
}

/** `2026-11-27T14:05:33Z` without what file systems do not like. */
const stampOf = (date: Date): string => date.toISOString().replace(/[-:]|\.\d+/g, '')

/** The whole change is seen before it is made. */
async function confirmEdit(context: Context, { title }: Client, { file, before, after }: Edit): Promise<void> {
  const what = before === undefined ? 'new' : after === undefined ? 'removed: it came with the entry' : 'changed'
  context.show(`${file} (${what})`)
  for (const line of lineDiff(before ?? '', after ?? '')) context.show(line)
  await context.confirm(`Change the file of ${title}?`)
}

async function list({ settings: { environment } }: Context): Promise<Report> {
  const machine = thisMachine(environment)
  const clients = await Promise.all(CLIENTS.map((client) => clientData(client, machine)))
  return {
    schema: 'client.list',
    data: clients,
    ids: clients.filter(({ installed }) => installed).map(({ name }) => name),
    table: {
      columns: ['client', 'installed', 'through Postern', 'file'],
      rows: clients.map(({ name, installed, entries, trouble, file }) => [
        ...[name, installed ? 'yes' : 'no', trouble ?? entries.map(({ name, agent }) => `${name} as ${agent}`), file],
      ]),
    },
  }
}

async function clientData(client: Client, machine: Machine) {
  const file = client.file(machine)
  const marks = client.marks?.(machine) ?? [dirname(file)]
  const base = { name: client.name, title: client.title, file, installed: [file, ...marks].some((path) => existsSync(path)) }
  try {
    const entries = Object.entries(await readEntries(client, file)).flatMap(([name, entry]) => {
      const served = servedBy(entry)
      return served ? [{ name, ...served }] : []
    })
    return { ...base, entries, trouble: null }
  } catch (error) {
    return { ...base, entries: [], trouble: (error as Error).message }
  }
}

async function verify(context: Context, [name = '', id = '']: readonly string[], options: Options): Promise<Report> {
  const { environment } = context.settings
  const client = clientOf(name)
  const machine = thisMachine(environment)
  const path = fileOf(client, machine, options)
  const served = servedBy((await readEntries(client, path))[id])
  if (!served) throw notFound(`${client.title} has no entry ${id} of Postern in ${path}`, `postern client add ${client.name} <server>`)
  const waitSeconds = integerOf(options.wait, '--wait', 0, 3600)
  context.say(`◌ Waiting for ${client.title} to start ${id}. If it does not: ${client.afterwards}`)
  const found = await awaitHandshake(served, waitSeconds, environment)
  const logs = client.logs?.(machine)
  return {
    schema: 'client.verify',
    data: { client: client.name, name: id, ...served, handshake: found ?? null, logs: logs ?? null },
    ids: found ? [String(found.pid)] : [],
    facts: [
      ['handshake', state(found ? 'ok' : 'pending')],
      ['calls itself', found?.client && `${found.client.name} ${found.client.version}`],
      ['tools visible', found?.tools],
      ['last call', when(found?.called)],
      ['trouble', found?.trouble],
    ],
    hints: found ? [] : [`! no handshake within ${waitSeconds} s. ${client.afterwards}${logs ? `; its logs: ${logs}` : ''}`],
    exit: found ? 'done' : 'pending',
  }
}

async function print(context: Context, [name = '', server = '']: readonly string[], options: Options): Promise<Report> {
  const { environment } = context.settings
  const client = clientOf(name)
  const served = await servedOf(context, client, server, options)
  const entry = connectorEntry(cliMain, process.execPath, served, environment)
  warnOfSpaces(context, client, entry)
  const machine = thisMachine(environment)
  const id: string = options.name ?? entryName(server)
  const { value, text } = documentOf(client, id, entry)
  const command = machine.platform === 'win32' ? undefined : client.command?.(id, entry)
  const file = client.file(machine)
  return {
    schema: 'client.print',
    data: {
      ...{ client: client.name, name: id, agent: served.agent, server, format: client.format, key: client.key, entry: value, text },
      ...{ file, project_file: client.projectFile ?? null, command: command ?? null },
    },
    ids: [file],
    lines: client.format === 'json' ? text.split('\n') : text.split('\n').map(escapeText),
    hints: hintsOf(client, file, command),
  }
}

/** Known of Cursor: arguments with spaces arrive as several. */
function warnOfSpaces(context: Context, { title, splitsArguments }: Client, { command, args }: Entry): void {
  const spaced = [command, ...args].find((word) => /\s/.test(word))
  if (splitsArguments && spaced)
    context.warn(`${title} splits arguments at spaces, and ${spaced} has one: move it, or make a link without one`)
}

const hintsOf = (
  { name, title, projectFile, key, format, afterwards }: Client,
  file: string,
  command: readonly string[] | undefined,
): readonly string[] => [
  `→ ${title} reads ${file}${projectFile ? `, or ${projectFile} of a project` : ''}`,
  format === 'json' ? `  If "${key}" is there already, add only what stands inside it.` : '  Add it at the end of the file.',
  ...(command ? [`  The same by its own command: ${shellText(command)}`] : []),
  `  Or: postern client add ${name} …, which edits the file`,
  `  Then: ${afterwards}`,
]
