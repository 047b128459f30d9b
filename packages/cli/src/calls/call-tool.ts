import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import type { ConnectorConfig } from '@postern/connector'
import { start, systemDeps } from '@postern/connector'
import type { JsonObject, JsonValue, Receipt } from '@postern/core'
import { isJsonObject, parseStrictJson, REFUSAL_KEY } from '@postern/core'
import type { Log } from '@postern/daemon'
import { OperationError } from '@postern/daemon'
import { VERSION } from '../version.ts'

/** Why a gateway, or the connector in front of it, said no. */
export interface Refused {
  readonly code: string
  readonly why?: string
  readonly fix?: string
  readonly rule?: string
}

/** What came of one tool call. */
export interface CallOutcome {
  /** The tool's own result, as the server gave it; undefined when it was refused. */
  readonly result?: JsonObject
  readonly refused?: Refused
  /** A JSON-RPC error of the server. */
  readonly error?: { readonly code: number; readonly message: string }
  /** The gateway's receipt, verified: that this result belongs to this call. */
  readonly receipt?: Receipt
  readonly ms: number
}

const LIMITS = { maxBytes: 64 << 20, maxDepth: 128 }
const PROTOCOL = '2025-11-25'
const CLIENT = { name: 'postern', version: VERSION }

/**
 * Calls one tool through a connector that lives as long as the call: the same code, checks and receipts as for any MCP client.
 * @throws {ConnectorError} {OperationError} when the agent cannot be used; TIMED_OUT
 */
export async function callTool(config: ConnectorConfig, tool: string, args: JsonObject, log: Log, timeoutMs: number): Promise<CallOutcome> {
  const pipe = { input: new PassThrough(), output: new PassThrough() }
  let receipt: Receipt | undefined
  const onReceipt = (shown: Receipt) => {
    receipt = shown
  }
  const running = await start(config, { ...systemDeps(log), stdio: pipe, onReceipt })
  const began = performance.now()
  try {
    const rpc = openRpc(pipe, timeoutMs)
    const greeting = await rpc.request('initialize', { protocolVersion: PROTOCOL, capabilities: {}, clientInfo: CLIENT })
    if (greeting.error) return { ...outcomeOf(greeting), ms: Math.round(performance.now() - began) }
    rpc.notify('notifications/initialized')
    const sent = performance.now()
    const answer = await rpc.request('tools/call', { name: tool, arguments: args })
    return { ...outcomeOf(answer), ...(receipt ? { receipt } : {}), ms: Math.round(performance.now() - sent) }
  } finally {
    await running.close()
  }
}

/** A JSON-RPC client of one line per message: what the stdio transport of MCP is. */
function openRpc({ input, output }: { input: PassThrough; output: PassThrough }, timeoutMs: number) {
  const waiting = new Map<number, (message: JsonObject) => void>()
  createInterface({ input: output }).on('line', (line) => {
    const message = parseStrictJson(line, LIMITS)
    if (!isJsonObject(message) || typeof message.id !== 'number') return
    waiting.get(message.id)?.(message)
    waiting.delete(message.id)
  })
  const send = (message: JsonObject) => input.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  let last = 0
  return {
    notify: (method: string) => void send({ method }),
    request(method: string, params: JsonObject): Promise<JsonObject> {
      last += 1
      const id = last
      return new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new OperationError('TIMED_OUT', `no answer to ${method} within ${timeoutMs / 1000} s`)),
          timeoutMs,
        )
        waiting.set(id, (message) => {
          clearTimeout(timer)
          resolve(message)
        })
        send({ id, method, params })
      })
    },
  }
}

function outcomeOf(message: JsonObject): Omit<CallOutcome, 'ms'> {
  const { result, error } = message
  if (error && isJsonObject(error)) {
    const refused = refusalIn(error.data)
    return refused ? { refused } : { error: { code: Number(error.code), message: String(error.message) } }
  }
  if (!result || !isJsonObject(result)) return { error: { code: 0, message: 'neither result nor error' } }
  const refused = isJsonObject(result._meta) ? refusalIn(result._meta) : undefined
  return refused ? { refused } : { result }
}

function refusalIn(value: JsonValue | undefined): Refused | undefined {
  const found = value !== undefined && isJsonObject(value) ? value[REFUSAL_KEY] : undefined
  return found !== undefined && isJsonObject(found) ? (found as unknown as Refused) : undefined
}
