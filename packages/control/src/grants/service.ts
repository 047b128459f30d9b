import type { z } from 'zod'
import type { Context } from '../context.ts'
import { actorOf } from '../context.ts'
import { ControlError } from '../errors.ts'
import { dateOf, secondsOf } from '../time.ts'
import type { answersInput, askInput, listAnswer } from './schema.ts'

const byteLength = (base64url: string) => Math.floor((base64url.length * 3) / 4)

/**
 * Carries a sealed ask to a gateway and brings back the sealed answer. The control plane learns agent, gateway, time and sizes; the
 * HTTP signature means nothing to the gateway.
 * @throws {ControlError} NOT_FOUND, TOO_MANY, GATEWAY_UNREACHABLE after 10 s
 */
export async function requestGrant(context: Context, { gateway, ask }: z.output<typeof askInput>, signal: AbortSignal) {
  const { org, atsign: agent } = actorOf(context)
  const { control } = context
  const identity = control.ledger.state?.identities.get(gateway as never)
  if (identity?.kind !== 'gateway') throw new ControlError('NOT_FOUND', `${gateway} is not an enrolled gateway`)
  const askedAt = control.now()
  const { id, answer, tookMs } = await control.exchange.ask({ org, agent, gateway }, ask, signal)
  const outcome = answer ? 'answered' : 'unreachable'
  const sizes = { askBytes: byteLength(ask), answerBytes: answer ? byteLength(answer) : null }
  control.grantLog.add({ id, org, agent, gateway, ...sizes, outcome, askedAt: dateOf(askedAt), tookMs })
  if (!answer)
    throw new ControlError('GATEWAY_UNREACHABLE', `${gateway} did not answer within 10 s`, { fix: `postern gateway show ${gateway}` })
  return { answer }
}

/** @throws {ControlError} NOT_FOUND when nobody waits for it any more */
export async function answerGrant(context: Context, id: string, answer: string) {
  const { org, atsign } = actorOf(context)
  if (await context.control.exchange.answer(org, atsign, id, answer)) return { ok: true as const }
  throw new ControlError('NOT_FOUND', 'nobody waits for this answer any more')
}

/** Several answers in one request, for a gateway under load. */
export async function answerGrants(context: Context, { answers }: z.output<typeof answersInput>) {
  const { org, atsign } = actorOf(context)
  const late: string[] = []
  for (const { id, answer } of answers) if (!(await context.control.exchange.answer(org, atsign, id, answer))) late.push(id)
  return { delivered: answers.length - late.length, late }
}

/** Administrators see all; people what their own agents asked for. */
export async function listGrants(context: Context, { limit = 100, before }: { limit?: number | undefined; before?: number | undefined }) {
  const { org, atsign, role } = actorOf(context)
  const { db, ledger } = context.control
  const own = [...(ledger.state?.identities.values() ?? [])].filter(({ owner }) => owner === atsign).map((agent) => agent.atsign)
  const where = {
    org,
    ...(before === undefined ? {} : { askedAt: { lt: dateOf(before) } }),
    ...(role === 'admin' ? {} : { agent: { in: own } }),
  }
  const rows = await db.prisma.grantRequest.findMany({ where, orderBy: [{ askedAt: 'desc' }, { id: 'asc' }], take: limit })
  const grants = rows.map((row) => ({
    ...{ id: row.id, agent: row.agent, gateway: row.gateway, at: secondsOf(row.askedAt), ms: row.tookMs, ask_bytes: row.askBytes },
    outcome: row.outcome as 'answered' | 'unreachable',
    ...(row.answerBytes === null ? {} : { answer_bytes: row.answerBytes }),
  }))
  return { grants } satisfies z.input<typeof listAnswer>
}
