import type { Writable } from 'node:stream'

const gathering = new WeakSet<Writable>()

/** A system call for so much is cheap per byte: nothing is gained by waiting for more. */
const ENOUGH_BYTES = 64 << 10

/**
 * Call before each write: what is written to the stream in this turn of the event loop then goes out in one system call, at the end of the
 * turn (large amounts sooner). Does NOT bound what waits; `writableLength` counts it.
 */
export function gather(stream: Writable): void {
  if (!gathering.has(stream)) {
    gathering.add(stream)
    stream.cork()
    process.nextTick(release, stream)
  } else if (stream.writableLength >= ENOUGH_BYTES) {
    stream.uncork()
    stream.cork()
  }
}

function release(stream: Writable): void {
  gathering.delete(stream)
  stream.uncork()
}
