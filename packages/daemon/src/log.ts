import type { DestinationStream, Logger } from 'pino'
import { destination, pino, stdTimeFunctions } from 'pino'

/** Constant message, fields for the rest. Never log tokens, keys, tool arguments or results: log ids, codes and sizes. */
export type Log = Logger

export interface LogOptions {
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Where lines go instead of stderr. */
  readonly to?: DestinationStream
  /** One readable line per entry instead of JSON. Default: stderr is a terminal. */
  readonly pretty?: boolean
}

/** A log on stderr, always: stdout belongs to results, and in a stdio connector to the MCP wire. */
export function createLog(name: string, options: LogOptions = {}): Log {
  const to = options.to ?? stderr()
  const pretty = options.pretty ?? (!options.to && process.stderr.isTTY === true)
  const settings = { name, level: options.level ?? 'info', base: { name }, timestamp: stdTimeFunctions.isoTime }
  return pino({ ...settings, formatters: { level: (label) => ({ level: label }) } }, pretty ? readable(to) : to)
}

/** Synchronous, so that the line that explains an exit is written before it; a reader that went away must not take the process along. */
function stderr(): DestinationStream {
  const stream = destination({ fd: 2, sync: true })
  stream.on('error', () => {})
  return stream
}

function readable(to: DestinationStream): DestinationStream {
  return {
    write(line) {
      const { time, level, name, msg, err, ...fields } = JSON.parse(line)
      const rest = Object.entries(fields).map(([key, value]) => `${key}=${typeof value === 'object' ? JSON.stringify(value) : value}`)
      const trouble = err ? [`\n  ${err.code ? `${err.code}: ` : ''}${err.message}`] : []
      to.write(`${[String(time).slice(11, 19), name, level === 'info' ? '·' : level, msg, ...rest, ...trouble].join(' ')}\n`)
    },
  }
}
