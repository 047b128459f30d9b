import { readFile } from 'node:fs/promises'
import type { AtSign, PinnedTool, RiskClass, State } from '@postern/core'
import { isJsonObject, parseStrictJson, RISK_CLASSES } from '@postern/core'
import type { Command } from 'commander'
import { gatewaysThatServe } from '../authority/acks.ts'
import { syncAuthority } from '../authority/authority.ts'
import type { Outcome } from '../authority/statement.ts'
import { outcomeText, signStatement } from '../authority/statement.ts'
import type { Context } from '../context.ts'
import { CliError, notFound, usageError } from '../errors.ts'
import type { CellLike } from '../output/cell.ts'
import { shortId, state as stateCell } from '../output/cell.ts'
import type { Report } from '../output/report.ts'
import type { SignedIn } from '../profile/person.ts'
import { openSignedIn } from '../profile/person.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'
import type { SeenTool } from '../tools/seen-tools.ts'
import { compare, readTools } from '../tools/seen-tools.ts'

export function register(program: Command): void {
  const tools = program.command('tools').description('What servers offer, and what may be called.')
  tools
    .command('list')
    .description('Tools as the gateways report them, beside what is pinned.')
    .argument('[server]', 'only this server')
    .action(act(list))
  tools
    .command('pin')
    .description('Pin tools exactly as they are defined now. A tool without a pin cannot be called.')
    .argument('<server>')
    .argument('[tools...]', 'names; or --all')
    .option('--all', 'every tool that the server has now')
    .option('--risk <class>', `risk class of all that are named: ${RISK_CLASSES.join(', ')}`)
    .option('--risk-file <file>', 'JSON object: tool → risk class')
    .option('--unpin', 'take the pins away instead')
    .option('--gateway <atsign>', 'the gateway in front of the server, where several report it')
    .action(act(pin))
}

async function list(context: Context, [server]: readonly string[]): Promise<Report> {
  const { dir, profile, client } = await openSignedIn(context.settings)
  const { state, revocations } = await syncAuthority(dir, profile.org, client)
  const all = await readTools(client, state, gatewaysThatServe(state, revocations))
  const tools = server === undefined ? all : all.filter((tool) => tool.server === server)
  const unpinned = new Set(tools.filter((tool) => tool.state !== 'pinned').map((tool) => tool.server))
  return {
    schema: 'tools.list',
    data: tools.map(({ risk, digest, ...tool }) => ({ ...tool, risk: risk ?? null, digest: digest ?? null })),
    ids: tools.map((tool) => `${tool.server}.${tool.name}`),
    table: {
      columns: ['server', 'tool', 'state', 'risk', 'gateway', 'definition', 'description'],
      rows: tools.map((tool): CellLike[] => [
        ...[tool.server, tool.name, stateCell(tool.state), tool.risk, tool.gateway, shortId(tool.digest ?? '', 8)],
        tool.description.replace(/\s+/g, ' '),
      ]),
      isCut: true,
      empty: server === undefined ? 'no gateway has reported a tool' : `no gateway has reported a tool of ${server}`,
    },
    hints: [...unpinned].map((name) => `→ postern tools pin ${name} --all --risk <class>`),
  }
}

/** Statements hold 16 KiB: more tools than this go into several. */
const TOOLS_PER_STATEMENT = 100

async function pin(context: Context, [server = '', ...names]: readonly string[], options: Options): Promise<Report> {
  const person = await openSignedIn(context.settings)
  const { dir, profile, client } = person
  const { state, revocations } = await syncAuthority(dir, profile.org, client)
  if (options.unpin) return unpin(context, person, state, server, names, options)
  const risks = await readRisks(options)
  const seen = (await readTools(client, state, gatewaysThatServe(state, revocations))).filter(
    (tool) => tool.server === server && tool.digest,
  )
  const gateway = gatewayOf(seen, state, server, options.gateway)
  const chosen = choose(
    seen.filter((tool) => tool.gateway === gateway),
    server,
    names,
    options.all,
  )
  const set = chosen.map(({ name, digest }) => ({ name, digest: digest!, risk: risks(name) }))
  const outcomes = await signInParts(context, person, gateway, server, set, [])
  return reportOf(server, gateway, set, outcomes)
}

