import { readFile } from 'node:fs/promises'
import type { Grant } from '@postern/core'
import { tokenHash } from '@postern/core'
import type { ConnectorDeps } from '../deps.ts'
import { ConnectorError } from '../errors.ts'
import type { Grants, HeldGrant } from './grants.ts'

/**
 * One grant that a person or a program got elsewhere (`POST /api/v1/grants`), for every call, until it is over. Nothing is asked for, and
 * nothing is decided here: what the grant does not cover, the gateway refuses.
 * @throws {ConnectorError} GRANT_FILE_INVALID
 */
export async function openGivenGrant(path: string, { suite, clock }: Pick<ConnectorDeps, 'suite' | 'clock'>): Promise<Grants> {
  const token = (await readToken(path)).trim()
  const grant = payloadOf(path, token)
  const held: HeldGrant = {
    ...{ token, hash: tokenHash(token, suite), grant, untilMs: Number.POSITIVE_INFINITY, renewAtMs: Number.POSITIVE_INFINITY },
    used: firstCounter(clock),
  }
  return { held: () => held, obtain: () => Promise.resolve(held), drop: () => false, onGrant() {}, onChannelEnd() {} }
}

/** Several processes may use the file one after the other, and no counter counts twice: each begins far behind the last one's. */
const firstCounter = (clock: ConnectorDeps['clock']): number => Math.floor(clock.wall()) * 1000

async function readToken(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new ConnectorError('GRANT_FILE_INVALID', `cannot read the grant ${path}: ${(cause as Error).message}`, { cause })
  }
}

/** What it says, unverified: only the gateway's verification counts. */
function payloadOf(path: string, token: string): Grant {
  try {
    const [, payload = ''] = /^[\w-]+\.([\w-]+)\.[\w-]{86}$/.exec(token) ?? []
    return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Grant
  } catch (cause) {
    throw new ConnectorError('GRANT_FILE_INVALID', `${path} does not hold a grant`, { cause })
  }
}
