import type { ChildProcessWithoutNullStreams, SpawnOptionsWithoutStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import { gather } from '@postern/daemon'
import { createLineSplitter } from './lines.ts'
import type { OpenUpstream, ServerCommand, Upstream, UpstreamEvents } from './upstream.ts'

/** The SDK's own bound for a line of stdio. */
const maxLineBytes = 10 * 1024 * 1024
/** What we hold for a child that does not read. */
const maxUnreadBytes = 16 * 1024 * 1024
const graceMs = 2_000

export interface StdioOptions {
  /** What the child wrote to stderr, as a size: its text may hold arguments and secrets. */
  onStderr?: (bytes: number) => void
  /** A line on stdout that was longer than the bound, or a part of one. */
  onTooLong?: () => void
}

/**
 * Runs an MCP server as a child process: no shell, its own process group, exactly the given environment, JSON-RPC lines on stdin and stdout.
 * A command that cannot be started is reported through `onClosed`, like a child that dies.
 */
export function createStdioOpener(options: StdioOptions = {}): OpenUpstream {
  return (server, events) => {
    const child = startChild(server)
    if (!child) return neverStarted(events)
    const gone = watchEnd(child, events)
    child.stdout.on(
      'data',
      createLineSplitter(maxLineBytes, events.onMessage, () => options.onTooLong?.()),
    )
    child.stderr.on('data', (chunk: Buffer) => options.onStderr?.(chunk.length))
    child.stdin.on('error', () => {}) // EPIPE: the child is gone, which `gone` reports
    return {
      send(message) {
        if (child.exitCode !== null || child.signalCode !== null || child.stdin.destroyed) return false
        if (child.stdin.writableLength + message.length > maxUnreadBytes) return false
        gather(child.stdin)
        child.stdin.write(`${message}\n`)
        return true
      },
      close: () => endChild(child, gone),
    }
  }
}

/** Undefined for a command that no system could start, e.g. with a zero byte in it. */
function startChild(server: ServerCommand): ChildProcessWithoutNullStreams | undefined {
  const options: SpawnOptionsWithoutStdio = {
    stdio: 'pipe',
    shell: false,
    detached: true, // its own group, so that what a wrapper such as npx started ends with it
    env: { ...server.environment } as NodeJS.ProcessEnv,
    ...(server.cwd === undefined ? {} : { cwd: server.cwd }),
  }
  try {
    return spawn(server.command, [...server.args], options)
  } catch {
    return undefined
  }
}

function neverStarted(events: UpstreamEvents): Upstream {
  queueMicrotask(() => events.onClosed('could not be started: not a command'))
  return { send: () => false, close: async () => {} }
}

function watchEnd(child: ChildProcessWithoutNullStreams, events: UpstreamEvents): Promise<void> {
  return new Promise((resolve) => {
    const end = (reason: string) => {
      resolve()
      events.onClosed(reason)
    }
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) end(`could not be started: ${error.code ?? 'unknown error'}`)
    })
    child.once('close', (code, signal) => {
      if (child.pid !== undefined) end(signal ? `ended by ${signal}` : `ended with exit code ${code}`)
    })
  })
}

async function endChild(child: ChildProcessWithoutNullStreams, gone: Promise<void>): Promise<void> {
  child.stdin.end()
  if (await settledWithin(gone, graceMs)) return
  signalGroup(child, 'SIGTERM')
  if (await settledWithin(gone, graceMs)) return
  signalGroup(child, 'SIGKILL')
  child.stdout.destroy() // a grandchild that left the group could hold the pipe, and 'close' would wait for it
  child.stderr.destroy()
  await gone
}

function signalGroup(child: ChildProcessWithoutNullStreams, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    child.kill(signal)
  }
}

async function settledWithin(done: Promise<void>, ms: number): Promise<boolean> {
  const timer = Promise.withResolvers<boolean>()
  const handle = setTimeout(() => timer.resolve(false), ms)
  const settled = await Promise.race([done.then(() => true), timer.promise])
  clearTimeout(handle)
  return settled
}
