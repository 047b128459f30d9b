import { hostname } from 'node:os'
import type { ControlClient, Suite, ToolDefinition } from '@postern/core'
import type { Environment, Log } from '@postern/daemon'
import type { GatewayFile } from './config.ts'
import { childEnvironment } from './config.ts'
import type { GrantsOut } from './grants/grants-out.ts'
import { probeTools } from './upstream/probe.ts'
import type { OpenUpstream } from './upstream/upstream.ts'

export interface PresenceParts {
  readonly client: ControlClient
  readonly config: () => Pick<GatewayFile, 'servers'>
  readonly environment: Environment
  readonly open: OpenUpstream
  readonly suite: Suite
  readonly version: string
  readonly log: Log
  /** Unix seconds. */
  readonly now: () => number
  readonly grantsOut: GrantsOut
  /** Relay addresses that the control plane names: a hint. */
  readonly onRelays: (urls: readonly string[]) => void
}

const probeMs = 20_000
const maxTools = 1024

/** Tells the control plane that this gateway is there and which tools its servers have. None of it is authority. */
export interface Presence {
  /** Never rejects. */
  report(): Promise<void>
  /** Starts each server once and asks for its tools; they go with the next report. */
  probe(): Promise<void>
}

export function createPresence(parts: PresenceParts): Presence {
  const { client, log, version } = parts
  let tools = new Map<string, readonly ToolDefinition[]>()
  let isToolsDue = false

  return {
    async report() {
      const servers = isToolsDue ? { servers: [...tools].map(([name, list]) => ({ name, tools: list })) } : {}
      isToolsDue = false
      try {
        const now = parts.now()
        const json = { version, host: hostname().slice(0, 128), now, grants: parts.grantsOut.report(now), ...servers }
        const { relays } = await client.call<{ relays: readonly string[] }>('/api/v1/presence', { json })
        parts.onRelays(relays)
      } catch (error) {
        isToolsDue ||= 'servers' in servers
        log.debug({ code: (error as { code?: string }).code }, 'presence could not be reported')
      }
    },
    async probe() {
      const found = new Map<string, readonly ToolDefinition[]>()
      for (const [name, server] of Object.entries(parts.config().servers)) {
        const { command, args, cwd } = server
        const at = { command, args, cwd, environment: childEnvironment(server, parts.environment) }
        const list = await probeTools(at, { open: parts.open, suite: parts.suite, timeoutMs: probeMs })
        if (list) found.set(name, list.slice(0, maxTools))
        else log.warn({ server: name, command }, 'the server did not say which tools it has')
      }
      tools = found
      isToolsDue = true
    },
  }
}
