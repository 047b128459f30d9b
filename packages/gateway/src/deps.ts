import { randomBytes } from 'node:crypto'
import type { EdgeNet, Suite } from '@postern/core'
import type { Clock, EventSourceOptions, EventStream, Log } from '@postern/daemon'
import { createLog, native, openEventSource, openSocket, requestBytes, requestJson, systemClock } from '@postern/daemon'
import { createStdioOpener } from './upstream/stdio.ts'
import type { OpenUpstream } from './upstream/upstream.ts'

/** The ways out of this process. Tests put an in-memory network in their place. */
export interface Net extends EdgeNet {
  openEventSource(url: string, options: EventSourceOptions): EventStream
}

/** Everything the gateway takes from its surroundings; the rest is configuration or comes signed. */
export interface GatewayDeps {
  readonly clock: Clock
  readonly random: (n: number) => Uint8Array
  readonly log: Log
  readonly suite: Suite
  readonly net: Net
  /** How MCP servers are reached. */
  readonly openUpstream: (log: Log) => OpenUpstream
  /** Runs something again and again until disposed. */
  readonly every: (ms: number, run: () => void) => Disposable
}

export function systemDeps(log: Log = createLog('gateway')): GatewayDeps {
  return {
    clock: systemClock,
    random: (n) => new Uint8Array(randomBytes(n)),
    log,
    suite: native,
    net: { openSocket, openEventSource, requestJson, requestBytes } as Net,
    openUpstream: (log) =>
      createStdioOpener({
        onStderr: (bytes) => log.debug({ bytes }, 'a server wrote to stderr'),
        onTooLong: () => log.warn('a server wrote a line beyond the bound, which was dropped'),
      }),
    every(ms, run) {
      const timer = setInterval(run, ms)
      return { [Symbol.dispose]: () => clearInterval(timer) }
    },
  }
}
