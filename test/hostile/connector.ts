// The real connector with a test's hands on its clock and network, and a client that speaks JSON-RPC by the line.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { RunningConnector } from '@postern/connector'
import { start, systemDeps } from '@postern/connector'
import { createLog } from '@postern/daemon'
import type { FakeClock } from '../fixtures/gateway/fake-clock.ts'
import type { FakeRelay } from '../fixtures/gateway/fake-relay.ts'
import { until } from '../fixtures/processes.ts'

export interface HostileConnector {
  readonly running: RunningConnector
  readonly lines: readonly { readonly msg: string; readonly kind?: string; readonly code?: string; readonly proven?: boolean }[]
  /** Calls a tool as an MCP client does: 'RAN', or the code of the refusal. */
  call(tool: string): Promise<string>
  /** Waits for the alarm of that kind. */
  alarm(kind: string): Promise<unknown>
  close(): Promise<void>
}

export interface ConnectorParts {
  /** With the keys in it; another connector may be opened over the same files later. */
  readonly directory: string
  readonly clock: FakeClock
  readonly relay: FakeRelay
  /** How long a request waits for the gateway. */
  readonly waitSeconds?: number
}

export async function openConnector(
  agent: string,
  { directory, clock, relay, waitSeconds = 1 }: ConnectorParts,
): Promise<HostileConnector> {
  const lines: HostileConnector['lines'][number][] = []
  const log = createLog('connector', { level: 'debug', to: { write: (line) => void lines.push(JSON.parse(line)) } })
  const [input, output] = [new PassThrough(), new PassThrough()]
  const answers = new Map<unknown, Answer>()
  let text = ''
  output.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (text + chunk).split('\n')
    text = parts.pop()!
    for (const answer of parts.map((part) => JSON.parse(part))) answers.set(answer.id, answer)
  })
  const deps = systemDeps(log)
  const net = { ...deps.net, openSocket: relay.openSocket.bind(relay) } as typeof deps.net
  const config = {
    agent,
    server: 'tools',
    stateRoot: join(directory, 'state'),
    runtimeRoot: join(directory, 'run'),
    waitSeconds,
    approvalWaitSeconds: 50,
  }
  const random = (n: number) => new Uint8Array(randomBytes(n))
  const running = await start(config, { ...deps, clock, random, net, stdio: { input, output } })
  let last = 0
  const ask = async (method: string, params: object): Promise<Answer> => {
    last += 1
    const id = last
    input.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    return until(`the answer to ${method}`, 15_000, () => answers.get(id))
  }
  let greeting: Promise<unknown> | undefined
  const greet = async () => {
    await ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } })
    input.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`)
  }
  return {
    running,
    lines,
    async call(tool) {
      greeting ??= greet()
      await greeting
      const answer = await ask('tools/call', { name: tool, arguments: {} })
      const refusal = answer.result?._meta?.['dev.postern/refusal'] ?? answer.error?.data?.['dev.postern/refusal']
      return answer.result && !answer.result.isError ? 'RAN' : (refusal?.code ?? JSON.stringify(answer))
    },
    alarm: (kind) =>
      until(`the alarm ${kind} among ${JSON.stringify(lines.map((line) => line.kind))}`, 10_000, () =>
        lines.find((line) => line.kind === kind),
      ),
    close: () => running.close(),
  }
}

interface Answer {
  readonly result?: { readonly isError?: boolean; readonly _meta?: Record<string, { readonly code?: string }> }
  readonly error?: { readonly data?: Record<string, { readonly code?: string }> }
}
