/** Longest line, as MCP's own SDK has it. */
export const MAX_LINE_BYTES = 10 << 20

/** Cuts a byte stream into lines, each without its end of line. Lines are views into the chunks where they can be. */
export interface LineReader {
  /** Calls `onLine` for each line that is complete now, empty ones left out. */
  push(chunk: Buffer): void
}

/**
 * @param onOverflow A line is longer than allowed; called once for it, with its beginning, and the rest of it is skipped.
 */
export function createLineReader(
  onLine: (line: Buffer) => void,
  onOverflow: (start: Buffer) => void,
  maxBytes = MAX_LINE_BYTES,
): LineReader {
  let parts: Buffer[] = []
  let size = 0
  let isSkipping = false

  const take = (end: Buffer): Buffer => {
    const line = parts.length === 0 ? end : Buffer.concat([...parts, end])
    parts = []
    size = 0
    return line.at(-1) === 0x0d ? line.subarray(0, -1) : line
  }
  const finish = (end: Buffer) => {
    if (isSkipping) {
      isSkipping = false
      return
    }
    if (size + end.length > maxBytes) {
      const start = take(end)
      return onOverflow(start.subarray(0, 1024))
    }
    const line = take(end)
    if (line.length > 0) onLine(line)
  }
  const keep = (rest: Buffer) => {
    if (isSkipping || rest.length === 0) return
    parts.push(rest)
    size += rest.length
    if (size <= maxBytes) return
    const start = take(Buffer.alloc(0))
    isSkipping = true
    onOverflow(start.subarray(0, 1024))
  }
  return {
    push(chunk) {
      let at = 0
      for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, at)) {
        finish(chunk.subarray(at, end))
        at = end + 1
      }
      keep(chunk.subarray(at))
    },
  }
}
