import type { AtSign, ControlClient, JsonObject, RiskClass, ServerPin, State } from '@postern/core'
import { toolDigest } from '@postern/core'
import { surroundings } from '../surroundings.ts'

/** A tool as a gateway reported it, and as the log knows it. */
export interface SeenTool {
  readonly gateway: AtSign
  readonly server: string
  readonly name: string
  /** Of the definition as reported; undefined: pinned, but not reported. */
  readonly digest: string | undefined
  readonly state: 'pinned' | 'changed' | 'new' | 'unreported'
  readonly risk: RiskClass | undefined
  readonly description: string
}

interface Reported {
  readonly servers: readonly { readonly name: string; readonly tools: readonly JsonObject[]; readonly reported: number }[]
}

/** What every gateway reports; one that has reported nothing yet has no tools. */
export async function readTools(client: ControlClient, state: State, gateways: readonly AtSign[]): Promise<readonly SeenTool[]> {
  const found = await Promise.all(gateways.map(async (gateway) => ({ gateway, servers: await reportedBy(client, gateway) })))
  const reported = found.flatMap(({ gateway, servers }) =>
    servers.flatMap(({ name, tools }) => tools.map((tool) => seenTool(state, gateway, name, tool))),
  )
  const names = new Set(reported.map(({ server, name }) => `${server}\n${name}`))
  const missing = [...state.servers.values()].flatMap((server) =>
    pinnedTools(server).filter(({ name }) => !names.has(`${server.server}\n${name}`)),
  )
  return [...reported, ...missing].sort((a, b) => compare(a.server, b.server) || compare(a.name, b.name))
}

export const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

async function reportedBy(client: ControlClient, gateway: AtSign): Promise<Reported['servers']> {
  try {
    return (await client.call<Reported>(`/api/v1/fleet/${encodeURIComponent(gateway)}/tools`)).servers
  } catch (error) {
    if ((error as { status?: number }).status === 404) return []
    throw error
  }
}

function seenTool(state: State, gateway: AtSign, server: string, tool: JsonObject): SeenTool {
  const name = String(tool.name)
  const digest = toolDigest(tool, surroundings.suite)
  const pin = state.servers.get(server)
  const known = pin?.gateway === gateway ? pin.tools.get(name) : undefined
  const description = typeof tool.description === 'string' ? tool.description : ''
  return {
    gateway,
    server,
    name,
    digest,
    state: known ? (known.digest === digest ? 'pinned' : 'changed') : 'new',
    risk: known?.risk,
    description,
  }
}

const pinnedTools = ({ gateway, server, tools }: ServerPin): readonly SeenTool[] =>
  [...tools].map(([name, { risk }]) => ({ gateway, server, name, digest: undefined, state: 'unreported', risk, description: '' }))
