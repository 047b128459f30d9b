import type { EdgeNet, EdgeRequest, EdgeSurroundings, SentRequest } from '@postern/core'
import { portable, utf8 } from '@postern/core'
import { SignerError } from '../errors.ts'

/** The control plane said no. `code` and `message` are its own: its word, shown as such. */
export class ControlRefusal extends Error {
  override name = 'ControlRefusal'
  readonly status: number
  readonly code: string
  readonly requestId: string | undefined
  /** Whatever else it said, e.g. who was faster. */
  readonly details: { readonly [name: string]: unknown }
  constructor(status: number, body: unknown) {
    const { code, message, request_id, ...details } = errorIn(body)
    super(typeof message === 'string' ? message.slice(0, 400) : `status ${status}`)
    this.status = status
    this.code = typeof code === 'string' ? code.slice(0, 64) : `HTTP_${status}`
    this.requestId = typeof request_id === 'string' ? request_id.slice(0, 64) : undefined
    this.details = details
  }
}

function errorIn(body: unknown): { readonly [name: string]: unknown } {
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined
  return typeof error === 'object' && error !== null ? (error as { [name: string]: unknown }) : {}
}

const MAX_ANSWER_BYTES = 4 << 20
const TIMEOUT_MS = 20_000

/**
 * Requests as core makes them, over `fetch`: no cookie, no referrer, no redirect, bounded in time and size. Where they may go is decided by
 * the page's connect-src.
 * @throws {SignerError} UNREACHABLE, BAD_ANSWER; {ControlRefusal}
 */
function createNet(fetching: typeof fetch): EdgeNet {
  async function send(request: EdgeRequest): Promise<{ status: number; body: Uint8Array }> {
    const sent = sentOf(request)
    const isSending = request.json !== undefined || request.body !== undefined
    const headers = {
      ...(isSending ? { 'content-type': request.contentType ?? 'application/json' } : {}),
      ...request.headers?.(sent),
    }
    let response: Response
    try {
      response = await fetching(sent.url, {
        ...{ method: sent.method, headers, credentials: 'omit', referrerPolicy: 'no-referrer', redirect: 'error', cache: 'no-store' },
        ...(isSending ? { body: new Uint8Array(sent.body) } : {}),
        signal: AbortSignal.any([AbortSignal.timeout(request.timeoutMs ?? TIMEOUT_MS), ...signalsOf(request.signal)]),
      })
    } catch (cause) {
      throw new SignerError('UNREACHABLE', new URL(sent.url).origin, { cause })
    }
    const body = await readBounded(response, request.maxResponseBytes ?? MAX_ANSWER_BYTES)
    if (!response.ok) throw new ControlRefusal(response.status, jsonOrUndefined(body))
    return { status: response.status, body }
  }
  return {
    requestBytes: send,
    async requestJson<T>(request: EdgeRequest) {
      const { status, body } = await send(request)
      return { status, body: parseAnswer(body) as T }
    },
    openSocket() {
      throw new TypeError('a signing page opens no sockets')
    },
  }
}

const signalsOf = (signal: unknown): AbortSignal[] => (signal instanceof AbortSignal ? [signal] : [])

function sentOf({ url, method, json, body }: EdgeRequest): SentRequest {
  const bytes = json === undefined ? (body ?? new Uint8Array(0)) : utf8(JSON.stringify(json))
  return { url, method: method ?? (json === undefined && body === undefined ? 'GET' : 'POST'), body: bytes }
}

async function readBounded(response: Response, max: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = response.body?.getReader()
  for (;;) {
    const read = await reader?.read()
    if (!read || read.done) break
    size += read.value.length
    if (size > max) throw new SignerError('BAD_ANSWER', `more than ${max} bytes`)
    chunks.push(read.value)
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

function parseAnswer(body: Uint8Array): unknown {
  if (body.length === 0) return undefined
  try {
    return JSON.parse(new TextDecoder().decode(body))
  } catch (cause) {
    throw new SignerError('BAD_ANSWER', 'not JSON', { cause })
  }
}

function jsonOrUndefined(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body))
  } catch {
    return undefined
  }
}

/** What core takes from its surroundings, as a browser has it. */
export function createSurroundings(fetching: typeof fetch = (...args) => fetch(...args)): EdgeSurroundings {
  return {
    clock: { wall: () => Date.now(), monotonic: () => performance.now() },
    random: (n) => crypto.getRandomValues(new Uint8Array(n)),
    suite: portable,
    net: createNet(fetching),
  }
}

export const nowOf = ({ clock }: Pick<EdgeSurroundings, 'clock'>): number => Math.floor(clock.wall() / 1000)
