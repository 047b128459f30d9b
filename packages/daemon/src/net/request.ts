import { errnoOf, OperationError } from '../errors.ts'

export interface RequestOptions {
  readonly method?: string
  readonly url: string
  /** Sent as they are. */
  readonly body?: Uint8Array | undefined
  readonly contentType?: string
  /** Further headers, made for exactly what is sent: this is where a request is signed. */
  readonly headers?: (request: { method: string; url: string; body: Uint8Array }) => Record<string, string>
  /** For the whole exchange, the answer's body included. Default 10 s. */
  readonly timeoutMs?: number
  /** Default 1 MiB. */
  readonly maxResponseBytes?: number
  readonly signal?: AbortSignal
}

export interface Answer<T> {
  readonly status: number
  readonly headers: Headers
  readonly body: T
}

const NOTHING = new Uint8Array(0)

/**
 * One HTTP exchange. Redirects are not followed: a server we trust no more than its address cannot send us elsewhere.
 * @returns The answer, if its status is 2xx.
 * @throws {OperationError} The server's own code from `{"error":{code,message,fix,request_id}}`; else `HTTP_ERROR`, `UNREACHABLE`,
 *   `TIMED_OUT`, `TOO_LARGE`. Retryable: no connection, timeout, 429 and 5xx.
 */
export async function requestBytes(options: RequestOptions): Promise<Answer<Uint8Array>> {
  const { url, timeoutMs = 10_000, maxResponseBytes = 1 << 20 } = options
  const timeout = AbortSignal.timeout(timeoutMs)
  const signal = options.signal ? AbortSignal.any([timeout, options.signal]) : timeout
  try {
    const response = await fetch(url, { ...requestOf(options), redirect: 'manual', signal })
    const body = await readBounded(response, maxResponseBytes)
    if (!response.ok) throw refusalOf(response, body, options)
    return { status: response.status, headers: response.headers, body }
  } catch (error) {
    throw networkFailure(url, error, timeout.aborted ? `no answer within ${timeoutMs / 1000} s` : undefined)
  }
}

/**
 * As `requestBytes`, with JSON both ways. An empty answer gives `undefined`. The body is parsed, NOT checked: it is the server's word.
 * @throws {OperationError} Also `BAD_ANSWER` when the answer is not JSON.
 */
export async function requestJson<T = unknown>(options: Omit<RequestOptions, 'body'> & { readonly json?: unknown }): Promise<Answer<T>> {
  const { json, ...rest } = options
  const body = json === undefined ? undefined : new TextEncoder().encode(JSON.stringify(json))
  const method = rest.method ?? (body ? 'POST' : 'GET')
  const answer = await requestBytes({ contentType: 'application/json', ...rest, method, body })
  const text = new TextDecoder().decode(answer.body)
  if (text === '') return { ...answer, body: undefined as T }
  const parsed = parseJson(text)
  if (parsed) return { ...answer, body: parsed.value as T }
  throw new OperationError('BAD_ANSWER', `${hostOf(options.url)} answered something that is not JSON`, { status: answer.status })
}

function requestOf({ method = 'GET', url, body, contentType, headers }: RequestOptions): RequestInit {
  const fixed: Record<string, string> = { accept: 'application/json' }
  if (body && contentType) fixed['content-type'] = contentType
  const made = headers?.({ method, url, body: body ?? NOTHING }) ?? {}
  return { method, headers: { ...fixed, ...made }, ...(body ? { body: body as Uint8Array<ArrayBuffer> } : {}) }
}

async function readBounded(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > maxBytes) throw new OperationError('TOO_LARGE', `${hostOf(response.url)} answered more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0]! : new Uint8Array(Buffer.concat(chunks))
}

/** The error a server described in our form, else a plain one with its status. */
export function refusalOf(response: Response, body: Uint8Array, { method = 'GET', url }: { method?: string; url: string }): OperationError {
  const { status } = response
  const retryable = status === 429 || status >= 500
  const parsed = parseJson(new TextDecoder().decode(body))?.value as { error?: Record<string, unknown> } | undefined
  const said = (field: string) => (typeof parsed?.error?.[field] === 'string' ? parsed.error[field] : undefined)
  const [code, message, fix, requestId] = ['code', 'message', 'fix', 'request_id'].map(said)
  const details = { status, retryable, ...(fix ? { fix } : {}), ...(requestId ? { requestId } : {}) }
  if (code) return new OperationError(code, message ?? code, details)
  return new OperationError('HTTP_ERROR', `${hostOf(url)} answered ${status} to ${method} ${pathOf(url)}`, details)
}

/** Turns what `fetch` throws into one error that names the host. */
export function networkFailure(url: string, error: unknown, timedOut?: string): OperationError {
  if (error instanceof OperationError) return error
  if (timedOut) return new OperationError('TIMED_OUT', `${hostOf(url)}: ${timedOut}`, { retryable: true, cause: error })
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const why = errnoOf(cause) ?? (cause instanceof Error ? cause.message : String(cause))
  return new OperationError('UNREACHABLE', `${hostOf(url)} cannot be reached: ${why}`, { retryable: true, cause: error })
}

function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

const hostOf = (url: string) => (URL.canParse(url) ? new URL(url).host : url)
const pathOf = (url: string) => (URL.canParse(url) ? new URL(url).pathname : url)
