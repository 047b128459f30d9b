import type { AtSign, Identity, RevocationSet, Signed, State, Target } from '@postern/core'
import { addRevocation, aimAt, describe, encodeRevocation, encodeSigned, isAtSign, revocationHash } from '@postern/core'
import { writeDurably } from '@postern/daemon'
import { signWithBrowser } from '../browser/sign.ts'
import type { Context } from '../context.ts'
import { notFound } from '../errors.ts'
import type { Report } from '../output/report.ts'
import type { SignedIn } from '../profile/person.ts'
import { now, surroundings } from '../surroundings.ts'
import { gatewaysThatServe, gatewaysWith, openAckWatch } from './acks.ts'
import { syncAuthority } from './authority.ts'
import { refusing, sayAll } from './statement.ts'

export interface RevokeOptions {
  readonly reason: string
  /** How long to wait for the gateways. */
  readonly waitSeconds: number
  /** A file for the second path: `postern gateway apply`. */
  readonly out?: string | undefined
  /** A suspension: how long it lasts. Undefined: for ever. */
  readonly suspendSeconds?: number | undefined
}

/** What it is aimed at, found in the verified log. */
export type FindTarget = (state: State) => Target

/** @throws {CliError} NOT_FOUND */
export function identityOf(state: State, atsign: string, kind: Identity['kind']): Identity {
  const identity = isAtSign(atsign) ? state.identities.get(atsign) : undefined
  if (identity?.kind === kind) return identity
  throw notFound(`there is no ${kind} ${atsign}`, `postern ${kind === 'person' ? 'people' : kind} list`)
}

/** The live enrolment of a name. */
export const enrolmentOf =
  (atsign: string, kind: Identity['kind']): FindTarget =>
  (state) => ({ kind: 'enrolment', id: identityOf(state, atsign, kind).enrolment })

export type FindTargets = (state: State) => readonly Target[]

/** Those of several names. @throws {CliError} NOT_FOUND */
export const enrolmentsOf =
  (atsigns: readonly string[], kind: Identity['kind']): FindTargets =>
  (state) =>
    atsigns.map((atsign) => enrolmentOf(atsign, kind)(state))

/**
 * Signs one revocation, or suspension, of one or several targets, hands it in, and waits until every gateway has said that it applied it. The stopwatch runs from the signature to
 * the last gateway's acknowledgement, verified here.
 * @throws {CliError} CONFIRM, DECLINED; whatever core refuses
 */
export async function revoke(
  context: Context,
  person: SignedIn,
  schema: string,
  find: FindTarget | FindTargets,
  options: RevokeOptions,
): Promise<Report> {
  const { dir, profile, client } = person
  const { state, revocations } = await syncAuthority(dir, profile.org, client)
  const targets = [find(state)].flat()
  const at = now()
  const until = options.suspendSeconds === undefined ? {} : { until: at + options.suspendSeconds }
  const bytes = refusing(() => encodeRevocation({ org: profile.org, ...aimAt(targets), reason: options.reason, at, ...until }))
  sayAll(context, describe('revocation', bytes, state))
  if (options.suspendSeconds === undefined) await context.confirmFinal('revoke-is-final', 'Revoke it for ever?')
  else await context.confirm('Suspend it?')
  await using watch = openAckWatch(client)
  const signed = await sign(context, person, bytes)
  const began = performance.now()
  const after = refusing(() => addRevocation(revocations, signed, state, surroundings.suite))
  if (options.out) await writeDurably(options.out, `${JSON.stringify(encodeSigned(signed))}\n`)
  await client.call('/api/v1/revocations', { json: encodeSigned(signed) }) // from a browser it is there already, which changes nothing
  const wanted = gatewaysThatServe(state, after)
  const done = await untilApplied(person, watch, { state, revocations: after, wanted, began, ms: options.waitSeconds * 1000 })
  const ms = Math.round(performance.now() - began)
  return reportOf(schema, { targets, hash: revocationHash(bytes), wanted, done, ms, out: options.out })
}

async function sign(context: Context, person: SignedIn, bytes: Uint8Array): Promise<Signed> {
  const key = await person.key()
  if (!key.isPasskey) return { bytes, signatures: [await key.sign('postern-revocation-v1', bytes)] }
  return { bytes, signatures: (await signWithBrowser(context, person, { kind: 'revocation', bytes })).signatures }
}

interface Race {
  readonly state: State
  readonly revocations: RevocationSet
  readonly wanted: readonly AtSign[]
  readonly began: number
  readonly ms: number
}

const POLL_MS = 500

async function untilApplied(
  { client, dir, profile }: SignedIn,
  watch: ReturnType<typeof openAckWatch>,
  race: Race,
): Promise<readonly AtSign[]> {
  let { revocations } = race
  for (;;) {
    const holders = await gatewaysWith(client, race.state, revocations)
    const done = race.wanted.filter((gateway) => holders.has(gateway))
    if (done.length === race.wanted.length || performance.now() - race.began > race.ms) return done
    await watch.next(POLL_MS)
    if (done.length < race.wanted.length) revocations = (await syncAuthority(dir, profile.org, client)).revocations // another one may have come
  }
}

interface Outcome {
  readonly targets: readonly Target[]
  readonly hash: string
  readonly wanted: readonly AtSign[]
  readonly done: readonly AtSign[]
  readonly ms: number
  readonly out: string | undefined
}

/** What acks say, and nothing that the control plane believes. */
export function effectText(done: readonly string[], missing: readonly string[], ms: number): string {
  const total = done.length + missing.length
  const count = `${done.length} of ${total} gateway${total === 1 ? '' : 's'}`
  if (missing.length === 0) return `effective on ${count}, ${ms} ms`
  return `NOT EFFECTIVE on ${missing.join(', ')} · effective on ${count} after ${ms} ms`
}

function reportOf(schema: string, { targets, hash, wanted, done, ms, out }: Outcome): Report {
  const missing = wanted.filter((gateway) => !done.includes(gateway))
  const isEffective = missing.length === 0
  const text = `${isEffective ? '✓' : '!'} signed · ${effectText(done, missing, ms)}`
  const file = out ?? '<file of --out>'
  return {
    schema,
    data: {
      target: targets[0],
      targets,
      hash,
      effective: isEffective,
      gateways: wanted.length,
      applied: done,
      missing,
      ms,
      file: out ?? null,
    },
    ids: [hash],
    lines: [text],
    hints: isEffective ? [] : [`→ on ${missing.join(', ')}: postern gateway apply ${file}`],
    exit: isEffective ? 'done' : 'pending',
  }
}
