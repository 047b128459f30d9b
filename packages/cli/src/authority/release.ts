import type { Identity, State } from '@postern/core'
import { targetId } from '@postern/core'
import type { Context } from '../context.ts'
import type { Report } from '../output/report.ts'
import type { SignedIn } from '../profile/person.ts'
import { now } from '../surroundings.ts'
import type { AckWatch } from './acks.ts'
import { gatewaysThatServe, openAckWatch, readAcks } from './acks.ts'
import { syncAuthority } from './authority.ts'
import { effectText, enrolmentOf } from './revoke.ts'
import { outcomeText, signStatement } from './statement.ts'

const POLL_MS = 500

/**
 * Lifts the suspensions of a name, and waits until every gateway has said that it applied the statement. The stopwatch runs from when the
 * statement is in the log to the last gateway's acknowledgement, verified here.
 * @throws {CliError} NOT_FOUND; as `signStatement`
 */
export async function release(
  context: Context,
  person: SignedIn,
  kind: Identity['kind'],
  atsign: string,
  waitSeconds: number,
): Promise<Report> {
  const { dir, profile, client } = person
  const { state, revocations } = await syncAuthority(dir, profile.org, client)
  const target = enrolmentOf(atsign, kind)(state)
  const held = revocations.byTarget.get(targetId(target)) ?? []
  if (!held.some(({ until }) => until !== undefined && until > now())) context.warn(`no suspension of ${atsign} is known here`)
  await using watch = openAckWatch(client)
  const outcome = await signStatement(context, person, { op: 'release', body: () => ({ target }) })
  const base = { schema: `${kind}.release`, ids: [outcome.hash] }
  if (outcome.status === 'waiting') return { ...base, data: { atsign, ...outcome }, lines: [outcomeText(outcome)], exit: 'pending' }
  const began = performance.now()
  const after = await syncAuthority(dir, profile.org, client)
  const wanted = gatewaysThatServe(after.state, after.revocations)
  const applied = await untilApplied(person, watch, { state: after.state, seq: outcome.seq, until: began + waitSeconds * 1000 })
  const done = wanted.filter((gateway) => applied.has(gateway))
  const missing = wanted.filter((gateway) => !applied.has(gateway))
  const ms = Math.round(performance.now() - began)
  return {
    ...base,
    data: { atsign, ...outcome, effective: missing.length === 0, gateways: wanted.length, applied: done, missing, ms },
    lines: [`${outcomeText(outcome)} · ${effectText(done, missing, ms)}`],
    exit: missing.length === 0 ? 'done' : 'pending',
  }

  async function untilApplied(
    { client }: SignedIn,
    watch: AckWatch,
    { state, seq, until }: { state: State; seq: number; until: number },
  ): Promise<ReadonlySet<string>> {
    for (;;) {
      const acks = await readAcks(client, state)
      const holders = new Set<string>(acks.filter((ack) => ack.seq >= seq).map(({ iss }) => iss))
      if (wanted.every((gateway) => holders.has(gateway)) || performance.now() > until) return holders
      await watch.next(POLL_MS)
    }
  }
}
