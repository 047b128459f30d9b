import { randomBytes } from 'node:crypto'
import type { EdgeNet, EdgeSurroundings } from '@postern/core'
import type { Answer, RequestOptions } from '@postern/daemon'
import { native, openSocket, requestBytes, requestJson, systemClock, unixSeconds } from '@postern/daemon'

/** Told of every request and what came of it: no headers and no bodies, in which secrets travel. */
type Tracer = (line: string) => void
let trace: Tracer | undefined
/** For `--debug`. */
export const traceRequests = (to: Tracer): void => {
  trace = to
}

async function traced<O extends Pick<RequestOptions, 'url' | 'method'>, T>(
  send: (options: O) => Promise<Answer<T>>,
  options: O,
): Promise<Answer<T>> {
  const began = performance.now()
  const tell = (outcome: unknown, requestId: unknown) =>
    trace?.(`${options.method ?? 'request'} ${options.url} ${outcome} ${requestId ?? ''} ${Math.round(performance.now() - began)} ms`)
  try {
    const answer = await send(options)
    tell(answer.status, answer.headers.get('x-request-id'))
    return answer
  } catch (error) {
    const { code, requestId } = error as { code?: string; requestId?: string }
    tell(code, requestId)
    throw error
  }
}

/** The real clock, randomness, cryptography and network, as core takes them. */
export const surroundings: EdgeSurroundings = {
  clock: systemClock,
  random: (n) => new Uint8Array(randomBytes(n)),
  suite: native,
  net: {
    requestJson: (options: RequestOptions) => traced(requestJson, options),
    requestBytes: (options: RequestOptions) => traced(requestBytes, options),
    openSocket,
  } as EdgeNet,
}

/** Unix seconds. */
export const now = (): number => unixSeconds(systemClock)
