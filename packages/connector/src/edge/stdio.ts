import type { RpcMessage } from '@postern/core'
import { createError, RPC_CODES } from '@postern/core'
import type { ConnectorDeps } from '../deps.ts'
import type { ClientSession, SessionOpener } from '../session/client-session.ts'
import { createLineReader, MAX_LINE_BYTES } from './lines.ts'
import { readClient } from './read-client.ts'

export interface StdioEdge {
  /** Settles when the client has gone and everything it asked for is answered. */
  readonly ended: Promise<void>
  close(): Promise<void>
}

/** How long a client that has closed its end may wait for what is still open. */
const drainMs = 8_000
/** SDK clients lose a progress notification that reaches them together with the response after it (mcp.md G8). */
const gapMs = 2
const newline = 0x0a

/** One client on standard input and output: one JSON-RPC message per line, nothing else is ever written. */
export function openStdioEdge(connection: SessionOpener, deps: ConnectorDeps): StdioEdge {
  const { input, output } = deps.stdio
  const ended = Promise.withResolvers<void>()
  const writer = createWriter(deps)
  const session = connection.openSession({ deliver: (message, body) => writer.write(message, body) })
  const reader = createLineReader(
    (line) => {
      const read = readClient(line)
      if ('message' in read) session.receive(read.message, line)
      else writer.writeJson(read.error)
    },
    () => writer.writeJson(createError(undefined, RPC_CODES.invalidRequest, `a line is longer than ${MAX_LINE_BYTES} bytes`)),
  )
  const onEnd = () => {
    void finish(session, deps).then(ended.resolve)
  }
  input.on('data', (chunk: Buffer) => reader.push(chunk))
  input.once('end', onEnd).once('error', onEnd)
  output.on('error', () => ended.resolve()).once('close', () => ended.resolve()) // nobody reads any more
  return {
    ended: ended.promise,
    async close() {
      input.pause()
      session.close()
      writer.flush()
    },
  }
}

async function finish(session: ClientSession, { after }: ConnectorDeps): Promise<void> {
  const late = Promise.withResolvers<void>()
  using _ = after(drainMs, late.resolve)
  await Promise.race([session.drained(), late.promise])
}

interface Writer {
  write(message: RpcMessage, body: Uint8Array): void
  writeJson(json: unknown): void
  /** What is held back, at once. */
  flush(): void
}

/**
 * Messages in their order; those of one turn in one write. A response right behind a notification waits a moment, and everything behind it
 * too.
 */
function createWriter({ stdio: { output }, clock, after }: ConnectorDeps): Writer {
  let batch: Uint8Array[] = []
  let held: Uint8Array[] | undefined
  let notifiedMs = Number.NEGATIVE_INFINITY

  const writeBatch = () => {
    if (batch.length === 0) return
    const lines = Buffer.allocUnsafe(batch.reduce((size, { length }) => size + length + 1, 0))
    let at = 0
    for (const body of batch) {
      lines.set(body, at)
      at += body.length
      lines[at++] = newline
    }
    batch = []
    output.write(lines)
  }
  const put = (body: Uint8Array) => {
    if (batch.push(body) === 1) queueMicrotask(writeBatch)
  }
  const release = () => {
    for (const body of held ?? []) put(body)
    held = undefined
  }
  return {
    write(message, given) {
      const body = given.includes(newline) ? Buffer.from(JSON.stringify(message.json)) : given
      if (held) return void held.push(body)
      if (message.kind === 'notification') notifiedMs = clock.monotonic()
      else if (message.kind === 'response' && clock.monotonic() - notifiedMs < gapMs) {
        held = [body]
        after(gapMs, release)
        return
      }
      put(body)
    },
    writeJson(json) {
      const body = Buffer.from(JSON.stringify(json))
      if (held) held.push(body)
      else put(body)
    },
    flush() {
      release()
      writeBatch()
    },
  }
}