/** A risk class is always said, never guessed: the server's own hints are its own word. */
async function readRisks({ risk, riskFile }: Options): Promise<(tool: string) => RiskClass> {
  const table = riskFile === undefined ? {} : parseRiskFile(await readFile(riskFile, 'utf8'), riskFile)
  if (risk !== undefined) requireRisk(risk)
  return (tool) => {
    const said = Object.hasOwn(table, tool) ? table[tool] : risk
    if (said === undefined)
      throw usageError(`no risk class is said for ${tool}`, `add --risk <class> (${RISK_CLASSES.join(', ')}) or --risk-file <file>`)
    return said
  }
}

function parseRiskFile(text: string, path: string): Record<string, RiskClass> {
  const value = parseStrictJson(text, { maxBytes: 1 << 20, maxDepth: 2 })
  if (!isJsonObject(value)) throw usageError(`${path} is no JSON object of tool → risk class`)
  for (const risk of Object.values(value)) requireRisk(risk)
  return value as Record<string, RiskClass>
}

function requireRisk(risk: unknown): void {
  if (!(RISK_CLASSES as readonly unknown[]).includes(risk))
    throw usageError(`${String(risk)} is no risk class`, `one of ${RISK_CLASSES.join(', ')}`)
}

/** @throws {CliError} NOT_FOUND; USAGE when several report a server of this name and the log knows none */
function gatewayOf(seen: readonly SeenTool[], state: State, server: string, given: string | undefined): AtSign {
  const gateways = [...new Set(seen.map(({ gateway }) => gateway))]
  const wanted = given ?? state.servers.get(server)?.gateway ?? (gateways.length === 1 ? gateways[0] : undefined)
  if (gateways.length === 0) throw notFound(`no gateway has reported a server ${server}`, 'see that the gateway runs: postern gateway list')
  if (wanted === undefined) throw usageError(`several gateways report ${server}: ${gateways.join(', ')}`, 'add --gateway <atsign>')
  const found = gateways.find((gateway) => gateway === wanted)
  if (!found) throw notFound(`${wanted} has not reported a server ${server}`)
  return found
}

function choose(seen: readonly SeenTool[], server: string, names: readonly string[], all: boolean | undefined): readonly SeenTool[] {
  if (all) return seen
  if (names.length === 0) throw usageError('which tools?', `name them, or add --all: ${seen.map(({ name }) => name).join(' ')}`)
  return names.map((name) => {
    const found = seen.find((tool) => tool.name === name)
    if (!found) throw notFound(`${server} has not reported a tool ${name}`, `postern tools list ${server}`)
    return found
  })
}

async function signInParts(
  context: Context,
  person: SignedIn,
  gateway: AtSign,
  server: string,
  set: readonly PinnedTool[],
  unset: readonly string[],
): Promise<readonly Outcome[]> {
  const sorted = [...set].sort((a, b) => compare(a.name, b.name))
  const outcomes: Outcome[] = []
  for (let i = 0; i === 0 || i < sorted.length; i += TOOLS_PER_STATEMENT) {
    const part = sorted.slice(i, i + TOOLS_PER_STATEMENT)
    const body = { gateway, server, set: part, unset: i === 0 ? unset : [] }
    outcomes.push(await signStatement(context, person, { op: 'server.pin', body: () => body }))
  }
  return outcomes
}

async function unpin(
  context: Context,
  person: SignedIn,
  state: State,
  server: string,
  names: readonly string[],
  { all }: Options,
): Promise<Report> {
  const known = state.servers.get(server)
  if (!known) throw notFound(`no tool of ${server} is pinned`, 'postern tools list')
  if (!all && names.length === 0) throw usageError('which tools?', 'name them, or add --all')
  const unset = all ? ['*'] : [...new Set(names)].sort()
  const outcomes = await signInParts(context, person, known.gateway, server, [], unset)
  return reportOf(server, known.gateway, [], outcomes)
}

function reportOf(server: string, gateway: string, set: readonly PinnedTool[], outcomes: readonly Outcome[]): Report {
  const last = outcomes.at(-1)
  if (!last) throw new CliError('USAGE', 'nothing to pin', { exit: 'usage' })
  return {
    schema: 'tools.pin',
    data: { server, gateway, tools: set, statements: outcomes },
    ids: outcomes.map(({ hash }) => hash),
    lines: outcomes.map(outcomeText),
    exit: outcomes.every(({ status }) => status === 'appended') ? 'done' : 'pending',
  }
}
