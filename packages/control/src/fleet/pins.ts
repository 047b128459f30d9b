import type { JsonObject, ServerPin, State } from '@postern/core'
import { canonicalText, isJsonObject, RISK_CLASSES, toolDigest, toolName, VerifyError } from '@postern/core'
import type { Context, Control } from '../context.ts'
import { actorOf } from '../context.ts'
import { ControlError } from '../errors.ts'
import { secondsOf } from '../time.ts'

const HINTS = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'] as const
const MAX_TEXT = 500
const MAX_DEFINITION = 65_536

/** `pinned`: callable as it is. `changed`: refused until somebody signs the new definition. `gone`: pinned, but not reported. */
export type PinState = 'pinned' | 'unpinned' | 'changed' | 'gone'

/** A tool as its server tells it and as the log knows it. */
export interface SeenTool {
  readonly name: string
  readonly state: PinState
  /** Its name and definition can be signed. */
  readonly pinnable: boolean
  /** What the server claims to be true of it. */
  readonly hints: readonly string[]
  readonly title?: string
  readonly description?: string
  readonly description_length?: number
  /** Of the definition as reported. */
  readonly digest?: string
  /** Our class, as it was signed. */
  readonly risk?: string
  readonly pinned_digest?: string
}

/** A gateway's servers and tools as it reports them, beside what is pinned in the log. @throws {ControlError} NOT_FOUND */
export async function readPins(context: Context, gateway: string) {
  const { org } = actorOf(context)
  const { control } = context
  const { state } = control.ledger
  if (state?.identities.get(gateway as never)?.kind !== 'gateway') throw new ControlError('NOT_FOUND', `${gateway} is not a gateway`)
  const rows = await control.db.prisma.toolReport.findMany({ where: { org, gateway }, orderBy: { server: 'asc' } })
  const reported = new Map(rows.map((row) => [row.server, row]))
  const pinned = [...state.servers.values()].filter((pin) => pin.gateway === gateway).map(({ server }) => server)
  const servers = [...new Set([...reported.keys(), ...pinned])].sort().map((server) => {
    const row = reported.get(server)
    const pin = state.servers.get(server)
    return {
      ...{ server, tools: toolsOf(pin?.gateway === gateway ? pin : undefined, (row?.tools ?? []) as unknown as JsonObject[], control) },
      ...(row ? { reported: secondsOf(row.reportedAt) } : {}),
      ...(pin && pin.gateway !== gateway ? { taken: pin.gateway as string } : {}),
    }
  })
  return { gateway, servers, risks: RISK_CLASSES as readonly string[] }
}

function toolsOf(pin: ServerPin | undefined, reported: readonly JsonObject[], { suite }: Control): readonly SeenTool[] {
  const seen = reported.map((tool) => {
    const name = String(tool.name)
    const digest = digestOf(tool, suite)
    const known = pin?.tools.get(name)
    const state: PinState = known ? (known.digest === digest ? 'pinned' : 'changed') : 'unpinned'
    return {
      ...{ name, state, pinnable: digest !== undefined && isToolName(name), ...claimsOf(tool) },
      ...(digest === undefined ? {} : { digest }),
      ...(known ? { risk: known.risk as string, pinned_digest: known.digest } : {}),
    }
  })
  const names = new Set(seen.map(({ name }) => name))
  const gone = [...(pin?.tools ?? [])]
    .filter(([name]) => !names.has(name))
    .map(([name, { digest, risk }]) => ({
      ...{ name, state: 'gone' as const, pinnable: false, hints: [], risk: risk as string, pinned_digest: digest },
    }))
  return [...seen, ...gone].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** What the server says about its own tool. Nothing of it is believed. */
function claimsOf({ title, description, annotations }: JsonObject) {
  const claimed = annotations && isJsonObject(annotations) ? annotations : {}
  return {
    hints: HINTS.filter((hint) => claimed[hint] === true).map((hint) => hint as string),
    ...(typeof title === 'string' ? { title: title.slice(0, MAX_TEXT) } : {}),
    ...(typeof description === 'string' ? { description: description.slice(0, MAX_TEXT), description_length: description.length } : {}),
  }
}

/** Undefined for a definition that has no canonical form, and so no digest. */
function digestOf(tool: JsonObject, suite: Control['suite']): string | undefined {
  try {
    return toolDigest(tool, suite)
  } catch (error) {
    if (error instanceof VerifyError) return undefined
    throw error
  }
}

function isToolName(name: string): boolean {
  try {
    return toolName(name, 'name') === name
  } catch (error) {
    if (error instanceof VerifyError) return false
    throw error
  }
}

/** Both definitions of one tool as text to compare, members in canonical order. @throws {ControlError} NOT_FOUND */
export async function readDefinitions(context: Context, { gateway, server, tool }: { gateway: string; server: string; tool: string }) {
  const { org } = actorOf(context)
  const { control } = context
  const row = await control.db.prisma.toolReport.findUnique({ where: { org_gateway_server: { org, gateway, server } } })
  const now = ((row?.tools ?? []) as unknown as JsonObject[]).find(({ name }) => name === tool)
  const pin = pinOf(control.ledger.state, gateway, server, tool)
  if (!now && !pin) throw new ControlError('NOT_FOUND', `${gateway} has no tool ${server}.${tool}`)
  const stored = pin
    ? await control.db.prisma.toolDefinition.findUnique({
        where: { org_gateway_server_digest: { org, gateway, server, digest: pin.digest } },
      })
    : undefined
  return {
    ...(now ? { now: pretty(now) } : {}),
    ...(stored ? { pinned: pretty(stored.definition as JsonObject) } : {}),
    ...(pin ? { pinned_digest: pin.digest } : {}),
  }
}

const pinOf = (state: State | undefined, gateway: string, server: string, tool: string) => {
  const pin = state?.servers.get(server)
  return pin?.gateway === gateway ? pin.tools.get(tool) : undefined
}

function pretty(definition: JsonObject): string {
  try {
    return JSON.stringify(JSON.parse(canonicalText(definition)), null, 2).slice(0, MAX_DEFINITION)
  } catch {
    return JSON.stringify(definition, null, 2).slice(0, MAX_DEFINITION) // it has no canonical form, which is worth seeing too
  }
}
