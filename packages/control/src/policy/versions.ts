import type { Signature, State } from '@postern/core'
import { parseStatement } from '@postern/core'
import { readEffect } from '../acks/effective.ts'
import type { Context } from '../context.ts'
import { actorOf } from '../context.ts'
import type { Statement } from '../db/generated/client.ts'
import { ControlError } from '../errors.ts'

/** A policy that came into force. `version` counts them from 1. */
export interface PolicyVersion {
  readonly version: number
  readonly seq: number
  readonly sha256: string
  readonly name: string
  /** What the signers wrote, Unix seconds. */
  readonly at: number
  readonly signers: readonly string[]
  /** Absent when nobody has handed in the bytes here. */
  readonly bytes?: number
}

/** Every policy that the log names, newest first, by its own signed words. */
export async function listVersions(context: Context): Promise<readonly PolicyVersion[]> {
  const { org } = actorOf(context)
  const { db, ledger } = context.control
  const rows = await db.prisma.statement.findMany({ where: { org, op: 'policy.set' }, orderBy: { seq: 'asc' } })
  const { rows: kept } = await db.pool.query<{ sha256: string; size: number }>(
    'SELECT sha256, octet_length(bytes)::int AS size FROM policy_documents WHERE org = $1',
    [org],
  )
  const sizes = new Map(kept.map(({ sha256, size }) => [sha256, size]))
  return rows.map((row, i) => versionOf(row, i + 1, ledger.state!, sizes)).reverse()
}

function versionOf(row: Statement, version: number, state: State, sizes: ReadonlyMap<string, number>): PolicyVersion {
  const statement = parseStatement(new Uint8Array(row.bytes))
  if (statement.op !== 'policy.set') throw new TypeError(`statement ${row.seq} is stored as policy.set and is ${statement.op}`)
  const { sha256, name } = statement.body
  const signers = (row.signatures as unknown as Signature[]).flatMap(({ kid }) => state.keys.get(kid)?.atsign ?? [])
  const bytes = sizes.get(sha256)
  return {
    ...{ version, seq: row.seq, sha256, name, at: statement.at, signers: [...new Set(signers)] },
    ...(bytes === undefined ? {} : { bytes }),
  }
}

/** @throws {ControlError} NOT_FOUND */
export async function findVersion(context: Context, seq: number): Promise<PolicyVersion> {
  const found = (await listVersions(context)).find((version) => version.seq === seq)
  if (!found) throw new ControlError('NOT_FOUND', `statement ${seq} puts no policy in force`)
  return found
}

/**
 * Which gateways have said, signed, that they apply a log in which this policy came into force; by default the one in force.
 * Null when there is none. @throws {ControlError} NOT_FOUND for a policy that the log never named
 */
export async function readRollout(context: Context, sha256?: string) {
  const versions = await listVersions(context)
  const version = sha256 === undefined ? versions[0] : versions.find((one) => one.sha256 === sha256)
  if (!version && sha256 === undefined) return null
  if (!version) throw new ControlError('NOT_FOUND', `the log names no policy with SHA-256 ${sha256}`)
  return { version, effect: await readEffect(context, { seq: version.seq }) }
}
