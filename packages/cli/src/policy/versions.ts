import type { Signed } from '@postern/core'
import { parseStatement } from '@postern/core'
import { writeDurably } from '@postern/daemon'
import { walkLog } from '../audit/log-walk.ts'
import { gatewaysThatServe, readAcks } from '../authority/acks.ts'
import { syncAuthority } from '../authority/authority.ts'
import type { Context } from '../context.ts'
import { notFound } from '../errors.ts'
import { integerOf } from '../inputs.ts'
import { shortId, state as stateCell, when } from '../output/cell.ts'
import { escapeText } from '../output/escape.ts'
import type { Report } from '../output/report.ts'
import { openSignedIn } from '../profile/person.ts'
import type { Options } from '../run.ts'
import { fetchDocument } from './document.ts'

interface Version {
  readonly version: number
  readonly seq: number
  readonly sha256: string
  readonly name: string
  readonly at: number
  readonly signers: readonly string[]
}

/** Out of the log, verified from the pin, oldest first; with those whose signatures counted. */
function versionsIn(org: string, log: readonly Signed[]): readonly Version[] {
  const set = walkLog(org, log).entries.filter(({ op }) => op === 'policy.set')
  return set.map(({ seq, at, signedBy }, i) => {
    const statement = parseStatement(log[seq]!.bytes)
    if (statement.op !== 'policy.set') throw new TypeError(`statement ${seq} is ${statement.op}`)
    return { version: i + 1, seq, at, ...statement.body, signers: signedBy }
  })
}

export async function policyHistory(context: Context): Promise<Report> {
  const { dir, profile, client } = await openSignedIn(context.settings)
  const { entries } = await syncAuthority(dir, profile.org, client)
  const versions = versionsIn(profile.org, entries).toReversed()
  return {
    schema: 'policy.history',
    data: versions,
    ids: versions.map(({ sha256 }) => sha256),
    table: {
      columns: ['version', 'statement', 'when', 'name', 'signed by', 'sha256'],
      rows: versions.map(({ version, seq, at, name, signers, sha256 }) => [`v${version}`, seq, when(at), name, signers, shortId(sha256)]),
      empty: 'no policy was signed yet: nothing is allowed',
    },
  }
}

/** Acks are verified here; a gateway that has not said so applies something else, as far as anybody knows. */
export async function policyRollout(context: Context): Promise<Report> {
  const { dir, profile, client } = await openSignedIn(context.settings)
  const { entries, state, revocations } = await syncAuthority(dir, profile.org, client)
  const current = versionsIn(profile.org, entries).at(-1)
  if (!current) throw notFound('no policy was signed yet: nothing is allowed', 'postern policy sign <file>')
  const reached = new Map((await readAcks(client, state)).map(({ iss, seq }) => [iss, seq]))
  const gateways = gatewaysThatServe(state, revocations).map((gateway) => {
    const seq = reached.get(gateway)
    return { gateway, applied: seq !== undefined && seq >= current.seq, seq: seq ?? null }
  })
  const on = gateways.filter(({ applied }) => applied).length
  return {
    schema: 'policy.rollout',
    data: { ...current, on, of: gateways.length, gateways },
    ids: gateways.filter(({ applied }) => !applied).map(({ gateway }) => gateway),
    lines: [`${on}/${gateways.length} gateways on ${escapeText(current.name)} v${current.version}`],
    table: {
      columns: ['gateway', 'state', 'statement'],
      rows: gateways.map(({ gateway, applied, seq }) => [gateway, stateCell(applied ? 'ok' : 'pending'), seq ?? undefined]),
      empty: 'no gateway serves yet',
    },
    exit: on === gateways.length ? 'done' : 'pending',
  }
}

export async function restorePolicy(context: Context, [typed = '']: readonly string[], options: Options): Promise<Report> {
  const seq = integerOf(typed, '<statement>', 1, 999_999_999)
  const person = await openSignedIn(context.settings)
  const { entries } = await syncAuthority(person.dir, person.profile.org, person.client)
  const version = versionsIn(person.profile.org, entries).find((one) => one.seq === seq)
  if (!version) throw notFound(`statement ${seq} puts no policy in force`, 'postern policy history')
  const bytes = await fetchDocument(person, version.sha256)
  const out: string = options.out
  await writeDurably(out, bytes)
  return {
    schema: 'policy.restore',
    data: { ...version, out },
    ids: [version.sha256],
    lines: [`✓ ${escapeText(version.name)} v${version.version} written to ${out}`],
    hints: [`postern policy plan ${out}`, `postern policy sign ${out}`],
  }
}
