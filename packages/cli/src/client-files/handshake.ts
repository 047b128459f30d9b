import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, places, readHealth } from '@postern/daemon'
import type { Environment } from '../config.ts'

/** A connector that runs on this machine, by its own word. Names of clients are what they call themselves. */
export interface RunningConnector {
  readonly agent: string
  readonly server: string
  readonly pid: number
  /** Undefined: started, and no client has introduced itself. */
  readonly client?: { readonly name: string; readonly version: string; readonly at: number }
  /** How many tools it listed last. */
  readonly tools?: number
  /** Unix seconds of the last tool call. */
  readonly called?: number
  /** Why it cannot reach the gateway. */
  readonly trouble?: string
}

/** Every connector of this user: clients start them without a runtime directory, terminals with one. */
export async function listConnectors(environment: Environment): Promise<readonly RunningConnector[]> {
  const at = places(environment)
  const reports = await Promise.all([at.runtime, undefined].map((runtime) => reportsIn({ ...at, runtime })))
  const found = reports.flat().flatMap((report) => (isConnector(report) ? [report] : []))
  return [...new Map(found.map((connector) => [connector.pid, tidied(connector)])).values()]
}

async function reportsIn(at: ReturnType<typeof places>) {
  try {
    const names = (await readdir(at.runtime ?? join(at.state, 'run'))).filter((name) => name.endsWith('.sock'))
    return await Promise.all(names.map((name) => readHealth(name.slice(0, -'.sock'.length), at)))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

const isConnector = (report: unknown): report is RunningConnector & { name: string } =>
  typeof report === 'object' && report !== null && 'name' in report && report.name === 'connector'

function tidied({ agent, server, pid, client, tools, called, trouble }: RunningConnector): RunningConnector {
  return {
    ...{ agent, server, pid },
    ...(client ? { client } : {}),
    ...(typeof tools === 'number' ? { tools } : {}),
    ...(typeof called === 'number' ? { called } : {}),
    ...(trouble ? { trouble } : {}),
  }
}

const EVERY_MS = 250

/** Waits until a client has introduced itself to a connector for this agent and server. @returns undefined when nobody did in time */
export async function awaitHandshake(
  { agent, server }: Pick<RunningConnector, 'agent' | 'server'>,
  waitSeconds: number,
  environment: Environment,
): Promise<RunningConnector | undefined> {
  const until = performance.now() + waitSeconds * 1000
  for (;;) {
    const connectors = await listConnectors(environment)
    const found = connectors.find((one) => one.agent === agent && one.server === server && one.client)
    if (found || performance.now() >= until) return found
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
  }
}
