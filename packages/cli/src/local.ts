import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isAtSign } from '@postern/core'
import { errnoOf, places } from '@postern/daemon'
import type { Environment } from './config.ts'
import { notFound, usageError } from './errors.ts'

/** atSigns of the edges whose keys are on this machine. */
export async function localEdges(kind: 'gateway' | 'agent', environment: Environment): Promise<readonly string[]> {
  try {
    return (await readdir(join(places(environment).state, kind))).filter(isAtSign).sort()
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

/** The only gateway of this machine. @throws {CliError} NOT_FOUND, USAGE when there are several */
export const soleGateway = (environment: Environment): Promise<string> => sole('gateway', environment)
export const soleAgent = (environment: Environment): Promise<string> => sole('agent', environment)

async function sole(kind: 'gateway' | 'agent', environment: Environment): Promise<string> {
  const [first, ...others] = await localEdges(kind, environment)
  if (!first) throw notFound(`there is no ${kind} on this machine`, `postern ${kind} enroll '<join string>'`)
  if (others.length > 0)
    throw usageError(
      `there are several ${kind}s on this machine: ${[first, ...others].join(', ')}`,
      `name one${kind === 'agent' ? ': --agent' : ''}`,
    )
  return first
}
