import type { IncomingMessage } from 'node:http'

/** As MCP's own SDK has it. Further bounds apply to what is inside. */
export const MAX_BODY_BYTES = 4 << 20

/** The whole body, or undefined when it is longer than allowed: then nothing more of it is kept. Rejects when the client goes. */
export async function readBody(request: IncomingMessage, maxBytes = MAX_BODY_BYTES): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length']) > maxBytes) return undefined
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) return undefined
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
}

/** `application/json`, with or without parameters, and nothing that would have to be unpacked. */
export function isJson({ headers }: IncomingMessage): boolean {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  return type === 'application/json' && (headers['content-encoding'] ?? 'identity') === 'identity'
}

/** An answer may come as JSON or as an event stream: a client must take both. */
export function acceptsBoth({ headers }: IncomingMessage): boolean {
  const accept = headers.accept?.toLowerCase()
  if (accept === undefined || accept.includes('*/*')) return true
  return accept.includes('application/json') && accept.includes('text/event-stream')
}

export const acceptsEvents = ({ headers }: IncomingMessage): boolean =>
  headers.accept === undefined || /text\/event-stream|\*\/\*/i.test(headers.accept)
