const newline = 0x0a
const carriageReturn = 0x0d

/**
 * Splits a byte stream into lines without their ends; empty lines are dropped. A line longer than `maxBytes` is dropped as a whole and
 * reported, since the part that was kept could be a different message.
 */
export function createLineSplitter(maxBytes: number, onLine: (line: Buffer) => void, onTooLong: () => void): (chunk: Buffer) => void {
  let parts: Buffer[] = []
  let held = 0
  let skipping = false

  const end = (last: Buffer) => {
    const line = parts.length === 0 ? last : Buffer.concat([...parts, last])
    const tooLong = skipping || line.length > maxBytes
    parts = []
    held = 0
    skipping = false
    if (tooLong) onTooLong()
    else if (line.length > 0) onLine(line.at(-1) === carriageReturn ? line.subarray(0, -1) : line)
  }
  const keep = (rest: Buffer) => {
    held += rest.length
    if (held > maxBytes) {
      skipping = true
      parts = []
    }
    if (!skipping && rest.length > 0) parts.push(rest)
  }
  return (chunk) => {
    let start = 0
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, start)) {
      end(chunk.subarray(start, at))
      start = at + 1
    }
    keep(chunk.subarray(start))
  }
}
