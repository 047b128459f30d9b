import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { Environment } from '@postern/daemon'
import { errnoOf, OperationError, places, readConfig } from '@postern/daemon'
import { parse } from 'smol-toml'
import { z } from 'zod'

const atSign = z.string().regex(/^@[a-z0-9][a-z0-9_-]{0,54}$/, 'is not an atSign')
const serverName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'is not a server name (a-z, 0-9, ., _ and -, at most 64)')
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not the name of an environment variable')

/** One MCP server behind this gateway. Nothing here ever comes from the wire. */
const server = z.strictObject({
  /** What to start; no shell reads it. Absolute, or found in PATH. Wrong: every session on the server ends with SERVER_FAILED. */
  command: z.string().min(1),
  args: z.array(z.string()).default([]),
  /** Working directory. Wrong: the server cannot be started. */
  cwd: z.string().refine(isAbsolute, 'is not an absolute path').optional(),
  /** Names that the server may see of the gateway's own environment, beside HOME LOGNAME PATH SHELL TERM USER. Missing one: it works by hand and fails here. */
  env: z.array(variable).default([]),
  /** Variables with their values. They stand in this file, which should be 0600 then. */
  set: z.record(variable, z.string()).default({}),
})

/** What stands in `gateway/<atsign>.toml`. */
const file = z.strictObject({
  /** Instead of the address in the join string, when the control plane has moved. Wrong: the gateway goes stale and refuses. */
  control: z.url({ protocol: /^https?$/ }).optional(),
  /** Instead of the relays that the control plane names. Wrong: no agent reaches this gateway. */
  relays: z
    .array(z.url({ protocol: /^wss?$/ }))
    .max(4)
    .optional(),
  servers: z.record(serverName, server).default({}),
  limits: z
    .strictObject({
      /** MCP servers running at once, over all agents. Too low: sessions are refused with BUSY; too high: memory. */
      children: z.int().min(1).max(10_000).default(128),
      sessions_per_agent: z.int().min(1).max(1_000).default(16),
      channels_per_agent: z.int().min(1).max(1_000).default(8),
      /** Calls that wait for a person, of one agent and in all; further ones are refused with BUSY. Too high: people are asked more than they can answer. */
      held_calls_per_agent: z.int().min(1).max(1_000).default(16),
      held_calls: z.int().min(1).max(10_000).default(128),
      /** Calls of one session that wait for the server. */
      calls_in_flight: z.int().min(1).max(10_000).default(256),
      /** After which a running call counts as unknown. Too low: slow tools look as if nobody knew what they did. */
      call_seconds: z.int().min(1).max(86_400).default(600),
    })
    .prefault({}),
  journal: z
    .strictObject({
      /** What old calls leave behind. Too low: an old call id could run again, and receipts that never reached the control plane are lost. */
      megabytes: z.int().min(8).max(1_000_000).default(256),
      segment_megabytes: z.int().min(1).max(1_000).default(16),
    })
    .prefault({}),
})

export type ServerConfig = z.output<typeof server>
export type GatewayFile = z.output<typeof file>

export interface GatewayConfig extends GatewayFile {
  readonly atsign: string
  /** Parent of `gateway/<atsign>/`. */
  readonly stateRoot: string
  /** Where the toml file is; read again when it changes. */
  readonly path: string
  /** Directory of the health socket; undefined: beside the state. */
  readonly runtimeRoot: string | undefined
  /** The gateway's own environment, of which servers see what is allowed. */
  readonly environment: Environment
}

export const configPath = (atsign: string, configRoot = places().config): string => join(configRoot, 'gateway', `${atsign}.toml`)

/**
 * Reads the configuration of one gateway; a missing file is one without servers.
 * @throws {OperationError} CONFIG_INVALID, with every problem
 */
export async function readGatewayConfig(name: string, environment: Environment = process.env): Promise<GatewayConfig> {
  const at = places(environment)
  const atsign = readConfig(atSign, name, () => 'atSign')
  const path = configPath(atsign, at.config)
  return { ...(await readGatewayFile(path)), atsign, path, stateRoot: at.state, runtimeRoot: at.runtime, environment }
}

/** @throws {OperationError} CONFIG_INVALID */
export async function readGatewayFile(path: string): Promise<GatewayFile> {
  return parseGatewayFile(await textOf(path), path)
}

export function parseGatewayFile(text: string, path = 'configuration'): GatewayFile {
  return readConfig(file, parseToml(text, path), (option) => `${path}: ${option}`)
}

function parseToml(text: string, path: string): unknown {
  try {
    return parse(text)
  } catch (cause) {
    throw new OperationError('CONFIG_INVALID', `${path} is not TOML: ${(cause as Error).message}`, { cause })
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return ''
    throw new OperationError('CONFIG_INVALID', `cannot read ${path}`, { cause })
  }
}

const alwaysPassed = ['HOME', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'USER']

/** The whole environment of a server: the six variables every program expects, those it was allowed, those it was given. */
export function childEnvironment(server: ServerConfig, own: Environment): Record<string, string> {
  const passed = [...alwaysPassed, ...server.env].flatMap((name) => {
    const value = own[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(passed), ...server.set }
}
