import { utf8 } from '@postern/core'

/** One event in the form of the HTML standard §9.2. `id` only for those a stream can resume after. */
export function encodeEvent(event: string, data: unknown, id?: number): Uint8Array {
  return utf8(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
}
export const PING = utf8(': ping\n\n')

/** More than this unread means that the reader is gone or too slow: it is cut off and may resume. */
const MAX_UNREAD_BYTES = 1 << 20

export interface Sink {
  /** False when the reader is gone; nothing was written then. */
  write(bytes: Uint8Array): boolean
  close(): void
}

/** A response body that can be written from outside, with a bound on what the reader may leave unread. */
export function createSink(onClose: () => void): { sink: Sink; body: ReadableStream<Uint8Array> } {
  let controller!: ReadableStreamDefaultController<Uint8Array>
  let isClosed = false
  const close = () => {
    if (isClosed) return
    isClosed = true
    try {
      controller.close()
    } catch {
      // the reader cancelled it already
    }
    onClose()
  }
  const strategy = new ByteLengthQueuingStrategy({ highWaterMark: MAX_UNREAD_BYTES })
  const body = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given
      },
      cancel: close,
    },
    strategy,
  )
  const write = (bytes: Uint8Array) => {
    if (isClosed) return false
    if ((controller.desiredSize ?? 0) <= 0) {
      close()
      return false
    }
    controller.enqueue(bytes)
    return true
  }
  return { sink: { write, close }, body }
}

export const SSE_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform', // no-transform: compression would hold events back
  'x-accel-buffering': 'no',
}
