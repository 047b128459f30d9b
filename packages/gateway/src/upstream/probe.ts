import type { JsonObject, RpcMessage, Suite, ToolDefinition } from '@postern/core'
import { classify, createError, parseStrictJson, RPC_CODES, VerifyError } from '@postern/core'
import { createToolLister, isOwnId } from '../session/tool-lister.ts'
import type { OpenUpstream, ServerCommand } from './upstream.ts'

const limits = { maxBytes: 8 << 20, maxDepth: 128 }
const helloId = 'postern:hello'
const clientInfo = { name: 'postern-gateway', version: '1' }
const legacyVersion = '2025-11-25'
const modernEnvelope: JsonObject = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': clientInfo,
}

export interface ProbeParts {
  readonly open: OpenUpstream
  readonly suite: Suite
  readonly timeoutMs: number
}

/**
 * Starts a server once to ask which tools it has, so that people have something to look at and pin. First as a client of 2025 would, and if
 * the server does not know that, as one of 2026, in a child of its own: some servers end when they are asked what they do not expect.
 * @returns undefined when it says nothing useful in time.
 */
export async function probeTools(command: ServerCommand, parts: ProbeParts): Promise<readonly ToolDefinition[] | undefined> {
  return (await probeAs('legacy', command, parts)) ?? (await probeAs('modern', command, parts))
}

async function probeAs(
  era: 'legacy' | 'modern',
  command: ServerCommand,
  { open, timeoutMs }: ProbeParts,
): Promise<readonly ToolDefinition[] | undefined> {
  const done = Promise.withResolvers<readonly ToolDefinition[] | undefined>()
  const timer = setTimeout(() => done.resolve(undefined), timeoutMs)
  const lister = createToolLister((message) => upstream.send(message))
  const list = (envelope: JsonObject) => void lister.list(envelope).then(done.resolve)
  const upstream = open(command, {
    onMessage(line) {
      const message = read(line)
      if (message?.kind === 'request') upstream.send(JSON.stringify(createError(message.id, RPC_CODES.methodNotFound, 'not here')))
      if (message?.kind !== 'response') return
      if (message.id !== helloId) return isOwnId(message.id) ? lister.onResponse(message) : undefined
      if (!message.result) return done.resolve(undefined)
      upstream.send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }))
      list({})
    },
    onClosed: () => done.resolve(undefined),
  })
  if (era === 'modern') list(modernEnvelope)
  else upstream.send(JSON.stringify(hello))
  const tools = await done.promise
  clearTimeout(timer)
  await upstream.close()
  return tools
}

const hello = {
  jsonrpc: '2.0',
  id: helloId,
  method: 'initialize',
  params: { protocolVersion: legacyVersion, capabilities: {}, clientInfo },
}

function read(line: Buffer): RpcMessage | undefined {
  try {
    return classify(parseStrictJson(line, limits))
  } catch (error) {
    if (error instanceof VerifyError) return undefined
    throw error
  }
}
