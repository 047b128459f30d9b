import { createServer } from 'node:net'
import { CliError } from '../errors.ts'
import { integerOf } from '../inputs.ts'

/** A port that a process is going to listen on, and the flag that changes it. */
export interface WantedPort {
  readonly port: number
  readonly whose: string
  readonly flag: string
}

/**
 * Says in time, and for all ports, what would fail in a child a second later.
 * @throws {CliError} PORT_TAKEN
 */
export async function requireFreePorts(ports: readonly WantedPort[], host: string): Promise<void> {
  for (const { port, whose, flag } of ports) {
    const trouble = await tryToListen(port, host)
    if (!trouble) continue
    const isTaken = trouble === 'EADDRINUSE'
    throw new CliError('PORT_TAKEN', isTaken ? `port ${port} is taken` : `port ${port} cannot be used: ${trouble}`, {
      why: `the ${whose} listens there; perhaps Postern already runs`,
      fix: `stop what listens on it, or choose another one: postern up ${flag} ${port + 100}`,
      exit: 'failed',
    })
  }
}

function tryToListen(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

/** @throws {CliError} USAGE */
export const portOf = (text: string): number => integerOf(text, 'a port', 1, 65_535)
