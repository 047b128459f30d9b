import { OperationError } from '../errors.ts'

/** One server-sent event (WHATWG HTML §9.2). `id` is the last id the stream named, as the standard has it. */
export interface ServerEvent {
  readonly id: string | undefined
  /** `message` unless named. */
  readonly event: string
  readonly data: string
}

export interface EventParser {
  /** Takes the next bytes, cut anywhere, and gives the events they complete. Throws `TOO_LARGE`. */
  push(bytes: Uint8Array): ServerEvent[]
}

export function createEventParser(maxEventBytes: number): EventParser {
  const decoder = new TextDecoder()
  let text = ''
  let data: string[] = []
  let size = 0
  let event = ''
  let id: string | undefined

  /** Null for a line that completes nothing. */
  function take(line: string): ServerEvent | null {
    if (line === '') return dispatch()
    const colon = line.indexOf(':')
    if (colon === 0) return null // a comment: it only shows that the line lives
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'data') {
      data.push(value)
      size += value.length
    } else if (field === 'event') event = value
    else if (field === 'id' && !value.includes('\0')) id = value
    return null
  }

  function dispatch(): ServerEvent | null {
    const complete = data.length > 0 ? { id, event: event || 'message', data: data.join('\n') } : null
    data = []
    size = 0
    event = ''
    return complete
  }

  return {
    push(bytes) {
      text += decoder.decode(bytes, { stream: true })
      const lines = text.split(/\r\n|\n|\r(?!$)/) // a final CR may be half of CRLF: wait for what follows
      text = lines.pop()!
      const events = lines.flatMap((line) => take(line) ?? [])
      if (text.length + size > maxEventBytes) throw new OperationError('TOO_LARGE', `an event of more than ${maxEventBytes} bytes`)
      return events
    },
  }
}
