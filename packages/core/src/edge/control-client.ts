import type { KeyId } from '../key/public-key.ts'
import { signRequest } from '../request/sign.ts'
import type { EdgeRequest, EdgeSurroundings, SentRequest } from './surroundings.ts'
import { nowSeconds } from './surroundings.ts'

/** The key that signs requests and opens nothing: an `auth` key, or the session key that a login named. */
export interface RequestKey {
  readonly kid: KeyId
  readonly secret: { expose(): Uint8Array }
}

/** The control plane over HTTP. What it answers is its word: callers verify it, or treat it as a hint. */
export interface ControlClient {
  /** Address without a slash at the end. */
  readonly base: string
  /** An answer without a body is `undefined`. `json` makes it a POST, unless `method` says otherwise. */
  call<T>(path: string, options?: Omit<EdgeRequest, 'url' | 'headers'>): Promise<T>
  /** Raw bytes, or undefined when there is nothing under that path. */
  bytes(path: string, maxBytes: number): Promise<Uint8Array | undefined>
  put(path: string, body: Uint8Array): Promise<void>
  url(path: string): string
  /** Headers that sign a request, e.g. of an event stream. None without a key. */
  sign(request: SentRequest): Record<string, string>
}

/** How much of the log one answer may hold: 256 statements of 16 KiB with their signatures. */
const MAX_ANSWER_BYTES = 16 << 20

/**
 * Requests to the control plane, signed by `key` when there is one (request.md).
 * @param headers Further, unsigned ones: an enrolment code.
 */
export function createControlClient(
  control: string,
  key: RequestKey | undefined,
  { net, clock, random, suite }: Pick<EdgeSurroundings, 'net' | 'clock' | 'random' | 'suite'>,
  headers: Readonly<Record<string, string>> = {},
): ControlClient {
  const base = control.replace(/\/+$/, '')
  const url = (path: string) => `${base}${path}`
  const sign = (request: SentRequest): Record<string, string> => {
    if (!key) return { ...headers }
    const signer = { kid: key.kid, seed: key.secret.expose(), created: nowSeconds(clock), nonce: random(16) }
    return { ...headers, ...signRequest(request, signer, suite) }
  }
  return {
    base,
    url,
    sign,
    async call<T>(path: string, options = {}) {
      return (await net.requestJson<T>({ maxResponseBytes: MAX_ANSWER_BYTES, ...options, url: url(path), headers: sign })).body
    },
    async bytes(path, maxBytes) {
      try {
        return (await net.requestBytes({ url: url(path), headers: sign, maxResponseBytes: maxBytes })).body
      } catch (error) {
        if ((error as { status?: unknown }).status === 404) return undefined
        throw error
      }
    },
    async put(path, body) {
      await net.requestBytes({ method: 'PUT', url: url(path), body, contentType: 'application/octet-stream', headers: sign })
    },
  }
}
